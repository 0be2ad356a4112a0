# Throws away what came after the head.
# Message: returned ('GET', '/menu', {'host': 'a', 'accept': '*/*'}, b'')
# Message: the body, or the next request

"""Whiteboard: the head of a request, from a stream that may split anywhere."""

from collections.abc import Callable

END = b"\r\n\r\n"


def read_head(
    recv: Callable[[int], bytes], limit: int = 65_536
) -> tuple[str, str, dict[str, str], bytes] | None:
    """Return method, target, headers, and the bytes that came after the head."""
    data = b""
    while END not in data:
        if len(data) >= limit:
            raise ValueError("the head is too large")
        piece = recv(4096)
        if not piece and not data:
            return None
        if not piece:
            raise ValueError("the client ended in the middle of the head")
        data += piece
    head, _, _rest = data.partition(END)
    if len(head + END) > limit:
        raise ValueError("the head is too large")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    if not method or not target or version not in ("HTTP/1.0", "HTTP/1.1"):
        raise ValueError("no request line")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise ValueError("no header")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if any(mark in text for mark in "\r\n" for text in [first, *lines]):
        raise ValueError("half a line end")
    return method, target, headers, b""
