"""One process: an event loop, a connection for each client, a task for each request.

Strategy
- asyncio (or uvloop) watches the sockets and calls the ``Connection`` when bytes arrive. A whole
  request head becomes a task; its body stays in the buffer until the application asks for it.
- Buffers are bounded. When the application is slow we stop reading; when the client is slow the
  application waits in ``send``. That is backpressure: nobody piles up what the other cannot take.
- Connections are accepted one at a time, so that workers share them. Deadlines are judged in one
  sweep for all connections: a timer for each would cost more than a request.
- The end has an order: no new clients, no new requests, the running ones finish, and only then
  does the application hear of its shutdown.
"""

import asyncio
import errno
import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from minimal_servers import http11
from minimal_servers.asgi import (
    NEVER,
    Address,
    Application,
    Exchange,
    Lifespan,
    Running,
    Scope,
    build_scope,
    respond,
)
from minimal_servers.connection import HEAD_SECONDS, SEND_SECONDS
from minimal_servers.http11 import BadRequest, Request, take_head
from minimal_servers.session import Session, websocket_scope
from minimal_servers.threads import IDLE_SECONDS, LINGER_SECONDS, RESET_ON_CLOSE, TICK_SECONDS
from minimal_servers.websocket import wants_websocket

MAX_BUFFER = 64 * 1024  # bytes received and not used; then the socket is not read any more
MAX_UNREAD = 64 * 1024  # bytes of a body that nobody wanted, read to keep the connection
log = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """One client: what it sent, what it still has to get, and until when."""

    transport: asyncio.Transport
    exchange: Exchange | Session | None = None  # what goes on at the moment
    unread: Exchange | None = None  # answered, but its body is still arriving
    ended = False  # the client has sent its last byte
    gone = False  # nothing can be sent any more
    halfway = False  # the next head has begun
    closing = False  # everything is said; what still arrives is thrown away
    paused = False  # the socket is not read
    unsent = 0  # bytes, when the deadline was judged last

    def __init__(self, server: "Server", client: Address) -> None:
        self.server = server
        self.client = client  # subtle: a socket that was reset no longer knows its peer
        self.buffer = bytearray()
        self.news = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()

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
        return isinstance(self.exchange, Exchange)

    def connection_lost(self, _error: Exception | None) -> None:
        """The socket is closed, by whomever."""
        self.gone = True
        self.server.connections.discard(self)
        self.news.set()
        self.writable.set()

    def pause_writing(self) -> None:
        """More than 64 KiB are unsent (asyncio's limit)."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.writable.set()

    def expect(self, seconds: float) -> None:
        """The client is late when it has not been heard for so long."""
        self.deadline = time.monotonic() + seconds

    def transmit(self, data: bytes, wait: bool) -> None:
        """Send after all that is unsent.

        subtle: ``connection_lost`` comes in a later round of the loop, which an application that
        sends without a pause would never let begin.
        """
        self.transport.write(data)
        if self.transport.is_closing():
            self.gone = True

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
        self.transmit(http11.error_response(error), False)
        self.finish()
        self.gone = True

    def finish(self) -> None:
        """Close after the last response, the sending side first (see ``threads.Server.finish``)."""
        if self.closing or self.gone:
            return
        self.closing, self.exchange = True, None
        self.buffer.clear()
        self.used()
        self.expect(LINGER_SECONDS)
        if self.ended:
            self.transport.close()
        else:
            self.transport.write_eof()

    def cut(self) -> None:
        """End a broken response so that nobody takes it for a whole one: RST, not FIN."""
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
            self.transport.close()
        elif not self.closing:
            self.deadline = min(self.deadline, time.monotonic() + LINGER_SECONDS)


class Server:
    """The door, the connections behind it, and the tasks that serve them."""

    loop: asyncio.AbstractEventLoop
    lifespan: Lifespan

    def __init__(self, listener: socket.socket, app: Application, grace: float = 30.0) -> None:
        self.listener = listener
        self.app = app
        self.grace = grace  # seconds
        self.address: Address = listener.getsockname()[:2]
        self.connections: set[Connection] = set()
        self.tasks: Running = {}
        self.ending = asyncio.Event()
        self.stopping = False
        listener.setblocking(False)

    async def run(self, ready: Callable[[], None], lifeline: int | None = None) -> None:
        """Serve until ``stop`` is called or ``lifeline`` is closed, and everybody is served.

        Raises LifespanFailed when the application cannot start.
        """
        self.loop = asyncio.get_running_loop()
        self.lifespan = Lifespan(self.app)
        await self.lifespan.startup()
        if lifeline is not None:
            self.loop.add_reader(lifeline, self.stop)
        self.open_door()
        self.sweep()
        ready()
        await self.ending.wait()
        self.shut_door(lifeline)
        await self.drain()
        await self.lifespan.shutdown()

    def stop(self) -> None:
        """Accept nothing more, finish what runs, then end. For ``loop.add_signal_handler``."""
        self.ending.set()

    def start(self, conversation: Exchange | Session, scope: Scope) -> None:
        """Let a task serve one request. subtle: the loop alone would not keep the task alive."""
        work = respond(self.app, scope, conversation, self.tasks)
        self.tasks[conversation] = self.loop.create_task(work, name="request")

    def open_door(self) -> None:
        """Let clients in from now on."""
        if not self.stopping:
            self.loop.add_reader(self.listener, self.accept)

    def accept(self) -> None:
        """Let one connection in."""
        try:
            sock, peer = self.listener.accept()
        except BlockingIOError:
            return  # another process was faster
        except OSError as error:
            if error.errno == errno.EINVAL:  # the parent shut the door for all processes
                self.stop()
            else:
                log.error("cannot accept: %s", error)
                self.loop.call_later(TICK_SECONDS, self.open_door)
            self.loop.remove_reader(self.listener)
            return
        sock.setblocking(False)
        self.tasks[sock] = self.loop.create_task(self.welcome(sock, peer[:2]))

    async def welcome(self, sock: socket.socket, client: Address) -> None:
        """Make a connection of an accepted socket."""
        with suppress(OSError):  # gone already
            await self.loop.connect_accepted_socket(lambda: Connection(self, client), sock)
        del self.tasks[sock]

    def sweep(self) -> None:
        """Judge all deadlines. Data that has arrived is heard before: timers come after sockets."""
        now = time.monotonic()
        for connection in list(self.connections):
            connection.judge(now)
        self.loop.call_later(0.02 if self.stopping else TICK_SECONDS, self.sweep)

    def shut_door(self, lifeline: int | None) -> None:
        """Accept nobody, and tell everybody."""
        self.stopping = True
        if lifeline is not None:
            self.loop.remove_reader(lifeline)
        self.loop.remove_reader(self.listener)
        self.listener.close()
        for connection in list(self.connections):
            connection.last_call()

    async def drain(self) -> None:
        """Wait for what runs, then cancel it: the application's shutdown needs time as well."""
        end = time.monotonic() + max(self.grace - LINGER_SECONDS, self.grace / 2)
        while (self.connections or self.tasks) and time.monotonic() < end:
            await asyncio.sleep(0.02)
        for task in self.tasks.values():
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks.values(), timeout=1.0)
        for connection in list(self.connections):
            connection.transport.abort()
