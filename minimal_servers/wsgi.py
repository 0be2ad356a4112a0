"""WSGI: the contract between a web server and a synchronous application (PEP 3333).

Strategy
- ``build_environ`` turns one checked request into the dictionary that every framework reads.
- ``Response`` is the other direction: ``start_response`` only remembers, the head leaves together
  with the first non-empty block, and from then on the answer can be cut short but not taken back.
- ``respond`` calls the application once and owns the rules for what may go wrong in between.

The request body arrives here complete, so no slow sender ever occupies a worker. What WSGI cannot
avoid stays: a body that is produced lazily occupies its worker until the last block is sent.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import TracebackType
from typing import IO, Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper, is_hop_by_hop

from minimal_servers import http11
from minimal_servers.http11 import Request

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Transmit = Callable[[bytes, bool], None]  # send these bytes; True: wait until the kernel has them
Peer = tuple[str, int]  # address and port of the client
log = logging.getLogger(__name__)


class ClientGone(Exception):
    """The connection broke while the response was on its way."""


def base_environ(host: str, port: int, multithread: bool, multiprocess: bool) -> Environ:
    """The part of environ that all requests of one server share (PEP 3333, environ Variables)."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_SOFTWARE": "minimal-wsgi",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": FileWrapper,
    }


def build_environ(base: Environ, request: Request, body: IO[bytes], peer: Peer) -> Environ:
    """One request as native strings that hold latin-1 (PEP 3333, Unicode Issues)."""
    environ = base | {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query.decode("latin-1"),
        "SERVER_PROTOCOL": "HTTP/1.1" if request.minor else "HTTP/1.0",
        "REMOTE_ADDR": peer[0],
        "REMOTE_PORT": str(peer[1]),
        "wsgi.input": body,
    }
    for raw_name, raw_value in request.headers:
        name, value = cgi_name(raw_name), raw_value.decode("latin-1")
        if name in environ:  # RFC 9110 §5.3: repeated fields are one list; cookies join with "; "
            value = environ[name] + ("; " if name == "HTTP_COOKIE" else ",") + value
        if name:
            environ[name] = value
    if request.length is None:  # the chunks are decoded by now, so the length is known
        del environ["HTTP_TRANSFER_ENCODING"]
        environ["CONTENT_LENGTH"] = str(body.seek(0, 2))
        body.seek(0)
    return environ


@lru_cache(maxsize=256)
def cgi_name(name: bytes) -> str:
    """The environ key of a field (RFC 3875 §4.1.18); "" for names that could pose as another one.

    subtle: "content_length" would become CONTENT_LENGTH too, so names with "_" are dropped.
    """
    if b"_" in name:
        return ""
    key = name.decode("ascii").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


@lru_cache(maxsize=256)
def wire_name(name: str) -> bytes:
    """A header name of the application, as bytes. Raises ValueError for what is not its to send."""
    if is_hop_by_hop(name):
        raise ValueError(f"{name} is up to the server (PEP 3333, Other HTTP Features)")
    return name.encode("latin-1")


