"""Talk to the learner's server as a client, and judge concurrency by structure.

`Server` runs the learner's function in its process; `Client` is one connection with a transcript;
`Gate` is a place inside the learner's server where requests stay until the grader lets them go, so
that "two at the same time" is seen and not timed. Every wait has a deadline that only stops a hang.
"""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import h11
import psutil

from playground.grading.learner import REPORT_S, Learner, Remote
from playground.grading.verdict import Failed, Message, Wire
from playground.patience import ended

HOST = "127.0.0.1"
MOST_BYTES = 16 << 20  # that a client takes from one connection
LONGEST = 4  # deadlines: how long a client waits, all in all, for a server that says bit by bit
HANG_S = 60.0  # stops a hang, at what takes no time unless the machine stands still
ENDED_GRACE_S = 0.5  # how long threads and children may still answer when the function is over


@dataclass(frozen=True)
class Response:
    """One HTTP response, parsed strictly by h11."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]  # names in lower case, in order
    body: bytes
    version: str  # "1.1"
    informational: tuple[int, ...] = ()  # such as 100

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None; several are joined by commas."""
        found = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(found) if found else None


class Server:
    """The learner's server function, called with a listening socket and `args`.

    `function(listener, *args)` is expected to serve until it is stopped. Use it in a check marked
    `@fresh`: the process ends with the check. `prepare(listener)` is called there before.
    """

    def __init__(
        self,
        learner: Learner,
        function: str,
        *args: object,
        backlog: int = 128,
        prepare: Remote | None = None,
    ) -> None:
        self.learner = learner
        self.function = function
        self.listener, self.port = learner.listen(backlog)
        if prepare is not None:
            prepare(self.listener)
        learner.begin(function, self.listener, *args)

    def connect(self) -> Client:
        """Open a connection; raises Failed when nobody listens any more."""
        try:
            connection = self.learner.client_socket()
            connection.settimeout(HANG_S)
            connection.connect((HOST, self.port))
        except OSError as error:
            ended = self.how_it_ended() or "is still running"
            self.fail(
                f"a connection to {self.function}(listener)",
                f"{error.strerror or error}; {self.function} {ended}",
                "an accepted connection",
                nudge="A server goes on listening until it is stopped.",
            )
        return Client(self, connection)

    def how_it_ended(self) -> str:
        """How the function ended, "" if it goes on.

        A function on its way out closes its connections a moment before its end is told: it has
        not ended when its process has come to rest without telling.
        """
        patience = self.learner.patience(0.0)
        limit = time.monotonic() + REPORT_S
        while not (how := self.learner.ended()) and time.monotonic() < limit:
            if not ended(self.learner.pid) and patience.over():
                return self.learner.ended()
            time.sleep(0.01)
        return how

    def exchange(self, data: bytes, *, shutdown: bool = False) -> Client:
        """Connect, send `data` (and end-of-file with `shutdown`), and return the connection."""
        client = self.connect()
        client.send(data)
        if shutdown:
            client.shutdown()
        return client

    def threads(self) -> int:
        """Return how many threads the learner's process has."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return int(self.learner.process().num_threads())
        return 0

    def children(self) -> list[psutil.Process]:
        """Return the processes that descend from the learner's."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return list(self.learner.process().children(recursive=True))
        return []

    def connections(self) -> int:
        """Return how many accepted connections the server and its children hold open."""
        processes = [self.learner.process(), *self.children()]
        return sum(_connections(process, self.port) for process in processes)

    def settles(
        self,
        count: Callable[[], int],
        expected: int,
        what: str,
        *,
        called: str,
        why: str = "",
        nudge: str = "",
    ) -> None:
        """Wait until `count()` is `expected`; fail when it is not within the deadline.

        `what` names the thing counted: "open connections", "threads".
        """
        patience, is_over = self.learner.patience(), False
        while (found := count()) != expected:
            if is_over:
                self.fail(called, f"{found} {what}", f"{expected} {what}", why=why, nudge=nudge)
            time.sleep(0.01)
            is_over = patience.over()

    def fail(
        self, called: str, got: str, expected: str, *, why: str = "", nudge: str = ""
    ) -> NoReturn:
        """Fail with where the learner's code stands."""
        message = Message(called, got, expected, why, nudge)
        how = self.how_it_ended()
        if how:
            message.got += f"; {self.function} {how}" if self.function not in got else ""
        else:
            message.stacks = self.learner.stacks()
        raise Failed(message)


