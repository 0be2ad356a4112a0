"""One pattern for the whole block; a second pass takes the fields out."""

import re

NAME = rb"([!#$%&'*+.^_`|~\-\dA-Za-z]+)"
VALUE = rb"((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)"
LINE = NAME + rb":[\t ]*" + VALUE + rb"[\t ]*\r\n"


def parse_fields(block, limit=100):
    fields, place = [], 0
    for match in re.finditer(LINE, block):
        if match.start() != place:
            break
        place = match.end()
        fields.append((match[1].decode().lower(), match[2]))
    if place != len(block):
        raise ValueError(f"no field at byte {place}")
    if len(fields) > limit:
        raise ValueError("too many fields")
    return fields
