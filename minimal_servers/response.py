"""One response as bytes: its head, and how the client finds the end of its body. No socket here.

Both interfaces share this. The application says status, fields and blocks in its own way; here
they become HTTP/1.1 that is whole, or visibly broken. The head leaves with the first block, and
from then on the answer can be cut short but not taken back.
"""

import logging
import time
from collections.abc import Callable, Iterable

from minimal_servers import http11
from minimal_servers.http11 import (
    Request,
    date_line,
    field_line,
    forbids_body,
    is_length,
    response_head,
    status_code,
)

Transmit = Callable[[bytes, bool], None]  # send; True: before the next block is made
HOP_BY_HOP = {  # up to the server, since they are about one connection (RFC 9110 §7.6.1)
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
    b"te", b"trailer", b"trailers", b"transfer-encoding", b"upgrade",
}  # fmt: skip
OURS = HOP_BY_HOP | {b"content-length", b"date"}  # fields that are not simply passed on
log = logging.getLogger(__name__)


class ClientGone(OSError):
    """The connection broke while the response was on its way."""


class Response:
    """One response under construction: what the application said, and what was sent of it.

    subtle: nothing has a default on the class. Python 3.11 and later are quick with what only the
    instance has (PEP 659), and this is where the time of a request goes.
    """

    def __init__(self, request: Request, transmit: Transmit) -> None:
        self.request = request
        self.transmit = transmit
        self.keep_alive = request.keep_alive
        self.status = b""  # b"200 OK" once the application has said it
        self.code = 0  # 200
        self.lines: list[bytes] = []  # header fields, ready for the wire
        self.length: int | None = None  # Content-Length; None while unknown
        self.started = False  # the head is on its way: too late to change anything
        self.bodyless = False
        self.chunked = False
        self.enough = False  # nothing that the application still says can reach the client
        self.dated = False  # the application gives its own Date
        self.sent = 0  # bytes of body
        self.wait = True  # each block must be sent before the next one is asked for

    def set_head(self, status: bytes, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Check status and fields, and keep them in wire form. Raises ValueError."""
        self.code, self.length, self.dated = status_code(status), None, False
        lines: list[bytes] = []
        for name, value in fields:
            lower = name.lower()
            if lower not in OURS or self.keeps(lower, value):
                lines.append(field_line(name, value))
        if not self.dated:
            lines.append(date_line(int(time.time())))
        self.status, self.lines = status, lines

    def keeps(self, name: bytes, value: bytes) -> bool:
        """Note what a field means for the framing; whether it is sent as it is."""
        if name == b"content-length":
            if self.length is not None or not is_length(value):
                raise ValueError(f"malformed or repeated Content-Length {value!r}")
            self.length = int(value)
            return self.code != 204  # RFC 9110 §8.6
        if name == b"date":
            self.dated = True
            return True
        return self.keeps_hop(name, value)

    def keeps_hop(self, name: bytes, value: bytes) -> bool:
        """The same for a hop-by-hop field; the interfaces differ in how strict they are."""
        if name == b"connection" and b"close" in value.lower():
            self.keep_alive = False
        return False

    def begin(self) -> bytes:
        """Decide how the client finds the end of the body (RFC 9112 §6.3); the head as bytes."""
        self.started = True
        self.bodyless = forbids_body(self.request.method, self.code)
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
        return response_head(self.status, lines)

    def write(self, block: bytes) -> None:
        """Send one block, the head before the first."""
        if self.enough:
            return
        head = b"" if self.started else self.begin()
        if self.bodyless:
            block, self.enough = b"", True
        elif self.length is not None and self.sent + len(block) > self.length:
            block, self.enough = block[: self.length - self.sent], True
            log.error("the body is longer than its Content-Length of %d: cut", self.length)
        self.sent += len(block)
        if self.chunked and block:
            block = http11.chunk(block)
        if data := head + block:
            self.transmit(data, self.wait)

    def whole(self, size: int) -> None:
        """All ``size`` bytes of the body are known before the head leaves."""
        if self.started or not self.status or self.length is not None or self.code == 204:
            return
        if size or not forbids_body(self.request.method, self.code):
            self.length = size
            self.lines.append(b"Content-Length: %d\r\n" % size)

    def finish(self) -> None:
        """End the body so that the client can tell a whole one from a broken one."""
        if not self.started:
            self.transmit(self.begin(), False)
        if self.chunked:
            self.transmit(http11.LAST_CHUNK, False)
            self.enough = True
        elif self.length is not None and self.sent < self.length and not self.bodyless:
            log.error("the body ended after %d of %d bytes: closing", self.sent, self.length)
            self.keep_alive = False

    def fail(self) -> None:
        """The application failed. Before the head that is a 500, after it only a broken body.

        Raises ClientGone when the connection cannot carry anything more.
        """
        self.keep_alive = False
        if self.started:
            raise ClientGone("the application failed in the middle of its response")
        body = b"Internal Server Error\n"
        self.set_head(b"500 Internal Server Error", [(b"Content-Type", b"text/plain")])
        self.whole(len(body))
        self.write(body)
