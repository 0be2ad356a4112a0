"""A client that reads slowly: how far a server runs ahead of it, and what that costs."""

import fcntl
import socket
import struct
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from playground.load.checks import check_headers, check_seconds, check_server, check_whole, quoted
from playground.load.recording import Recording
from playground.load.table import table_html, table_text
from playground.setups.catalogue import ServeError
from playground.setups.server import Server
from playground.trace.records import make_traceparent, now_us
from playground.trace.trace import Trace

MIB = 1 << 20
BUFFER = 64 * 1024  # bytes that the client's kernel is asked to hold at most
TICK_S = 0.05  # between two sips
LOOK_S = 0.25  # between two looks at the server's memory
HEAD_LIMIT = 1 << 16  # bytes
MOST_SECONDS = 60.0


class Sample(NamedTuple):
    """One look, ``t_s`` seconds after the request: bytes read and let go, and MiB of memory."""

    t_s: float
    read: int
    let_go: int | None
    memory_mib: float


@dataclass
class Sips:
    """What came of a client that read slowly.

    ``read`` is the bytes that it took, ``let_go`` those that the server had handed to the kernel:
    read, or waiting in the kernel on either side (None where the system does not tell; it may be
    one segment too many, which is under way to be acknowledged). ``samples`` begin before the
    request.
    """

    path: str
    rate: int
    samples: list[Sample]
    status: int | None = None
    ending: str = ""
    trace: Trace | None = None

    @property
    def read(self) -> int:
        """Bytes that the client took, the head of the response among them."""
        return self.samples[-1].read

    @property
    def let_go(self) -> int | None:
        """Bytes that the server was rid of at the end."""
        return self.samples[-1].let_go

    @property
    def memory_mib(self) -> tuple[float, float, float]:
        """The server's memory: first, last, and the most that was seen."""
        seen = [sample.memory_mib for sample in self.samples]
        return seen[0], seen[-1], max(seen)

    def rows(self) -> list[tuple[str, str]]:
        """What the table shows: names and values."""
        first, last, most = self.memory_mib
        rows = [("answer", f"{self.status or 'none'} to GET {self.path}")]
        rows.append(("read", f"{_size(self.read)}, at most {_size(self.rate)} a second"))
        if self.let_go is not None:
            ahead = f"{_size(self.let_go)}, {_size(self.let_go - self.read)} ahead of the reader"
            rows.append(("let go by the server", ahead))
        rows.append(("memory before", f"{first:.1f} MiB"))
        rows.append(("at the end", f"{last:.1f} MiB ({last - first:+.1f}), at most {most:.1f} MiB"))
        return [*rows, ("ending", f"{self.ending} after {self.samples[-1].t_s:.1f} s")]

    def __str__(self) -> str:
        return table_text(self.rows())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return table_html(self.rows())


def sip(
    server: Server,
    path: str = "/",
    *,
    rate: int = 16_384,
    seconds: float = 2.0,
    headers: dict[str, str] | None = None,
) -> Sips:
    """Ask for ``path``, read at most ``rate`` bytes a second for ``seconds``, then hang up.

    The client's kernel is asked to hold no more than 64 KiB. Meanwhile the server's memory is
    looked at, four times a second. Raises ``ServeError`` for what makes no sense, and if the server
    has ended.
    """
    check_server(server, "sip")
    target = quoted(path)
    check_whole("rate", rate, 1, 1 << 30)
    check_seconds("seconds", seconds)
    if seconds > MOST_SECONDS:
        raise ServeError(f"seconds= is at most {MOST_SECONDS:g}, not {seconds!r}.")
    check_headers(headers)
    title = f"GET {path} on {server.name}, {rate} bytes a second"
    recording = Recording(server, title, lambda number: f"GET {path}")
    told = Sips(path, rate, [Sample(0.0, 0, None, server.usage().memory_mib)])
    recording.begin()
    begun = now_us()
    recording.begun(1, begun)
    try:
        with _connect(server) as connection:
            named = {"traceparent": make_traceparent(recording.trace_id, 1)}
            connection.sendall(_request(server, target, {**(headers or {}), **named}))
            recording.sent(1, now_us())
            _Sipping(server, connection, told, begun, recording).run(seconds)
    except OSError as error:
        told.ending = f"the connection failed ({error.strerror or error})"
    finally:
        why = None if told.status else told.ending or "given up"
        recording.ended(1, now_us(), told.status, why)
        recording.await_last_words([])
        told.trace = recording.finish()
    return told


class _Sipping:
    """One connection, and what is looked at meanwhile."""

    def __init__(
        self,
        server: Server,
        connection: socket.socket,
        told: Sips,
        begun_us: float,
        recording: Recording,
    ) -> None:
        self._server, self._connection, self._told = server, connection, told
        self._begun_us, self._recording = begun_us, recording
        self._head = bytearray()

    def run(self, seconds: float) -> None:
        """Until the time is up or the body has ended."""
        read, looked = 0, 0.0
        while (now := self._now()) < seconds:
            block = self._read(int(self._told.rate * (now + TICK_S)) - read)
            if block == b"":
                self._told.ending = "the body ended"
                break
            read += len(block or b"")
            self._listen(block or b"")
            if self._now() - looked >= LOOK_S:
                looked = self._now()
                self._look(read)
            time.sleep(TICK_S)
        else:
            self._told.ending = "hung up with more to read"
        self._look(read)

    def _now(self) -> float:
        return (now_us() - self._begun_us) / 1e6

    def _read(self, most: int) -> bytes | None:
        """Up to so many bytes; empty at the end, None if nothing has come."""
        if most < 1:
            return None
        try:
            return self._connection.recv(min(most, BUFFER))
        except (TimeoutError, BlockingIOError):
            return None

    def _listen(self, block: bytes) -> None:
        """Find the status in the first bytes."""
        if self._told.status is not None or len(self._head) > HEAD_LIMIT:
            return
        self._head += block
        line, mark, _ = bytes(self._head).partition(b"\r\n")
        words = line.split()
        if mark and len(words) > 1 and words[1].isdigit():
            self._told.status = int(words[1])
            self._recording.answered(1, now_us())

    def _look(self, read: int) -> None:
        waiting = kernel_bytes(self._connection, self._server.port)
        let_go = None if waiting is None else read + waiting
        memory = self._server.usage().memory_mib
        self._told.samples.append(Sample(self._now(), read, let_go, memory))


def kernel_bytes(connection: socket.socket, server_port: int) -> int | None:
    """Bytes for the client that wait in the kernel: with it, and with the server (Linux)."""
    if sys.platform != "linux":
        return None
    (here,) = struct.unpack("i", fcntl.ioctl(connection, termios.FIONREAD, b"\0" * 4))
    client_port = connection.getsockname()[1]
    wanted = (f"{server_port:04X}", f"{client_port:04X}")
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if (local[-4:], remote[-4:]) == wanted:
            return int(here) + int(queues.partition(":")[0], 16)
    return int(here)


def _connect(server: Server) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    connection.settimeout(5.0)
    try:
        connection.connect((server.host, server.port))
    except OSError:
        connection.close()
        raise
    connection.settimeout(0.0)
    return connection


def _request(server: Server, target: str, headers: dict[str, str]) -> bytes:
    fields = {"Host": f"{server.host}:{server.port}", "Connection": "close", **headers}
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def _size(count: int) -> str:
    return f"{count / MIB:.2f} MiB" if count >= MIB else f"{count / 1024:.1f} KiB"
