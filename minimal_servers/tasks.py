"""One process: an event loop, a connection for each client, a task for each request.

Strategy
- asyncio (or uvloop) watches the sockets; each client has a ``Connection`` (``protocol``), each
  request a task.
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

from minimal_servers.asgi import (
    Address,
    Application,
    Exchange,
    Lifespan,
    Running,
    Scope,
    respond,
)
from minimal_servers.protocol import Connection
from minimal_servers.session import Session
from minimal_servers.threads import LINGER_SECONDS, TICK_SECONDS

log = logging.getLogger(__name__)


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
        self.posted: list[Connection] = []  # have answers that leave at the end of this round
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

    def post(self, connection: Connection) -> None:
        """The answers of this round leave together, after its last step."""
        if not self.posted:
            self.loop.call_soon(self.deliver)
        self.posted.append(connection)

    def deliver(self) -> None:
        """The end of a round."""
        for connection in self.posted:
            connection.flush()
        self.posted.clear()

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
