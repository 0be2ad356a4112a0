"""One process: who waits and who is served. One selector, any number of threads.

Strategy (known as leader and followers)
- A connection is watched by the selector until a *whole* request has arrived. Only then does it
  take a thread, so slow and idle clients hold none.
- Whoever is free becomes the leader: it holds the ``door``, watches all sockets, takes the first
  whole request, leaves the door to the next free thread and serves that request itself. With one
  thread this is a plain loop; with many there is still no queue and no hand-over in between.
- The leader accepts one connection at a time, and there is a leader only while a thread is free.
  Everybody else waits in the kernel's accept queue, where an idle process can still pick them up.
- Deadlines are judged right after the selector was asked, so that a client that did send is heard
  first: time that *we* spent elsewhere is never held against it.
"""

import errno
import logging
import selectors
import socket
import struct
import threading
import time
from collections import deque
from contextlib import suppress

from minimal_servers import http11, wsgi
from minimal_servers.connection import SEND_SECONDS, Connection
from minimal_servers.http11 import BadRequest
from minimal_servers.response import ClientGone

IDLE_SECONDS = 5.0  # between two requests
LINGER_SECONDS = 2.0  # for the last words to reach the client
TICK_SECONDS = 0.5  # between two looks at the deadlines
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, zero seconds
log = logging.getLogger(__name__)