class Response:
    """One response under construction: what the application said, and what was sent of it."""

    status = b""  # b"200 OK" once start_response was called
    code = 0  # 200
    lines: list[bytes]  # header fields, ready for the wire
    length: int | None = None  # Content-Length; None while unknown
    started = False  # the head is on its way: too late to change anything
    bodyless = False
    chunked = False
    enough = False  # nothing that the application still yields can reach the client
    sent = 0  # bytes of body
    wait = True  # each block must be sent before the next one is asked for

    def __init__(self, request: Request, transmit: Transmit) -> None:
        self.request = request
        self.transmit = transmit
        self.keep_alive = request.keep_alive

    def start_response(
        self, status: str, headers: Headers, exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """PEP 3333, The start_response() Callable. Remembers; sends nothing.

        Raises AssertionError on a second call, the application's own exception if it comes with
        exc_info after the head was sent, TypeError and ValueError on what HTTP forbids.
        """
        if exc_info is not None:
            try:
                if self.started:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no reference cycle through this frame
        elif self.status:
            raise AssertionError("start_response() called twice without exc_info")
        self.set_head(status, headers)
        return self.write

    def set_head(self, status: str, headers: Headers) -> None:
        """Check status and fields, and keep them in wire form."""
        if not isinstance(status, str) or not isinstance(headers, list):
            raise TypeError("start_response() takes a str and a list of (str, str) tuples")
        raw = status.encode("latin-1")
        code = http11.status_code(raw)
        length, lines, dated = None, [], False
        for name, value in headers:
            if not isinstance(value, str):
                raise TypeError(f"{name}: a header value is a str, not {value!r} (PEP 3333)")
            lower = name.lower()
            if lower == "content-length":
                if length is not None or not http11.LENGTH.fullmatch(value.encode("latin-1")):
                    raise ValueError(f"malformed or repeated Content-Length {value!r}")
                length = int(value)
                if code == 204:  # RFC 9110 §8.6
                    continue
            dated = dated or lower == "date"
            lines.append(http11.field_line(wire_name(name), value.encode("latin-1")))
        if not dated:
            lines.append(http11.date_line(int(time.time())))
        self.status, self.code, self.length, self.lines = raw, code, length, lines

    def begin(self) -> bytes:
        """Decide how the client finds the end of the body (RFC 9112 §6.3); the head as bytes."""
        self.started = True
        self.bodyless = http11.forbids_body(self.request.method, self.code)
        lines = self.lines
        if not self.bodyless and self.length is None:
            if self.request.minor:
                self.chunked = True
                lines.append(b"Transfer-Encoding: chunked\r\n")
            else:  # HTTP/1.0: the body ends where the connection ends
                self.keep_alive = False
        if not self.keep_alive:
            lines.append(b"Connection: close\r\n")
        elif not self.request.minor:
            lines.append(b"Connection: keep-alive\r\n")
        return http11.response_head(self.status, lines)

    def write(self, block: bytes) -> None:
        """Send one block, the head before the first. Also the write() of PEP 3333."""
        if not isinstance(block, bytes):
            raise TypeError(f"a WSGI body consists of bytes, not {type(block).__name__} (PEP 3333)")
        if not self.status:
            raise AssertionError("the application sent a body before it called start_response()")
        if not block or self.enough:
            return  # PEP 3333: the head waits for the first non-empty block
        head = b"" if self.started else self.begin()
        if self.bodyless:
            block, self.enough = b"", True
        elif self.length is not None and self.sent + len(block) > self.length:
            block, self.enough = block[: self.length - self.sent], True
            log.error("the body is longer than its Content-Length of %d: cut", self.length)
        self.sent += len(block)
        if self.chunked:
            block = http11.chunk(block)
        if data := head + block:
            self.transmit(data, self.wait)

    def whole(self, blocks: list[bytes] | tuple[bytes, ...]) -> None:
        """The body is all there: its length is known, and no block waits for the client."""
        self.wait = False
        if self.started or not self.status or self.length is not None or self.code == 204:
            return
        size = sum(map(len, blocks))
        if size or not http11.forbids_body(self.request.method, self.code):
            self.length = size
            self.lines.append(b"Content-Length: %d\r\n" % size)

    def finish(self) -> None:
        """End the body so that the client can tell a whole one from a broken one."""
        if not self.status:
            raise AssertionError("the application never called start_response()")
        if not self.started:
            self.transmit(self.begin(), False)
        if self.chunked:
            self.transmit(http11.LAST_CHUNK, False)
            self.enough = True
        elif self.length is not None and self.sent < self.length and not self.bodyless:
            log.error("the body ended after %d of %d bytes: closing", self.sent, self.length)
            self.keep_alive = False

    def fail(self) -> None:
        """The application raised. Before the head that is a 500, after it only a broken body."""
        self.keep_alive = False
        if self.started:
            raise ClientGone("the application failed in the middle of its response")
        self.set_head("500 Internal Server Error", [("Content-Type", "text/plain")])
        self.whole([b"Internal Server Error\n"])
        self.write(b"Internal Server Error\n")


def respond(app: Application, environ: Environ, response: Response) -> None:
    """Call the application once and send what it yields (PEP 3333, The Server/Gateway Side).

    Raises ClientGone when the connection cannot carry anything more.
    """
    result: Iterable[bytes] | None = None
    try:
        result = app(environ, response.start_response)
        if isinstance(result, (list, tuple)):
            response.whole(result)
        for block in result:
            response.write(block)
            if response.enough:
                break
        response.finish()
    except ClientGone:
        raise
    except BaseException:  # SystemExit too: one request must not end the worker
        log.exception("the application failed")
        response.fail()
    finally:
        close(result)


def close(result: object) -> None:
    """PEP 3333: close() of the iterable runs once, whatever happened. Its errors are logged."""
    try:
        if hasattr(result, "close"):
            result.close()
    except BaseException:  # SystemExit too
        log.exception("close() failed")
