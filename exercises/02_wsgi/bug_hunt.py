"""Bug hunt: a WSGI server that works, as long as you ask it nicely.

It serves `curl` and every hello-world app. It also breaks a good dozen promises of PEP 3333, some
only when something goes wrong. Find them and repair them; the grader names one at a time.

What this server promises. One request for each connection, one after the other. Clients send
well-formed requests; they may leave at any time.

environ (PEP 3333, environ Variables)
- Text is native strings: latin-1, one character for each byte. The path is percent-decoded.
- The white space around a field's value, spaces and tabs, is not part of it. Nothing else is.
- A field with "_" in its name is left out: it would pose as another one.
- wsgi.input is exactly the body: all of it, and an end, for read(), read(n), readline(), iteration
  (PEP 3333, Input and Error Streams).

start_response (PEP 3333, The start_response() Callable)
- It may be called as late as with the first block. It returns write(block), which sends at once.
- Without exc_info a second call is an AssertionError. With exc_info it replaces status and headers,
  or raises exc_info[1] if the head was sent.

The response (PEP 3333, Buffering and Streaming)
- Each block is sent before the next one is asked for. The head goes with the first block that is
  not empty, or at the end. The app's headers keep their order, and none of them is lost.
- You add Connection: close. You add Content-Length if the app gave none and returned a list or a
  tuple, and wrote nothing before. In all other cases you add nothing: no chunks, the end of the
  connection is the end of the body.
- HEAD, 204 and 304 get the head only. To 204 and 304 you add no Content-Length (RFC 9110 §8.6).

Trouble
- Whatever the app raises, SystemExit as well: a 500 if no head was sent; otherwise the connection
  just ends. To yield what is not bytes, or never to call start_response, is trouble as well.
- close() of the app's iterable is called once, always: after success, after trouble, and when the
  client is gone. Nothing that it raises matters.
- The app is not called for a request that is not complete, since the client left.
- The server goes on, whatever an app or a client did.
"""

import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO
from urllib.parse import unquote

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def serve(listener: socket.socket, app: App) -> None:
    """Serve one connection after the other, for ever."""
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as received:
            environ = read_request(received)
            environ["SERVER_NAME"], port = listener.getsockname()[:2]
            environ["SERVER_PORT"] = str(port)
            respond(app, environ, connection)


def read_request(received: BinaryIO) -> dict[str, Any]:
    """Read a request from the connection; return its environ."""
    method, target, protocol = received.readline().decode().split()
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": protocol,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": received,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    while line := received.readline().decode().strip():
        name, _, value = line.partition(":")
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        environ[key] = value.strip()
    return environ


def respond(app: App, environ: dict[str, Any], connection: socket.socket) -> None:
    """Call the app and send its response."""
    announced: list[Any] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if announced:
            raise AssertionError("start_response() was called twice")
        announced.extend((status, headers))
        return written.append

    result = app(environ, start_response)
    body = b"".join([*written, *result])
    status, headers = announced
    fields = {"Content-Length": str(len(body)), "Connection": "close", **dict(headers)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    connection.sendall(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)
    if hasattr(result, "close"):
        result.close()
