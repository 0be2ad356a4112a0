"""For graders of servers that hand each connection to a function: ``serve(listener, handle, …)``.

`handler` is a ``handle(connection)`` for the learner's server that holds its caller at a `Gate`,
`Bell` tells a running server to stop. `answering` and `replying` make a WSGI app fit the learner's
server, so that it can be drawn.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import psutil

from minimal_servers import http11
from minimal_servers.wsgi import (
    Application,
    WSGIResponse,
    base_environ,
    build_environ,
    respond,
)
from playground.grading.byhand import defined, stay
from playground.grading.learner import Learner, Remote
from playground.grading.verdict import fail
from playground.grading.wire import HANG_S, HOST, Client, Gate, Server, Visit

NAMED = r"printf 'ann\n' | nc 127.0.0.1 $PORT"  # the command that brings a party to `by_name`
GRACE_S = 0.3  # in which a server that does too much shows it; no verdict against a right one


class Bell:
    """A socket in the learner's process, `socket`, that becomes readable with `ring`."""

    def __init__(self, learner: Learner) -> None:
        # subtle: over a Unix socket the other end is readable before `ring` returns
        folder = tempfile.TemporaryDirectory(prefix="bell-")
        with folder, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{folder.name}/bell")
            listener.listen()
            connect = learner.define(_CONNECT, "connect")
            self.socket: Remote = connect(f"{folder.name}/bell")
            self.rope, _ = listener.accept()

    def ring(self) -> None:
        """Make it readable, for good."""
        with contextlib.suppress(OSError):
            self.rope.sendall(b"!")


def handler(learner: Learner, gate: Gate) -> Remote:
    """Return a ``handle(connection)`` in the learner's process.

    It reads a name, a line, then waits at the gate (`find` finds it there by name), answers
    ``name was served`` and leaves the connection open. ``quick`` does not wait,
    ``fail`` raises ValueError, ``exit`` SystemExit.
    """
    make = learner.define(_HANDLER, "make")
    made: Remote = make(gate.handler(learner))
    return made


def by_name(connection: socket.socket) -> None:
    """As `handler`, in this process: who comes with a name stays for a moment, and is answered."""
    defined(_HANDLER, "make")(stay)(connection)


def party(server: Server, name: str) -> Client:
    """Connect and say a name."""
    return server.exchange(f"{name}\n".encode())


def find(gate: Gate, name: str) -> Visit | None:
    """Return the party of that name that is inside now."""
    return next((visit for visit in gate.inside if visit.label == repr((name,))), None)


def leave(gate: Gate, name: str) -> None:
    """Let the party of that name, which is inside, go on."""
    visit = find(gate, name)
    assert visit is not None, f"{name} is not inside"
    gate.leave(visit)


def answered(client: Client, name: str, *, why: str, nudge: str = "") -> None:
    """Fail unless the party gets its whole answer, and then the connection is closed."""
    client.expect_bytes(f"{name} was served\n".encode(), why=why, nudge=nudge)
    client.expect_closed(why=why, nudge=nudge or "Close the connection when handle has returned.")


def someone_comes(gate: Gate, wait_s: float = GRACE_S) -> bool:
    """Tell whether yet another party reaches the gate, to show that none does."""
    return gate.someone_comes(wait_s)


def stays(server: Server, count: Callable[[], int], expected: int) -> int:
    """Return the first other value that `count()` takes within the grace, else `expected`."""
    patience, is_over = server.learner.patience(GRACE_S), False
    while (found := count()) == expected and not is_over:
        time.sleep(0.01)
        is_over = patience.over()
    return found


def asleep(server: Server) -> None:
    """Wait until the learner's process seems to sleep: then a signal finds it waiting."""
    quiet, patience = 0, server.learner.patience(5.0)
    while quiet < 5 and not patience.over():
        time.sleep(0.02)
        quiet = quiet + 1 if server.learner.process().status() == psutil.STATUS_SLEEPING else 0


@contextlib.contextmanager
def paused(server: Server) -> Iterator[None]:
    """Stop the learner's process (SIGSTOP) while the grader does several things "at once"."""
    process = server.learner.process()
    process.suspend()
    limit = time.monotonic() + HANG_S
    while process.status() != psutil.STATUS_STOPPED and time.monotonic() < limit:
        time.sleep(0.001)
    try:
        yield
    finally:
        process.resume()


def delivered(server: Server, number: int) -> None:
    """Wait until the learner's process has handled the signal that was just sent to it (Linux).

    A signal that is no longer pending has woken it up; when it sleeps again, its handler has run.
    """
    process = server.learner.process()
    status = Path(f"/proc/{process.pid}/status")
    patience = server.learner.patience(5.0)
    while status.exists() and not patience.over():
        with contextlib.suppress(OSError, psutil.Error):
            pending = [
                line.split()[1] for line in status.read_text().splitlines() if "Pnd:" in line
            ]
            waiting = any(int(mask, 16) >> (number - 1) & 1 for mask in pending)
            if not waiting and process.status() == psutil.STATUS_SLEEPING:
                return
        time.sleep(0.01)
    asleep(server)


def returns(server: Server, called: str, expected: object, *, why: str, nudge: str) -> None:
    """Fail unless the learner's server function returns `expected`."""
    patience, is_over = server.learner.patience(), False
    wanted = f"{server.function} returned {expected!r}"
    while not (ended := server.learner.ended()):
        if is_over:
            server.fail(called, f"{server.function} is still running", wanted, why=why, nudge=nudge)
        time.sleep(0.01)
        is_over = patience.over()
    if ended != f"returned {expected!r}":
        fail(called, f"{server.function} {ended}", wanted, why=why, nudge=nudge)


def replying(app: Application) -> Callable[[bytes], bytes]:
    """Return a function from the head of a request to the whole answer of a WSGI app."""

    def handle(head: bytes) -> bytes:
        request = http11.take_head(bytearray(head))
        assert request is not None, "the head of a request ends in an empty line"
        sent = bytearray()
        response = WSGIResponse(request, lambda data, wait: sent.extend(data))
        response.keep_alive = False
        environ = build_environ(base_environ(HOST, 0, True, True), request, BytesIO(), (HOST, 0))
        respond(app, environ, response)
        return bytes(sent)

    return handle


def answering(app: Application) -> Callable[[socket.socket], None]:
    """Return a ``handle(connection)`` that answers one request with a WSGI app."""
    reply = replying(app)

    def handle(connection: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            data = connection.recv(65_536)
            if not data:
                return
            head += data
        connection.sendall(reply(head))

    return handle


_CONNECT = """
import socket

def connect(path):
    end = socket.socket(socket.AF_UNIX)
    end.connect(path)
    return end
"""

_HANDLER = """
def make(enter):
    def handle(connection):
        name = b""
        while not name.endswith(b"\\n"):
            data = connection.recv(100)
            if not data:
                return
            name += data
        name = name.decode().strip()
        if name == "fail":
            raise ValueError("this party only complains")
        if name == "exit":
            raise SystemExit(3)
        if name != "quick":
            enter(name)
        connection.sendall(f"{name} was served\\n".encode())

    return handle
"""
