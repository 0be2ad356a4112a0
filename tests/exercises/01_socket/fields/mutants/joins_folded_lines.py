# Unfolds a line that begins with white space, as servers did until 2014.
# Message: called parse_fields(b'X: a\r\n b\r\n')
# Message: came back returned [('x', b'a b')]

import re

FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+\-.^_`|~]+):([\t\x20-\x7e\x80-\xff]*)")


def parse_fields(block, limit=100):
    if block and not block.endswith(b"\r\n"):
        raise ValueError("the last line has no CRLF")
    unfolded = re.sub(rb"\r\n[ \t]+", b" ", block)
    lines = unfolded.split(b"\r\n")[:-1]
    matches = [FIELD.fullmatch(line) for line in lines]
    if len(lines) > limit or not all(matches):
        raise ValueError("not a header block")
    return [(m[1].decode().lower(), m[2].strip(b" \t")) for m in matches]
