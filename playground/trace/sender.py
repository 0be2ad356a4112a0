"""How records leave a server process: at once, without ever blocking it.

Strategy: every event is one datagram on a Unix socket, so that what is open is seen even if the
process is killed a moment later. Where the socket is full, chunks wait in the process and a
short-lived thread sends them joined together; beyond ``WAITING_RECORDS`` they are dropped. Each
chunk carries the number of its first record, so the collector counts what is missing. Standard
library only.

A chunk is ``CHUNK`` (magic, pid, number of its first record, records, run tag, bytes of notes), the
records, and the notes: JSON objects, one a line, that define lanes and tell about requests.
"""

import contextlib
import json
import os
import socket
import struct
import sys
import threading
import time
from collections import deque

from playground.trace.records import NAMES, RECORD, UNTRACKED

CHUNK = struct.Struct("<4sIIIII")
MAGIC = b"PGT1"
WAITING_RECORDS = 65_536  # kept in the process while the socket is full
JOINED_BYTES = (
    32_768 if sys.platform == "linux" else 1_900
)  # macOS: datagrams of 2,048 bytes at most
GAUGE_LANES = 0x8000  # the first number of a gauge; lanes of threads are below
RETRY_S = 0.002
LINGER_ROUNDS = 100  # of retries with nothing to do, until the sending thread ends


class Channel:
    """The connection of one process to the collector, with its numbers and lanes. Thread-safe."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.pid = os.getpid()
        self.dropped = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._waiting_records = 0
        self._emptying = False
        self._sent = 0
        self._untracked = UNTRACKED
        self._owners: dict[int, tuple[str, threading.Thread | None]] = {}
        self._gauges: dict[str, int] = {}
        self._names: dict[str, int] = {"": 0}
        self._mine = threading.local()
        self._news = b""
        self._gone = False
        try:
            self._socket.connect(path)
        except OSError:
            self._gone = True  # the collector has ended; the server must not suffer

    def announce(self, kind: str) -> None:
        """Tell of this process before it serves anything; the thread that serves first gets the
        lane.
        """
        with self._lock:
            self._owners[1] = kind, None
            self._define(1, kind, 0)
        self.send(b"")

    def lane(self, kind: str = "thread") -> int:
        """The lane of the calling thread; a thread that has ended leaves its lane to the next."""
        try:
            return self._mine.lane
        except AttributeError:
            with self._lock:
                lane = self._free_lane(kind)
                self._owners[lane] = kind, threading.current_thread()
                self._define(lane, kind, threading.get_native_id())
            self._mine.lane = lane
            return lane

    def gauge(self, name: str) -> int:
        """The lane of this process's gauge of that name."""
        lane = self._gauges.get(name)
        if lane is None:
            with self._lock:
                lane = self._gauges.setdefault(name, GAUGE_LANES + len(self._gauges))
                self._define(lane, "gauge", 0, name)
        return lane

    def name(self, name: str) -> int:
        """The number of this process for what a request awaits; 0 when all are taken."""
        number = self._names.get(name)
        if number is None:
            number = len(self._names)
            if number > NAMES:
                return 0
            with self._lock:
                self._names[name] = number
                self._news += json.dumps({"await": number, "name": name}).encode() + b"\n"
        return number

    def _free_lane(self, kind: str) -> int:
        for lane, (use, owner) in self._owners.items():
            if use == kind and (owner is None or not owner.is_alive()):
                return lane
        return len(self._owners) + 1

    def _define(self, lane: int, kind: str, tid: int, name: str = "") -> None:
        told = {"lane": lane, "kind": kind, "tid": tid, "name": name}
        self._news += json.dumps(told).encode() + b"\n"

    def untracked(self) -> int:
        """A number for a request that brought none."""
        with self._lock:
            self._untracked += 1
            return self._untracked

    def send(self, records: bytes, run: int = 0, notes: bytes = b"") -> None:
        """Send packed records of one run and the notes on them. Never blocks or raises."""
        with self._lock:
            if self._gone:
                return
            notes, self._news = self._news + notes, b""
            count = len(records) // RECORD.size
            head = CHUNK.pack(MAGIC, self.pid, self._sent & 0xFFFFFFFF, count, run, len(notes))
            self._sent += count
            chunk = head + records + notes
            if self._waiting or not self._transmit(chunk):
                self._wait(chunk, count)

    def _transmit(self, datagram: bytes) -> bool:
        """False if the socket is full."""
        try:
            self._socket.send(datagram)
        except OSError as error:
            if isinstance(error, BlockingIOError) or error.errno == 55:  # macOS says ENOBUFS
                return False
            self._gone = True
        return True

    def _wait(self, chunk: bytes, count: int) -> None:
        if self._waiting_records + count > WAITING_RECORDS:
            self.dropped += count  # the next chunk's number tells the collector
            return
        if not self._emptying:
            self._emptying = True
            threading.Thread(target=self._empty, name="trace-sender", daemon=True).start()
        self._waiting.append(chunk)
        self._waiting_records += count

    def _empty(self) -> None:
        """Send what waits, joined; ends when nothing has waited for a while."""
        idle = 0
        while idle < LINGER_ROUNDS:
            time.sleep(RETRY_S)
            with self._lock:
                idle = 0 if self._waiting else idle + 1
                while self._waiting and self._transmit(datagram := self._joined()):
                    self._forget(len(datagram))
                if idle == 1:  # what was dropped last shows in the next number
                    self._transmit(CHUNK.pack(MAGIC, self.pid, self._sent & 0xFFFFFFFF, 0, 0, 0))
                self._emptying = idle < LINGER_ROUNDS

    def _joined(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        for chunk in self._waiting:
            if parts and size + len(chunk) > JOINED_BYTES:
                break
            parts.append(chunk)
            size += len(chunk)
        return b"".join(parts)

    def _forget(self, size: int) -> None:
        while size > 0:
            chunk = self._waiting.popleft()
            size -= len(chunk)
            self._waiting_records -= CHUNK.unpack_from(chunk)[3]


class Sender:
    """Gives each process its own ``Channel``: one that was forked opens a new one on first use."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._channel = Channel(path)

    def channel(self) -> Channel:
        """The channel of the calling process."""
        channel = self._channel
        if channel.pid != os.getpid():
            channel = self._channel = Channel(self._path)
        return channel


def note(request: int, **told: object) -> bytes:
    """One line that tells about a request: label, status, error, cpu_us, end."""
    with contextlib.suppress(TypeError, ValueError):
        return json.dumps({"request": request, **told}).encode() + b"\n"
    return b""