class Server:
    """The door, the connections behind it, and the threads that serve them."""

    def __init__(
        self, listener: socket.socket, app: wsgi.Application, threads: int = 1, workers: int = 1
    ) -> None:
        self.listener = listener
        self.app = app
        self.threads = threads
        host, port = listener.getsockname()[:2]
        self.environ = wsgi.base_environ(host, port, threads > 1, workers > 1)
        self.connections: set[Connection] = set()
        self.ready: deque[Connection | socket.socket | int] = deque()  # the selector named them
        self.door = threading.Lock()  # held by the leader
        self.parking = threading.Lock()  # while a connection goes from a thread to the selector
        self.stopping = False
        self.next_check = 0.0
        self.last_call = 0.0  # how long half a request may still be completed, once ``stopping``
        self.bell, self.rope = socket.socketpair()
        self.sources: list[socket.socket | int] = [listener, self.bell]
        self.selector = selectors.DefaultSelector()
        listener.setblocking(False)

    def run(self, lifeline: int | None = None) -> None:
        """Serve until ``stop`` is called or ``lifeline`` is closed, and everybody is served."""
        self.sources += [] if lifeline is None else [lifeline]
        for source in self.sources:
            self.selector.register(source, READ, source)
        followers = [threading.Thread(target=self.work) for _ in range(self.threads - 1)]
        for thread in followers:
            thread.start()
        self.work()
        for thread in followers:
            thread.join()

    def stop(self) -> None:
        """Accept nothing more, finish what runs, then end. Callable from a signal handler."""
        self.rope.send(b"!")

    def work(self) -> None:
        """The life of a thread: wait at the door, serve, again."""
        while connection := self.next_request():
            self.serve(connection)

    def next_request(self) -> Connection | None:
        """Lead until a whole request is there; None when the server has ended."""
        with self.door:
            while self.connections or not self.stopping:
                while self.ready:
                    connection = self.attend(self.ready.popleft())
                    if connection and self.progress(connection):
                        if self.threads > 1:  # the next leader must not look at it
                            self.watch(connection, 0)
                        return connection
                self.look()
        return None

    def look(self) -> None:
        """Ask the selector once, then judge the deadlines of those who have nothing to say."""
        events = self.selector.select(0.02 if self.stopping else TICK_SECONDS)
        self.ready.extend(key.data for key, _ in events)
        now = time.monotonic()
        if now >= self.next_check:
            self.next_check = now + TICK_SECONDS
            silent = self.connections.difference(() if self.stopping else self.ready)
            with self.parking:
                late = [c for c in silent if c.events and self.patience(c) <= now]
            for connection in late:
                self.expire(connection)

    def patience(self, connection: Connection) -> float:
        """Until when to wait for this client; not for long when the server is about to end."""
        if not self.stopping or connection.unsent or connection.last:
            return connection.deadline
        return 0.0 if connection.waiting() else min(connection.deadline, self.last_call)

    def attend(self, thing: Connection | socket.socket | int) -> Connection | None:
        """Go and see who made itself heard: a client, somebody at the door, or the alarm."""
        if isinstance(thing, Connection):
            return thing
        if thing is self.listener:
            return None if self.stopping else self.accept()
        if not self.stopping:
            self.prepare_end()
        return None

    def accept(self) -> Connection | None:
        """Let one connection in."""
        try:
            sock, peer = self.listener.accept()
        except BlockingIOError:
            return None  # another process was faster
        except OSError as error:
            if error.errno == errno.EINVAL:  # the parent shut the door for all processes
                self.prepare_end()
            else:
                log.error("cannot accept: %s", error)
                time.sleep(0.1)  # out of file descriptors, perhaps: no hot loop
            return None
        sock.setblocking(False)
        with suppress(OSError):  # gone already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock, peer)
        self.connections.add(connection)
        self.watch(connection, READ)
        return connection

    def progress(self, connection: Connection) -> bool:
        """Move one connection on as far as the kernel allows; True with a whole request."""
        try:
            if connection.unsent:
                return self.flush(connection)
            if not connection.receive():
                self.close(connection)
            elif not connection.closing:
                return connection.advance()
        except BadRequest as error:
            self.refuse(connection, error)
        except (ClientGone, OSError):
            self.drop(connection)
        return False

    def flush(self, connection: Connection) -> bool:
        """Send more of a finished response to a slow reader, at no thread's expense."""
        del connection.unsent[: connection.send(connection.unsent)]
        connection.deadline = time.monotonic() + SEND_SECONDS
        if connection.unsent:
            return False
        if connection.last or self.stopping:
            self.finish(connection)
            return False
        connection.deadline = time.monotonic() + IDLE_SECONDS
        self.watch(connection, READ)
        return bool(connection.buffer) and connection.advance()

    def serve(self, connection: Connection) -> None:
        """Answer every whole request that has arrived, in order (RFC 9112 §9.3.2)."""
        try:
            while self.answer(connection) and not self.stopping:
                if connection.unsent or not (connection.buffer and connection.advance()):
                    patience = SEND_SECONDS if connection.unsent else IDLE_SECONDS
                    connection.deadline = time.monotonic() + patience
                    return self.watch(connection, WRITE if connection.unsent else READ)
            self.finish(connection)
        except BadRequest as error:
            self.refuse(connection, error)
        except (ClientGone, OSError):
            self.drop(connection)

    def answer(self, connection: Connection) -> bool:
        """Run the application once; True if the connection can carry another request."""
        request = connection.request
        assert request is not None
        response = wsgi.WSGIResponse(request, connection.transmit)
        if self.stopping:
            response.keep_alive = False
        environ = wsgi.build_environ(self.environ, request, connection.body, connection.peer)
        wsgi.respond(self.app, environ, response)
        connection.request = None
        connection.served += 1
        return response.keep_alive

    def refuse(self, connection: Connection, error: BadRequest) -> None:
        """Answer a broken request, which the application never sees, and close."""
        log.warning("%s:%s is refused: %s: %s", *connection.peer, error.status, error)
        try:
            connection.transmit(http11.error_response(error), False)
            self.finish(connection)
        except ClientGone:
            self.drop(connection)

    def expire(self, connection: Connection) -> None:
        """Somebody was too slow."""
        if connection.unsent:
            self.drop(connection)
        elif not connection.closing and (connection.request or connection.buffer):
            self.refuse(connection, BadRequest("408 Request Timeout", "the request is too slow"))
        else:
            self.close(connection)

    def finish(self, connection: Connection) -> None:
        """Close after the last response, the sending side first.

        subtle: close() with unread data in the kernel sends RST, which can destroy a response that
        the client has not read yet (RFC 9112 §9.6). So we say FIN and wait for theirs.
        """
        connection.last = True
        connection.deadline = time.monotonic() + SEND_SECONDS
        if connection.unsent:
            return self.watch(connection, WRITE)
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return self.drop(connection)
        connection.closing = True
        connection.deadline = time.monotonic() + LINGER_SECONDS
        self.watch(connection, READ)

    def drop(self, connection: Connection) -> None:
        """Close so that the client cannot mistake what it got for a whole response: with RST."""
        with suppress(OSError):  # reset by the client already
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.close(connection)

    def close(self, connection: Connection) -> None:
        """Forget a connection."""
        self.watch(connection, 0)
        self.connections.discard(connection)
        connection.sock.close()

    def watch(self, connection: Connection, events: int) -> None:
        """Tell the selector what to look for: READ, WRITE, or 0 for nothing."""
        if events == connection.events:
            return
        with self.parking:
            before, connection.events = connection.events, events
            if before and events:
                self.selector.modify(connection.sock, events, connection)
            elif before:
                self.selector.unregister(connection.sock)
            else:
                self.selector.register(connection.sock, events, connection)

    def prepare_end(self) -> None:
        """Close the door. Idle connections go now; half a request gets a moment to be completed."""
        self.stopping = True
        for source in self.sources:
            self.selector.unregister(source)
        self.listener.close()
        self.next_check = time.monotonic()
        self.last_call = self.next_check + LINGER_SECONDS
