"""One pass over the fields that gathers what it needs, and exceptions for the refusals."""


class Refused(Exception):
    pass


def body_framing(version, fields, limit=1_048_576):
    try:
        return decide(version, fields, limit)
    except Refused as refused:
        return "refuse", refused.args[0]


def decide(version, fields, limit):
    length, words = None, None
    for name, value in fields:
        if name == "content-length":
            length = refuse(400) if length is not None else value
        elif name == "transfer-encoding":
            words = (words or []) + [word.strip(b"\t ").upper() for word in value.split(b",")]
    if words is None:
        return "length", number(b"0" if length is None else length, limit)
    if length is not None or version in ((0, 9), (1, 0)):
        refuse(400)
    if words.count(b"CHUNKED") != 1 or words.index(b"CHUNKED") != len(words) - 1:
        refuse(400)
    if len(words) > 1:
        refuse(501)
    return "chunked", None


def number(value, limit):
    if not value or not all(48 <= byte <= 57 for byte in value):
        refuse(400)
    total = 0
    for byte in value:
        total = total * 10 + byte - 48
        if total > limit:
            refuse(413)
    return total


def refuse(status):
    raise Refused(status)
