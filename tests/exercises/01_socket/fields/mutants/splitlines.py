# Cuts with splitlines(), so a bare LF or CR ends a line as well.
# Message: called parse_fields(b'A: b\n')
# Message: came back returned [('a', b'b')]
# Message: nudge splitlines() cuts at more than CRLF

import re

FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+\-.^_`|~]+):([\t\x20-\x7e\x80-\xff]*)")


def parse_fields(block, limit=100):
    lines = block.splitlines()
    matches = [FIELD.fullmatch(line) for line in lines]
    if len(lines) > limit or not all(matches):
        raise ValueError("not a header block")
    return [(m[1].decode().lower(), m[2].strip(b" \t")) for m in matches]
