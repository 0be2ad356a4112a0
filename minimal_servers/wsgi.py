"""WSGI: the contract between a web server and a synchronous application (PEP 3333).

Strategy
- ``build_environ`` turns one checked request into the dictionary that every framework reads.
- ``WSGIResponse`` is the other direction: ``start_response`` only remembers, the head leaves
  together with the first non-empty block.
- ``respond`` calls the application once and owns the rules for what may go wrong in between.

The request body arrives here complete, so no slow sender ever occupies a worker. What WSGI cannot
avoid stays: a body that is produced lazily occupies its worker until the last block is sent.
"""

import logging
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import TracebackType
from typing import IO, Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from minimal_servers.http11 import Request
from minimal_servers.response import ClientGone, Response

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Peer = tuple[str, int]  # address and port of the client
log = logging.getLogger(__name__)


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


def wire_field(name: str, value: str) -> tuple[bytes, bytes]:
    """A header field of the application, as bytes. Raises TypeError for a value that is no str."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: a header value is a str, not {value!r} (PEP 3333)")
    return name.encode("latin-1"), value.encode("latin-1")


class WSGIResponse(Response):
    """The application's side of a response: start_response() and write() (PEP 3333)."""

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
        if not isinstance(status, str) or not isinstance(headers, list):
            raise TypeError("start_response() takes a str and a list of (str, str) tuples")
        self.set_head(status.encode("latin-1"), [wire_field(*header) for header in headers])
        return self.block

    def keeps_hop(self, name: bytes, value: bytes) -> bool:
        """PEP 3333, Other HTTP Features: an application must not even try."""
        raise ValueError(f"{name.decode()} is up to the server (PEP 3333, Other HTTP Features)")

    def block(self, block: bytes) -> None:
        """One block of the body. Also the write() of PEP 3333."""
        if not isinstance(block, bytes):
            raise TypeError(f"a WSGI body consists of bytes, not {type(block).__name__} (PEP 3333)")
        if not self.status:
            raise AssertionError("the application sent a body before it called start_response()")
        if block:  # PEP 3333: the head waits for the first non-empty block
            self.write(block)

    def listed(self, blocks: list[bytes] | tuple[bytes, ...]) -> None:
        """The body is all there: its length is known, and no block waits for the client."""
        self.wait = False
        self.whole(sum(map(len, blocks)))

    def end(self) -> None:
        """The iterable is exhausted."""
        if not self.status:
            raise AssertionError("the application never called start_response()")
        self.finish()


def respond(app: Application, environ: Environ, response: WSGIResponse) -> None:
    """Call the application once and send what it yields (PEP 3333, The Server/Gateway Side).

    Raises ClientGone when the connection cannot carry anything more.
    """
    result: Iterable[bytes] | None = None
    try:
        result = app(environ, response.start_response)
        if isinstance(result, (list, tuple)):
            response.listed(result)
        for block in result:
            response.block(block)
            if response.enough:
                break
        response.end()
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