@dataclass
class Client:
    """One connection to the learner's server, with all bytes that went over it."""

    server: Server
    connection: socket.socket
    sent: bytes = b""
    received: bytes = b""
    _unread: bytes = field(default=b"", repr=False)
    _waited_s: float = field(default=0.0, repr=False)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has closed is noticed when its answer is read."""
        self.sent += data
        self.connection.settimeout(self.server.learner.deadline_s)
        with contextlib.suppress(OSError):
            self.connection.sendall(data)

    def shutdown(self) -> None:
        """Send end-of-file, keep reading."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def receive_until(self, mark: bytes, expected: str = "") -> bytes:
        """Return the bytes up to and with `mark`; fails at end-of-file and at the deadline."""
        expected = expected or f"bytes that end in {mark!r}"
        while mark not in self._unread:
            if not self._more(expected):
                self.fail(f"{self._so_far()}, then end-of-file", expected)
        head, mark, self._unread = self._unread.partition(mark)
        return head + mark

    def receive_all(self, expected: str = "an answer, then end-of-file") -> bytes:
        """Return everything up to end-of-file."""
        while self._more(expected):
            pass
        data, self._unread = self._unread, b""
        return data

    def response(self, method: str = "GET", *, http_version: str = "1.1") -> Response:
        """Read one response to a request with `method`, strictly; fails for what is no HTTP."""
        parser = h11.Connection(h11.CLIENT)
        parser.send(
            h11.Request(
                method=method, target="/", headers=[("Host", "x")], http_version=http_version
            )
        )
        parser.send(h11.EndOfMessage())
        if self._unread:  # subtle: to h11, no bytes mean end-of-file
            parser.receive_data(self._unread)
        informational: list[int] = []
        head: h11.Response | None = None
        body = b""
        while True:
            try:
                event = parser.next_event()
            except h11.RemoteProtocolError as error:
                self.fail(f"no HTTP response: {error}", "one HTTP response", why="RFC 9112 §4, §6")
            if event is h11.NEED_DATA:
                before = len(self.received)
                more = self._more("the rest of an HTTP response")
                if not more and head is None:
                    self.fail(f"{self._so_far()}, then end-of-file", "an HTTP response")
                parser.receive_data(self.received[before:])
            elif isinstance(event, h11.InformationalResponse):
                informational.append(event.status_code)
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
        assert head is not None
        self._unread = parser.trailing_data[0]
        headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in head.headers)
        version = bytes(head.http_version).decode()
        reason = bytes(head.reason).decode("latin-1")
        return Response(head.status_code, reason, headers, body, version, tuple(informational))

    def expect_bytes(self, expected: bytes, *, why: str = "", nudge: str = "") -> None:
        """Read as many bytes as `expected` has and compare; a caret shows the first wrong one."""
        while len(self._unread) < len(expected) and self._more(repr(expected), why):
            pass
        got, self._unread = self._unread[: len(expected)], self._unread[len(expected) :]
        if got != expected:
            self.fail(f"{got!r}", f"{expected!r}", why=why, nudge=nudge, expected_bytes=expected)

    def expect_closed(self, *, why: str = "", nudge: str = "") -> None:
        """Fail unless the server closes the connection without another byte."""
        while self._more("end-of-file", why):
            pass
        if self._unread:
            self.fail(f"{self._unread!r} more", "end-of-file", why=why, nudge=nudge)

    def is_silent(self, wait_s: float = 0.1) -> bool:
        """Tell whether nothing has arrived; only to show that something was *not* answered yet."""
        if self._unread:
            return False
        patience = self.server.learner.patience(wait_s)
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            while not selector.select(0.01):
                if patience.over():
                    return not selector.select(0)
        return False

    def fail(
        self,
        got: str,
        expected: str,
        *,
        why: str = "",
        nudge: str = "",
        expected_bytes: bytes | None = None,
        stacks: bool = False,
    ) -> NoReturn:
        """Fail with the transcript, the command that repeats it, and how the function ended."""
        called = f"sent {_shortened(self.sent)} to {self.server.function}(listener)"
        how = self.server.how_it_ended()
        if how:
            got += f" ({self.server.function} {how})"
        message = Message(called, got, expected, why, nudge)
        message.wire = Wire(self.sent, self.received, expected_bytes, command(self.sent))
        if stacks and not how:
            message.stacks = self.server.learner.stacks()
        raise Failed(message)

    def _more(self, expected: str, why: str = "") -> bool:
        """Read some bytes. False at end-of-file; fails at the deadline, and for no end of bytes."""
        begun = time.monotonic()
        try:
            if not self._wait():
                self._late(expected, why)
            data = self.connection.recv(65_536)
        except OSError:
            data = b""
        self.received += data
        self._unread += data
        self._waited_s += time.monotonic() - begun
        if (
            len(self.received) > MOST_BYTES
            or self._waited_s > LONGEST * self.server.learner.deadline_s
        ):
            got = f"{len(self.received):,} bytes, and no end of them"
            self.fail(got, expected, why=why, nudge="What ends the answer?", stacks=True)
        return bool(data)

    def _wait(self) -> bool:
        """Wait for bytes up to the deadline, but not long for a server that has ended."""
        learner = self.server.learner
        patience, is_over = learner.patience(), False
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            while not selector.select(0.1):
                if not is_over and learner.ended():
                    patience, is_over = learner.patience(ENDED_GRACE_S), True
                if patience.over():
                    return bool(selector.select(0))
        return True

    def _late(self, expected: str, why: str) -> NoReturn:
        """Fail for a server that says nothing more."""
        got = f"{self._so_far()}, then nothing for {self.server.learner.deadline_s:g} s"
        nudge = "What does your server wait for in the lines where it stood?"
        if self.server.learner.ended():
            got = f"{self._so_far()}, and nothing more came"
            nudge = "The server function is over. What should have kept it going?"
        self.fail(got, expected, why=why, nudge=nudge, stacks=True)

    def _so_far(self) -> str:
        return _shortened(self.received) if self.received else "no bytes"


