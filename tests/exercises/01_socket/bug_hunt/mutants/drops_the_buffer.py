# Begins every request with an empty buffer.
# Message: GET /next HTTP/1.1
# Message: then nothing for 3 s
# Message: stood at
# Message: What does your server wait for

import re
import socket

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # RFC 9110 §5.6.2
REQUEST_LINE = re.compile(rf"({TOKEN}) ([!-~]+) (HTTP/1\.[01])")  # RFC 9112 §3
FIELD = re.compile(rf"({TOKEN}):([\t\x20-\x7e\x80-\xff]*)")  # RFC 9112 §5
DIGITS = re.compile(r"[0-9]{1,18}")

Fields = dict[str, list[str]]  # names in lower case; a name may occur more than once


class Refused(Exception):
    """The request cannot be served. The text is the status."""


class ClientGone(Exception):
    """The client ended the connection."""


def serve(listener: socket.socket) -> None:
    """Serve one connection after the other, for ever."""
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                serve_connection(connection)
            except (ClientGone, OSError):  # OSError: it reset the connection
                continue


def serve_connection(connection: socket.socket) -> None:
    """Answer requests until one of the two sides has had enough. Raises ClientGone, OSError."""
    buffer = bytearray()  # received, not yet used
    keep_alive = True
    while keep_alive:
        buffer.clear()
        try:
            method, target, version, fields = parse_head(read_head(connection, buffer))
            body = read_body(connection, buffer, body_length(fields))
        except Refused as refused:  # nobody knows where the next request would begin
            connection.sendall(response(str(refused), f"{refused}\n", keep_alive=False))
            return
        keep_alive = wants_keep_alive(version, fields)
        text = f"{method} {target} {len(body)}\n"
        answer = response("200 OK", text, keep_alive, bodyless=method == "HEAD")
        connection.sendall(answer)


def read_head(connection: socket.socket, buffer: bytearray) -> bytes:
    """Take a request line and fields off the buffer. Raises ClientGone, Refused."""
    while b"\r\n\r\n" not in buffer:
        if re.search(rb"(?<!\r)\n", buffer):  # it would wait for ever
            raise Refused("400 Bad Request")
        receive(connection, buffer)
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    buffer[:] = rest
    return head


def read_body(connection: socket.socket, buffer: bytearray, length: int) -> bytes:
    """Take the body off the buffer. Raises ClientGone."""
    while len(buffer) < length:
        receive(connection, buffer)
    body = bytes(buffer[:length])
    del buffer[:length]
    return body


def receive(connection: socket.socket, buffer: bytearray) -> None:
    """Wait for more bytes. Raises ClientGone at end-of-file."""
    data = connection.recv(65_536)
    if not data:
        raise ClientGone
    buffer += data


def parse_head(head: bytes) -> tuple[str, str, str, Fields]:
    """Return method, target, version and fields. Raises Refused."""
    first, *lines = head.decode("latin-1").split("\r\n")
    request = REQUEST_LINE.fullmatch(first)
    matches = [FIELD.fullmatch(line) for line in lines]
    if request is None:
        raise Refused("400 Bad Request")
    fields: Fields = {}
    for match in matches:
        if match is None:
            raise Refused("400 Bad Request")
        fields.setdefault(match[1].lower(), []).append(match[2].strip(" \t"))
    return request[1], request[2], request[3], fields


def body_length(fields: Fields) -> int:
    """Return how many bytes of body follow. Raises Refused."""
    if "transfer-encoding" in fields:
        raise Refused("501 Not Implemented")
    lengths = fields.get("content-length", ["0"])
    if len(lengths) > 1 or DIGITS.fullmatch(lengths[0]) is None:
        raise Refused("400 Bad Request")
    return int(lengths[0])


def wants_keep_alive(version: str, fields: Fields) -> bool:
    """Tell whether the connection stays open (RFC 9112 §9.3)."""
    options = ",".join(fields.get("connection", [])).lower().split(",")
    return version == "HTTP/1.1" and "close" not in [option.strip(" \t") for option in options]


def response(status: str, text: str, keep_alive: bool, bodyless: bool = False) -> bytes:
    """Return a whole response."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
    if not keep_alive:
        head += "Connection: close\r\n"
    return (head + "\r\n" + ("" if bodyless else text)).encode("latin-1")
