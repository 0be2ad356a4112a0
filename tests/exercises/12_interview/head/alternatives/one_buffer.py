"""A buffer that looks only where the end can be, and a regular expression for each line."""

import re

REQUEST = re.compile(r"([^ \r\n]+) ([^ \r\n]+) HTTP/1\.[01]")
HEADER = re.compile(r"([^\s:](?:[^:\r\n]*[^\s:])?):[ \t]*([^\r\n]*?)[ \t]*")


def read_head(recv, limit=65_536):
    buffer = bytearray()
    end = -1
    while end < 0:
        if len(buffer) >= limit:
            raise ValueError("too large")
        seen = max(0, len(buffer) - 3)
        piece = recv(1000)
        if not piece:
            if buffer:
                raise ValueError("half a head")
            return None
        buffer += piece
        end = buffer.find(b"\r\n\r\n", seen)
    if end + 4 > limit:
        raise ValueError("too large")
    lines = str(buffer[:end], "latin-1").split("\r\n")
    request = REQUEST.fullmatch(lines.pop(0))
    if request is None:
        raise ValueError("no request line")
    headers = {}
    for line in lines:
        found = HEADER.fullmatch(line)
        if found is None:
            raise ValueError("no header")
        headers.setdefault(found[1].lower(), []).append(found[2])
    joined = {name: ", ".join(values) for name, values in headers.items()}
    return request[1], request[2], joined, bytes(buffer[end + 4 :])