@dataclass
class Visit:
    """One request inside the learner's server, held at the gate."""

    pid: int
    thread: int
    label: str
    connection: socket.socket

    def release(self) -> None:
        """Let it go on."""
        with contextlib.suppress(OSError):
            self.connection.sendall(b"!")
        self.connection.close()


class Gate:
    """A gate inside the learner's server: requests that reach it wait until released.

    `gate.app(learner)` is a WSGI app and `gate.handler(learner)` a function of one argument, both
    living in the learner's process (and its threads and forks); each holds the caller at the gate.
    """

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="gate-")
        self.listener = socket.socket(socket.AF_UNIX)  # the learner's network may be another one
        self.listener.bind(f"{self.folder.name}/gate")
        self.listener.listen(128)
        self.inside: list[Visit] = []
        self._learner: Learner | None = None

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for visit in self.inside:
            visit.release()
        self.listener.close()
        self.folder.cleanup()

    def app(self, learner: Learner) -> Remote:
        """Return a WSGI app that answers `200 OK` with its path once released."""
        return self._enter(learner, "app")

    def handler(self, learner: Learner) -> Remote:
        """Return a function that takes anything, and returns b"ok" once released."""
        return self._enter(learner, "handler")

    def wait_for(
        self, count: int, server: Server, called: str, *, why: str = "", nudge: str = ""
    ) -> list[Visit]:
        """Return the visits once `count` requests are inside at the same time; else fail."""
        patience, is_over = server.learner.patience(), False
        while len(self.inside) < count:
            if select.select([self.listener], [], [], 0.05)[0]:
                self._admit()
            elif not is_over:
                is_over = patience.over()
            else:
                server.fail(
                    called,
                    f"{len(self.inside)} at the same time inside your server",
                    f"{count} at the same time",
                    why=why,
                    nudge=nudge,
                )
        return list(self.inside)

    def someone_comes(self, wait_s: float) -> bool:
        """Tell whether yet another request is at the gate, to show that none is."""
        assert self._learner is not None, "nobody knows of this gate"
        patience = self._learner.patience(wait_s)
        while not select.select([self.listener], [], [], 0.01)[0]:
            if patience.over():
                return bool(select.select([self.listener], [], [], 0)[0])
        return True

    def leave(self, visit: Visit) -> None:
        """Let one visit go on, and count it out."""
        self.inside.remove(visit)
        visit.release()

    def _admit(self) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(HANG_S)
        line = connection.makefile("r", encoding="utf-8").readline()
        if not line.endswith("\n"):  # its process has ended at the gate
            connection.close()
            return
        pid, thread, label = line.split(" ", 2)
        self.inside.append(Visit(int(pid), int(thread), label.strip(), connection))

    def _enter(self, learner: Learner, name: str) -> Remote:
        self._learner = learner
        return learner.define(_GATE.replace("PLACE", repr(self.listener.getsockname())), name)


_GATE = """
import os, socket, threading

def enter(label):
    with socket.socket(socket.AF_UNIX) as gate:
        gate.connect(PLACE)
        gate.sendall(f"{os.getpid()} {threading.get_native_id()} {label}\\n".encode())
        gate.recv(1)

def handler(*args):
    enter(repr(args)[:200])
    return b"ok"

def app(environ, start_response):
    path = environ.get("PATH_INFO", "")
    enter(path)
    body = path.encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""


def _connections(process: psutil.Process, port: int) -> int:
    """Return how many connections accepted at `port` a process holds open.

    On Linux its own table is read: psutil reads that of our network, which may be another one.
    """
    with contextlib.suppress(psutil.Error, OSError):
        if not sys.platform.startswith("linux"):
            held = process.net_connections("tcp")
            return sum(1 for c in held if c.laddr.port == port and c.raddr)
        targets = set()
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                targets.add(os.readlink(link))
        rows = [
            row.split()
            for table in ("tcp", "tcp6")
            for row in Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]
        ]
        return sum(
            int(row[1].rpartition(":")[2], 16) == port
            and not row[2].endswith(":0000")
            and f"socket:[{row[9]}]" in targets
            for row in rows
        )
    return 0


def command(data: bytes) -> str:
    """Return the shell command that sends these bytes; $PORT is where the server listens."""
    return f"printf '{''.join(map(_printf, data[:2000]))}' | nc {HOST} $PORT"


def _printf(byte: int) -> str:
    names = {13: r"\r", 10: r"\n", 9: r"\t", 37: "%%", 92: r"\\", 39: r"\047"}
    if byte in names:
        return names[byte]
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def _shortened(data: bytes, limit: int = 120) -> str:
    return repr(data) if len(data) <= limit else f"{data[:limit]!r}… ({len(data)} bytes)"
