"""Bug hunt: a server that works for curl, and for hardly anybody else.

Serve it and try: `curl http://127.0.0.1:PORT/menu` and `curl -d hello http://127.0.0.1:PORT/order`
both get the right answer. Still, more than ten bugs are in here. Find them and repair them. The
checks go from easy to subtle, so let them lead you. This is what the server should do:

- It answers each request with 200 and a line of text: method, target, and the number of bytes in
  the body, such as `POST /order 5`.
- The answer to HEAD has the same fields as the one to GET, and no body (RFC 9110 §9.3.2).
- A request may arrive in any pieces, and several may arrive at once. They are answered in order, on
  one connection (RFC 9112 §9.3.2). All bytes of a body belong to its request.
- Field names ignore case, and the space after the colon is optional (RFC 9112 §5).
- HTTP/1.1 stays open unless the request says `close`; HTTP/1.0 is closed (say nothing of
  keep-alive). Connection is a comma-separated list and ignores case (RFC 9110 §7.6.1).
- A request is refused with 400 (RFC 9112 §2.2, §3, §5.1, §6.3) if
  - the first line is not METHOD SP TARGET SP HTTP/1.0 or HTTP/1.1, with single spaces;
  - a field has no colon, no name, or white space in front of the colon or of the name;
  - a CR or LF stands alone, or another control character than the tab occurs in the head. With a
    LF alone you do not wait for the end of the head: it may never come;
  - Content-Length is not one or more ASCII digits, or occurs twice.
- Transfer-Encoding is refused with 501, whatever else is there: this server cannot decode it.
- After a refusal the connection is closed. Whoever closes says `Connection: close` before.
- A client that breaks off, wherever it is, harms nobody: the next one is served.

Host is not checked here, bodies are small, and one connection at a time is enough.
"""

import socket


def serve(listener: socket.socket) -> None:
    """Serve one connection after the other, for ever."""
    while True:
        connection, _ = listener.accept()
        with connection:
            serve_connection(connection)


def serve_connection(connection: socket.socket) -> None:
    """Answer requests until one of the two sides has had enough."""
    buffer = bytearray()  # received, not yet used
    keep_alive = True
    while keep_alive:
        try:
            head = read_head(connection, buffer)
            if not head:
                return
            method, target, version, fields = parse_head(head)
            body = read_body(connection, buffer, body_length(fields))
        except ValueError as error:
            connection.sendall(response("400 Bad Request", f"{error}\n"))
            continue
        keep_alive = wants_keep_alive(version, fields)
        connection.sendall(response("200 OK", f"{method} {target} {len(body)}\n"))


def read_head(connection: socket.socket, buffer: bytearray) -> bytes:
    """Take a request line and fields off the buffer; b"" when the client has gone."""
    buffer += connection.recv(65_536)
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    buffer[:] = rest
    return head


def read_body(connection: socket.socket, buffer: bytearray, length: int) -> bytes:
    """Take the body off the buffer."""
    body = bytes(buffer[:length])
    del buffer[:length]
    return body


def parse_head(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    """Return method, target, version and fields."""
    first, *lines = head.decode("latin-1").splitlines()
    method, target, version = first.split()
    fields = {}
    for line in lines:
        name, value = line.split(": ")
        fields[name] = value
    return method, target, version, fields


def body_length(fields: dict[str, str]) -> int:
    """Return how many bytes of body follow."""
    return int(fields.get("Content-Length", "0"))


def wants_keep_alive(version: str, fields: dict[str, str]) -> bool:
    """Tell whether the connection stays open."""
    return fields.get("Connection") != "close"


def response(status: str, text: str) -> bytes:
    """Return a whole response."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n"
    return (head + text).encode("latin-1")
