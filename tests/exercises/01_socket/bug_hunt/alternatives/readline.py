"""Reads through a file object, whose read and readline wait until everything is here."""

import re


class Refused(Exception):
    pass


def serve(listener):
    while True:
        connection, _ = listener.accept()
        try:
            with connection, connection.makefile("rb") as stream:
                while answer_one(stream, connection):
                    pass
        except (ConnectionError, EOFError):
            pass


def answer_one(stream, connection):
    try:
        method, target, version, fields = read_head(stream)
        length = read_length(fields)
    except Refused as refused:
        send(connection, refused.args[0], b"refused\n", b"refused\n", close=True)
        return False
    if len(stream.read(length)) < length:
        raise EOFError
    words = b",".join(value for name, value in fields if name == b"connection").lower()
    close = version == b"HTTP/1.0" or re.search(rb"(^|,)[ \t]*close[ \t]*(,|$)", words) is not None
    text = b"%b %b %d\n" % (method, target, length)
    send(connection, b"200 OK", text, b"" if method == b"HEAD" else text, close)
    return not close


def read_head(stream):
    words = read_line(stream).split(b" ")
    if len(words) != 3 or not all(words) or words[2] not in (b"HTTP/1.0", b"HTTP/1.1"):
        raise Refused(b"400 Bad Request")
    fields = []
    while line := read_line(stream):
        name, colon, value = line.partition(b":")
        if not colon or not re.fullmatch(rb"[!#$%&'*+.^_`|~\w-]+", name):
            raise Refused(b"400 Bad Request")
        fields.append((name.lower(), value.strip(b" \t")))
    return *words, fields


def read_line(stream):
    line = stream.readline(8192)
    if not line.endswith(b"\n"):
        raise EOFError
    if not line.endswith(b"\r\n") or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line[:-2]):
        raise Refused(b"400 Bad Request")
    if b"\t" in line.partition(b" HTTP/")[0] and b":" not in line:
        raise Refused(b"400 Bad Request")
    return line[:-2]


def read_length(fields):
    if any(name == b"transfer-encoding" for name, _ in fields):
        raise Refused(b"501 Not Implemented")
    lengths = [value for name, value in fields if name == b"content-length"] or [b"0"]
    if len(lengths) != 1 or not lengths[0].isdigit():
        raise Refused(b"400 Bad Request")
    return int(lengths[0])


def send(connection, status, text, body, close):
    head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n" % (status, len(text))
    connection.sendall(head + b"Connection: close\r\n" * close + b"\r\n" + body)
