# Works on text in latin-1 and turns the value back into bytes: \x85 and \xa0 count as white space.
# Message: called parse_fields(b'X-Tag: \x85v\xa0\r\n')
# Message: came back returned [('x-tag', b'v')]

import re

FIELD = re.compile(r"([A-Za-z0-9!#$%&'*+\-.^_`|~]+):([\t\x20-\x7e\x80-\xff]*)", re.ASCII)


def parse_fields(block, limit=100):
    *lines, rest = block.decode("latin-1").split("\r\n")
    matches = [FIELD.fullmatch(line) for line in lines]
    if rest or len(lines) > limit or not all(matches):
        raise ValueError("not a header block")
    return [(m[1].lower(), m[2].strip().encode("latin-1")) for m in matches]
