"""One client on an event loop: what it sent, what it still has to get, and until when.

Strategy
- asyncio (or uvloop) calls the ``Connection`` when bytes arrive. A whole request head becomes a
  task; its body stays in the buffer until the application asks for it.
- Buffers are bounded. When the application is slow we stop reading; when the client is slow the
  application waits in ``send``. That is backpressure: nobody piles up what the other cannot take.
- Complete answers leave together at the end of the loop's round. Each ``send()`` of the kernel may
  wake a client that sleeps, which costs more than the sending; clients that are awake cost nothing.
"""

import asyncio
import logging
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from minimal_servers import http11
from minimal_servers.asgi import NEVER, Address, Exchange, build_scope
from minimal_servers.connection import HEAD_SECONDS, SEND_SECONDS
from minimal_servers.http11 import BadRequest, Request, take_head
from minimal_servers.session import Session, websocket_scope
from minimal_servers.threads import IDLE_SECONDS, LINGER_SECONDS, RESET_ON_CLOSE
from minimal_servers.websocket import wants_websocket

if TYPE_CHECKING:
    from minimal_servers.tasks import Server

MAX_BUFFER = 64 * 1024  # bytes received and not used; then the socket is not read any more
MAX_UNREAD = 64 * 1024  # bytes of a body that nobody wanted, read to keep the connection
log = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """One client: what it sent, what it still has to get, and until when."""

    transport: asyncio.Transport
    deadline: float

    def __init__(self, server: "Server", client: Address) -> None:
        self.server = server
        self.client = client  # subtle: a socket that was reset no longer knows its peer
        self.buffer = bytearray()
        self.news = asyncio.Event()
        self.slow = False  # the client reads too slowly
        self.writable = asyncio.Event()  # it has caught up
        self.exchange: Exchange | Session | None = None  # what goes on at the moment
        self.unread: Exchange | None = None  # answered, but its body is still arriving
        self.ended = False  # the client has sent its last byte
        self.gone = False  # nothing can be sent any more
        self.halfway = False  # the next head has begun
        self.closing = False  # everything is said; what still arrives is thrown away
        self.paused = False  # the socket is not read
        self.unsent = 0  # bytes, when the deadline was judged last
        self.answers = b""  # complete, and sent at the end of this round of the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self.transport = cast(asyncio.Transport, transport)
        self.expect(HEAD_SECONDS)
        self.server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes have arrived."""
        if self.closing:
            return
        self.buffer += data
        if self.exchange is None:
            return self.advance()
        if len(self.buffer) > MAX_BUFFER and not self.paused:
            self.paused = True
            self.transport.pause_reading()
        self.exchange.arrived()

    def eof_received(self) -> bool:
        """The client says nothing more. It may still want its answer: then the socket stays."""
        self.ended = True
        self.news.set()
        self.flush()  # before the transport is closed
        return isinstance(self.exchange, Exchange)

    def connection_lost(self, _error: Exception | None) -> None:
        """The socket is closed, by whomever."""
        self.gone = True
        self.server.connections.discard(self)
        self.news.set()
        self.writable.set()

    def pause_writing(self) -> None:
        """More than 64 KiB are unsent (asyncio's limit)."""
        self.slow = True
        self.writable.clear()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.slow = False
        self.writable.set()

    def expect(self, seconds: float) -> None:
        """The client is late when it has not been heard for so long."""
        self.deadline = time.monotonic() + seconds

    def transmit(self, data: bytes, wait: bool) -> None:
        """Send: now if ``wait``, since more will follow; else with the answers of this round.

        subtle: ``connection_lost`` comes in a later round of the loop, which an application that
        sends without a pause would never let begin.
        """
        if wait:
            self.flush()
            self.transport.write(data)
            self.gone = self.gone or self.transport.is_closing()
        elif self.answers:
            self.answers += data
        else:
            self.answers = data
            self.server.post(self)

    def flush(self) -> None:
        """Hand over what is complete."""
        if self.answers and not self.gone:
            self.transport.write(self.answers)
        self.answers = b""

    def used(self) -> None:
        """Room in the buffer again."""
        if self.paused and len(self.buffer) <= MAX_BUFFER:
            self.paused = False
            self.transport.resume_reading()

    def advance(self) -> None:
        """Begin the next exchange as soon as its head is there (RFC 9112 §9.3.2)."""
        try:
            if self.unread is not None and not self.skip(self.unread):
                return
            request = take_head(self.buffer)
            if request is not None:
                self.begin(request)
            elif self.ended:
                self.finish()
            elif self.buffer and not self.halfway:  # the first bytes of a head
                self.halfway = True
                self.expect(HEAD_SECONDS)
        except BadRequest as error:
            self.refuse(error)

    def skip(self, answered: Exchange) -> bool:
        """Throw away the rest of a body, so that it cannot be taken for a request."""
        answered.skipped += len(answered.take_body())
        self.used()
        if answered.body_done:
            self.unread = None
            self.expect(IDLE_SECONDS)
        elif answered.skipped > MAX_UNREAD or self.ended:
            self.finish()
        return answered.body_done

    def begin(self, request: Request) -> None:
        """Start the task that answers one request. Raises BadRequest for a bad handshake."""
        server = self.server
        self.deadline, self.halfway = NEVER, False
        scope = build_scope(request, self.client, server.address, server.lifespan.state)
        if request.upgrade is not None and wants_websocket(request):
            self.exchange = Session(self, request)
            scope = websocket_scope(scope, self.exchange)
        else:
            self.exchange = Exchange(self, request)
        if server.stopping:
            self.exchange.last_call()
        server.start(self.exchange, scope)

    def over(self, exchange: Exchange) -> None:
        """A response is complete: the next request, or the end."""
        self.exchange = None
        if not exchange.keep_alive or self.server.stopping:
            return self.finish()
        self.unread = None if exchange.body_done or exchange.request.length == 0 else exchange
        self.deadline = time.monotonic() + (HEAD_SECONDS if self.unread else IDLE_SECONDS)
        if self.buffer or self.unread or self.ended:
            self.used()
            self.advance()

    def refuse(self, error: BadRequest) -> None:
        """Answer a broken request, which the application never sees, and close."""
        log.warning("%s:%d is refused: %s: %s", *self.client, error.status, error)
        self.transmit(http11.error_response(error), False)
        self.finish()
        self.gone = True

    def finish(self) -> None:
        """Close after the last response, the sending side first (see ``threads.Server.finish``)."""
        if self.closing or self.gone:
            return
        self.closing, self.exchange = True, None
        self.flush()
        self.buffer.clear()
        self.used()
        self.expect(LINGER_SECONDS)
        if self.ended:
            self.transport.close()
        else:
            with suppress(OSError):  # reset by the client already
                self.transport.write_eof()

    def cut(self) -> None:
        """End a broken response so that nobody takes it for a whole one: RST, not FIN."""
        self.flush()
        sock = self.transport.get_extra_info("socket")
        with suppress(OSError):  # reset by the client already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.closing, self.gone = True, True
        self.transport.abort()

    def judge(self, now: float) -> None:
        """Who reads too slowly, or keeps us waiting?"""
        unsent = self.transport.get_write_buffer_size()
        if unsent != self.unsent:
            self.unsent, self.patience = unsent, now + SEND_SECONDS
        elif unsent and now >= self.patience:
            self.cut()
        elif not unsent and now >= self.deadline:
            self.late()

    def late(self) -> None:
        """The client kept us waiting: in a head, in a body, between requests, when leaving."""
        if self.exchange is not None:
            self.exchange.late()
        elif self.buffer and not (self.closing or self.unread):
            self.refuse(BadRequest("408 Request Timeout", "the request is too slow"))
        else:
            self.transport.abort()

    def last_call(self) -> None:
        """The server is about to end. Half a request gets a moment to be completed."""
        if self.exchange is not None:
            self.exchange.last_call()
        elif not self.buffer:
            self.flush()
            self.transport.close()
        elif not self.closing:
            self.deadline = min(self.deadline, time.monotonic() + LINGER_SECONDS)
