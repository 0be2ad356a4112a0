# Sends chunks to a client that speaks HTTP/1.0.
# Message: GET, HTTP/1.0; app: an iterator
# Message: came back returned True after it sent b'HTTP/1.1 200 OK
# Message: expected returned False

"""The heart of a WSGI server: call the app, send what it yields, clean up after it."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

ERROR = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


def respond(app: App, environ: dict[str, Any], send: Callable[[bytes], None]) -> bool:
    """Send the response of `app`; return True if another response may follow on the connection."""
    response = Response(environ, send)
    result: Iterable[bytes] | None = None
    try:
        result = app(environ, response.start_response)
        if isinstance(result, (list, tuple)):
            response.size = sum(map(len, result))
        for block in result:
            response.write(block)
        return response.finish()
    except BaseException:  # SystemExit too: one request must not end the server
        response.fail()
        return False
    finally:
        close(result)


class Response:
    """One response on its way."""

    headers: list[tuple[str, str]]  # there as soon as there is a status

    def __init__(self, environ: dict[str, Any], send: Callable[[bytes], None]) -> None:
        self.environ = environ
        self.send = send
        self.status = ""  # empty until start_response was called
        self.size: int | None = None  # of a body that is there in full
        self.left: int | None = None  # bytes of body to come; None while that is unknown
        self.chunked = False
        self.sent = False  # the head is on its way

    def start_response(self, status: str, headers: list[tuple[str, str]]) -> Callable[..., None]:
        """Remember, and send nothing."""
        self.status, self.headers = status, headers
        return self.write

    def write(self, block: bytes) -> None:
        """Send one block, the head before the first."""
        if not isinstance(block, bytes):
            raise TypeError(f"a body consists of bytes, not {type(block).__name__}")
        if not block:
            return
        head = self.take_head()
        if self.left is not None:
            block = block[: self.left]
            self.left -= len(block)
        if self.chunked:
            block = b"%x\r\n%b\r\n" % (len(block), block)
        self.send(head + block)

    def take_head(self) -> bytes:
        """Return the head, framing included; the second time nothing."""
        if self.sent:
            return b""
        if not self.status:
            raise AssertionError("the app has not called start_response()")
        self.sent = True  # subtle: before `send`, which may raise
        fields = [f"{name}: {value}\r\n" for name, value in self.headers]
        lines = [f"HTTP/1.1 {self.status}\r\n", *fields, self.frame(), "\r\n"]
        return "".join(lines).encode("latin-1")

    def frame(self) -> str:
        """Decide how the client finds the end of the body (RFC 9112 §6.3); return the field."""
        lengths = [value for name, value in self.headers if name.lower() == "content-length"]
        if self.environ["REQUEST_METHOD"] == "HEAD" or self.status[:3] in ("204", "304"):
            self.left = 0
        elif lengths:
            self.left = int(lengths[0])
        elif self.size is not None:
            self.left = self.size
            return f"Content-Length: {self.size}\r\n"
        else:
            self.chunked = True
            return "Transfer-Encoding: chunked\r\n"
        return ""

    def finish(self) -> bool:
        """End the body, and return whether its end can be seen."""
        rest = self.take_head() + (b"0\r\n\r\n" if self.chunked else b"")
        if rest:
            self.send(rest)
        return self.chunked or self.left == 0

    def fail(self) -> None:
        """Answer 500, if that is still possible."""
        if not self.sent:
            with suppress(OSError):
                self.send(ERROR)


def close(result: object) -> None:
    """Call close(), if there is one."""
    with suppress(Exception):
        if hasattr(result, "close"):
            result.close()
