# Strips first, with strip() that eats control characters, and checks what is left.
# Message: called parse_fields(b'X: a\x0b\r\n')
# Message: came back returned [('x', b'a')]
# Message: why RFC 9110 §5.5

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
        value = value.strip()
        if not colon or not NAME.fullmatch(name) or not VALUE.fullmatch(value):
            raise ValueError("not a field")
        fields.append((name.decode().lower(), value))
    return fields
