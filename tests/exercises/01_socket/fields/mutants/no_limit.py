# Forgets the limit.
# Message: called parse_fields(b'A: b\r\nA: b\r\nA: b\r\nA: b\r\n', 3)
# Message: why RFC 9110 §5.4

import re

FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+\-.^_`|~]+):([\t\x20-\x7e\x80-\xff]*)")


def parse_fields(block, limit=100):
    *lines, rest = block.split(b"\r\n")
    matches = [FIELD.fullmatch(line) for line in lines]
    if rest or not all(matches):
        raise ValueError("not a header block")
    return [(m[1].decode().lower(), m[2].strip(b" \t")) for m in matches]
