"""No regular expression: eat the block from the front, and look at every byte."""

TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
TEXT = frozenset([9, *range(0x20, 0x7F), *range(0x80, 0x100)])


def parse_fields(block, limit=100):
    fields = []
    while block:
        line, end, block = block.partition(b"\r\n")
        name, colon, value = line.partition(b":")
        if not (end and name and colon and TOKEN.issuperset(name) and TEXT.issuperset(value)):
            raise ValueError(f"not a field: {line!r}")
        fields.append((str(name.lower(), "ascii"), value.lstrip(b"\t ").rstrip(b"\t ")))
        if len(fields) > limit:
            raise ValueError("too many fields")
    return fields
