# Hands the connection to the app as wsgi.input, so read() waits for the client to leave.
# Message: called sent b'POST /many HTTP/1.1
# Message: came back no bytes, then nothing for
# Message: nudge What does your server wait for in the lines where it stood?

"""Bug hunt: a WSGI server that works, and keeps its promises."""

import socket
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

TROUBLE = (Exception, SystemExit)  # KeyboardInterrupt still stops the server


def serve(listener: socket.socket, app: App) -> None:
    """Serve one connection after the other, for ever."""
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as received:
            try:
                environ = read_request(received)
            except (OSError, EOFError):
                continue  # the client left
            environ["SERVER_NAME"], port = listener.getsockname()[:2]
            environ["SERVER_PORT"] = str(port)
            respond(app, environ, connection)


def read_request(received: BinaryIO) -> dict[str, Any]:
    """Read a request from the connection; return its environ.

    Raises EOFError when the client leaves before it is complete.
    """
    method, target, protocol = read_line(received).split(" ")
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": protocol,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    while line := read_line(received):
        name, _, value = line.partition(":")
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        if "_" not in name:
            environ[key] = value.strip(" \t")
    environ["wsgi.input"] = received
    return environ


def read_line(received: BinaryIO) -> str:
    """Return one line of the head, without its end; raises EOFError."""
    line = received.readline()
    if not line.endswith(b"\r\n"):
        raise EOFError
    return line[:-2].decode("latin-1")


def respond(app: App, environ: dict[str, Any], connection: socket.socket) -> None:
    """Call the app and send its response."""
    response = Response(environ["REQUEST_METHOD"], connection)
    result: Iterable[bytes] | None = None
    try:
        result = app(environ, response.start_response)
        if isinstance(result, (list, tuple)):
            response.length = sum(map(len, result))
        for block in result:
            response.write(block)
        response.send(b"")
    except TROUBLE:
        traceback.print_exc()
        response.fail()
    finally:
        with suppress(*TROUBLE):
            if hasattr(result, "close"):
                result.close()


class Response:
    """One response on its way."""

    def __init__(self, method: str, connection: socket.socket) -> None:
        self.method = method
        self.connection = connection
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.length: int | None = None  # known for a body that is there in full
        self.sent = False  # the head is on its way

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Remember, and send nothing."""
        if exc_info is None:
            if self.status:
                raise AssertionError("start_response() was called twice")
        elif self.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        self.status, self.headers = status, headers
        return self.write

    def write(self, block: bytes) -> None:
        """Send one block, if there is anything in it."""
        if not isinstance(block, bytes):
            raise TypeError(f"a body consists of bytes, not {type(block).__name__}")
        if block:
            self.send(block)

    def send(self, data: bytes) -> None:
        """Send the head, if it was not sent yet, and some body."""
        if not self.status:
            raise AssertionError("the app has not called start_response()")
        bodyless = self.status[:3] in ("204", "304")
        head = b"" if self.sent else self.head(bodyless)
        self.sent = True  # subtle: before sendall, which may raise
        self.connection.sendall(head if bodyless or self.method == "HEAD" else head + data)

    def head(self, bodyless: bool) -> bytes:
        """Return status line and fields."""
        fields = [*self.headers, ("Connection", "close")]
        given = any(name.lower() == "content-length" for name, _ in self.headers)
        if self.length is not None and not given and not bodyless:
            fields.append(("Content-Length", str(self.length)))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"HTTP/1.1 {self.status}\r\n{lines}\r\n".encode("latin-1")

    def fail(self) -> None:
        """Answer 500, if that is still possible."""
        if not self.sent:
            self.status, self.headers, self.length = "500 Internal Server Error", [], 0
            with suppress(OSError):
                self.send(b"")
