"""The collector: a thread that gathers the records of all processes of one server, while they run.

Each process numbers its records, its lanes and the requests that brought no number; here they
become the numbers of one trace. Records live in a ring; what was lost on the way or overwritten is
counted. A process that ends with open spans has them closed at that moment, flagged ERROR.
"""

import contextlib
import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from playground.trace import board, sampler
from playground.trace.records import (
    CLIENT_LANE,
    NAME_SHIFT,
    NAMES,
    NOBODY,
    OPEN,
    RECORD,
    UNTRACKED,
    Flag,
    Kind,
    now_us,
    run_tag,
)
from playground.trace.sender import CHUNK, MAGIC
from playground.trace.trace import DTYPE, Lane, RequestInfo, Trace, without_earlier

CAPACITY = 1 << 20  # records
REQUESTS = 1 << 17  # of which labels and results are kept
DATAGRAM = 1 << 16  # bytes: more than any sender joins
MOST_WAITING = 1 << 12  # datagrams: more than a socket holds
ROUND_S = 0.002
QUIET_ROUNDS = 25  # without records, until the thread sleeps
STOP_S = 5.0  # for the sampler to end
POLL_S = 0.05  # for the end of processes where the system does not announce it
ANNOUNCED = hasattr(os, "pidfd_open")
LAST_LANE = 0xFFFF
PATH_LIMIT = 90  # bytes of a Unix socket's address, with room to spare

Span = tuple[int, int, int, float]  # kind, request, lane, t_us: what names a span


class CollectorError(RuntimeError):
    """The collector cannot work on this machine; the message says why in one sentence."""


@dataclass
class _Process:
    """What is known of one process that sends."""

    pid: int
    ordinal: int
    expected: int = 0
    pool: int = 0  # threads of its pools
    lanes: dict[int, int] = field(default_factory=dict)
    awaits: dict[int, int] = field(default_factory=dict)
    strangers: dict[tuple[int, int], int] = field(default_factory=dict)
    open: dict[Span, None] = field(default_factory=dict)
    pidfd: int | None = None
    over: bool = False


class Collector:
    """Receives records on a Unix datagram socket at ``path`` until ``close()``.

    ``meta`` becomes the start of every trace's metadata. With ``sample`` a process of its own
    watches the threads that serve, where the system can tell (Linux). Raises ``CollectorError``
    where Unix datagram sockets do not exist. All methods may be called from any thread.
    """

    def __init__(
        self, meta: dict[str, Any] | None = None, capacity: int = CAPACITY, sample: bool = False
    ) -> None:
        self._lock = threading.RLock()
        self._capacity = capacity
        self._ring = bytearray(capacity * RECORD.size)
        self._total = 0  # records ever written; a cursor is a value of this
        self._base = 0  # where the current run begins
        self._missing = 0
        self._run = 0
        self._started_us = now_us()
        self._meta = dict(meta or {})
        self._lanes = [
            Lane(CLIENT_LANE, "client", "client", os.getpid(), threading.get_native_id())
        ]
        self._awaits = [""]  # names of what requests wait for
        self._ended: set[int] = set()  # lanes of processes that are gone
        self._hidden: set[int] = set()  # of which those that the current run never saw
        self._gauges: dict[tuple[int, str], int] = {}  # pid, name → lane
        self._requests: dict[int, RequestInfo] = {}
        self._stranger = UNTRACKED
        self._processes: dict[int, _Process] = {}
        self._threads: dict[tuple[int, int], int] = {}  # pid, tid → lane
        self._parts: dict[tuple[int, int], tuple[float, int]] = {}  # pid, tid → t_us, kind
        self._busy = False
        self._ordinal = 0
        self._changed: dict[int | str, int] = {}  # request or "lanes" → the total when it changed
        self._closed = False
        self._socket, self._folder = _listen()
        self.path = self._socket.getsockname()
        self._sampler = _start_sampler(self.path) if sample and sampler.SUPPORTED else None
        self._wake, self._waker = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run_thread, name="collector", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Collector":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop receiving and remove the socket; what was collected can still be read."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._waker.send(b"x")
        if threading.current_thread() is not self._thread:
            self._thread.join(5)
        for used in (self._wake, self._waker, self._socket):
            used.close()
        self._selector.close()
        if self._sampler is not None:
            _stop(self._sampler)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Where the socket is, and nothing else."""
        return self._folder

    @property
    def sampler_pid(self) -> int | None:
        """The process id of the sampler, if there is one."""
        return None if self._sampler is None else self._sampler.pid

    @property
    def serving(self) -> bool:
        """Whether a request is in service now, as far as the servers have told."""
        with self._lock:
            return self._busy

    @property
    def serving_pids(self) -> list[int]:
        """The processes that have a request in service now, as far as they have told."""
        with self._lock:
            return [process.pid for process in self._processes.values() if process.open]

    @property
    def dropped(self) -> int:
        """Records of the current run that were lost on the way or overwritten in the ring."""
        with self._lock:
            return self._missing + max(0, self._total - self._base - self._capacity)

    def begin(self, trace_id: str, **meta: Any) -> None:
        """Start a run: later snapshots hold its records, and what of earlier requests is still
        open.

        Records of requests from other runs get numbers from 0x80000000 on.
        """
        with self._lock:
            last, self._run = self._run, run_tag(trace_id)
            self._base, self._missing = self._total, 0
            earlier, self._requests = self._requests, {}
            self._hidden = self._ended | set(self._gauges.values())
            self._changed = {"lanes": self._total}
            self._started_us = now_us()
            self._meta.update(meta)
            for process in self._processes.values():
                self._carry_over(process, last, earlier)
            for thread, (t_us, kind) in self._parts.items():
                if thread in self._threads:
                    self._write(t_us, OPEN, NOBODY, self._threads[thread], kind, Flag.SAMPLED)
            self._ask_sampler("busy" if self._busy else "rest")  # either wakes it

    def record(
        self, kind: Kind, t_us: float, dur_us: float, request: int, lane: int = 0, flags: int = 0
    ) -> None:
        """Add one record of this process, such as the client's: ``lane`` is a lane of the trace."""
        with self._lock:
            self._write(t_us, dur_us, request, lane, kind, flags)

    def gauge(self, pid: int, name: str) -> int:
        """The lane of a gauge that somebody else reads of a process, in the current run."""
        with self._lock:
            lane = self._gauges.get((pid, name))
            if lane is None:
                if len(self._lanes) > LAST_LANE:
                    return LAST_LANE
                lane = self._gauges[pid, name] = len(self._lanes)
                self._lanes.append(Lane(lane, name, "gauge", pid, pid))
                self._mark("lanes")
            elif lane in self._hidden:
                self._hidden.discard(lane)
                self._mark("lanes")
            return lane

    def describe(self, request: int, **told: Any) -> None:
        """Tell ``label``, ``status``, ``error`` or ``cpu_us`` of a request of the current run."""
        with self._lock:
            info = self._requests.get(request) or RequestInfo("")
            self._requests[request] = replace(info, **told)
            self._mark(request)
            if len(self._requests) > REQUESTS:
                oldest = next(iter(self._requests))
                del self._requests[oldest]
                self._changed.pop(oldest, None)

    def annotate(self, **meta: Any) -> None:
        """Add to the metadata of the current run."""
        with self._lock:
            self._meta.update(meta)

    def infos(self) -> dict[int, RequestInfo]:
        """What is known of each request of the current run."""
        with self._lock:
            return dict(self._requests)

    def catch_up(self) -> None:
        """Take in what had been sent before this call, and which processes had ended."""
        with self._lock:
            processes = list(self._processes.values())
        gone = [process for process in processes if not _alive(process.pid)]
        for _ in range(MOST_WAITING):
            if not self._receive_one():
                break
        for process in gone:
            self._end(process)

    def snapshot(self) -> Trace:
        """The current run as a trace, open spans included."""
        with self._lock:
            trace = Trace(
                self._read(self._base),
                self._shown_lanes(),
                dict(self._requests),
                self._metadata(),
            )
        return without_earlier(trace)

    def since(self, cursor: int) -> tuple[int, np.ndarray, dict[str, Any]]:
        """``(cursor, records, changes)``: what has come since an earlier cursor (0 at first).

        Records are in order of arrival, so a span may come open and later closed. ``changes`` has
        ``meta`` (with ``dropped``), and ``lanes`` (all) and ``requests`` (the changed) where they
        did.
        """
        with self._lock:
            changes: dict[str, Any] = {"meta": self._metadata(), "requests": {}}
            for name, stamp in reversed(self._changed.items()):
                if stamp < cursor:
                    break
                if isinstance(name, int):
                    changes["requests"][name] = self._requests[name]
                else:
                    changes["lanes"] = self._shown_lanes()
            return self._total, self._read(cursor), changes

    def _shown_lanes(self) -> list[Lane]:
        return [lane for lane in self._lanes if lane.id not in self._hidden]

    def _metadata(self) -> dict[str, Any]:
        told = {"dropped": self.dropped, "started_us": self._started_us, "simulated": False}
        names = {"awaits": list(self._awaits)} if len(self._awaits) > 1 else {}
        return {**self._meta, **told, **names}

    def _read(self, cursor: int) -> np.ndarray:
        first = max(cursor, self._base, self._total - self._capacity)
        view = np.frombuffer(self._ring, DTYPE)
        start, stop = first % self._capacity, self._total % self._capacity
        if first == self._total:
            return np.empty(0, DTYPE)
        if start < stop:
            return view[start:stop].copy()
        return np.concatenate([view[start:], view[:stop]])

    def _write(self, *values: Any) -> None:
        RECORD.pack_into(self._ring, self._total % self._capacity * RECORD.size, *values)
        self._total += 1

    def _mark(self, name: int | str) -> None:
        self._changed.pop(name, None)
        self._changed[name] = self._total

    # The thread

    def _run_thread(self) -> None:
        """While records come, look every few milliseconds: a sender need not wake anybody then."""
        quiet = 0
        while not self._closed:
            if quiet < QUIET_ROUNDS:
                time.sleep(ROUND_S)
            quiet = 0 if self._round(block=quiet >= QUIET_ROUNDS) else quiet + 1
        for process in self._processes.values():
            _close(process.pidfd)

    def _round(self, block: bool) -> bool:
        """Receive what has come, and see who has ended. True if something came."""
        processes = list(self._processes.values())  # another thread may take in a datagram
        announced = ANNOUNCED and all(process.pidfd is not None for process in processes)
        before = self._total
        ready = self._selector.select((None if announced else POLL_S) if block else 0)
        self._receive()
        for key, _ in ready:
            if isinstance(key.data, _Process):
                self._end(key.data)
        for process in list(self._processes.values()):
            if process.pidfd is None and not _alive(process.pid):
                self._end(process)
        return self._total > before

    def _receive(self) -> None:
        while self._receive_one():
            pass

    def _receive_one(self) -> bool:
        """Take one datagram, if there is one. Whoever asks, they are taken in their order."""
        with self._lock, contextlib.suppress(BlockingIOError):
            if not self._closed:
                self._take(self._socket.recv(DATAGRAM))
                return True
        return False

    def _take(self, datagram: bytes) -> None:
        """One datagram: chunks, one after the other. Anything else is not ours and is ignored."""
        offset = 0
        if datagram.startswith(sampler.MAGIC):
            self._take_parts(datagram)
            return
        while offset + CHUNK.size <= len(datagram):
            magic, pid, number, count, run, size = CHUNK.unpack_from(datagram, offset)
            records = offset + CHUNK.size
            notes = records + count * RECORD.size
            offset = notes + size
            if magic != MAGIC or offset > len(datagram):
                return
            process = self._process(pid, number)
            self._missing += (number - process.expected) & 0xFFFFFFFF
            process.expected = number + count & 0xFFFFFFFF
            told = list(_notes(datagram[notes:offset]))
            self._define_lanes(process, told)
            self._place(process, run, datagram[records:notes])
            self._describe_requests(process, run, told)
        self._look_busy()

    def _take_parts(self, datagram: bytes) -> None:
        """What the sampler saw of threads. Of one that is no lane yet the open part is kept."""
        size = (len(datagram) - len(sampler.MAGIC)) // sampler.PART.size * sampler.PART.size
        parts = memoryview(datagram)[len(sampler.MAGIC) :][:size]
        for pid, tid, t_us, dur_us, kind in sampler.PART.iter_unpack(parts):
            lane = self._threads.get((pid, tid))
            if lane is not None:
                self._write(t_us, dur_us, NOBODY, lane, kind, Flag.SAMPLED)
            if dur_us != dur_us:  # NaN: it has begun
                self._parts[pid, tid] = t_us, kind
            else:
                self._parts.pop((pid, tid), None)

    def _look_busy(self) -> None:
        """The sampler looks while a request is in service."""
        busy = any(process.open for process in self._processes.values())
        if busy != self._busy:
            self._busy = busy
            self._ask_sampler("busy" if busy else "rest")

    def _ask_sampler(self, line: str) -> None:
        if self._sampler is not None and self._sampler.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                os.write(self._sampler.stdin.fileno(), f"{line}\n".encode())

    def _process(self, pid: int, number: int) -> _Process:
        process = self._processes.get(pid)
        if process is None or (number == 0 and process.expected):  # the system used the pid again
            self._ordinal += 1
            process = self._processes[pid] = _Process(pid, self._ordinal)
            self._watch(process)
        return process

    def _watch(self, process: _Process) -> None:
        """Ask the system to announce the end of the process, where it can (Linux)."""
        if ANNOUNCED:
            with contextlib.suppress(OSError):
                process.pidfd = os.pidfd_open(process.pid)
                self._selector.register(process.pidfd, selectors.EVENT_READ, process)

    def _end(self, process: _Process) -> None:
        """The process is gone: nothing of it is open any more."""
        with self._lock:
            if process.over or self._closed:
                return
            process.over = True
            if self._processes.get(process.pid) is process:
                del self._processes[process.pid]
            for known in (self._threads, self._parts):
                for thread in [name for name in known if name[0] == process.pid]:
                    del known[thread]
            for run, record in board.left(self.path, process.pid):
                self._place(process, run, record)
            self._ended.update(process.lanes.values())
            if process.pidfd is not None:
                self._selector.unregister(process.pidfd)
                _close(process.pidfd)
            ended = now_us()
            for kind, request, lane, t_us in process.open:
                self._write(t_us, ended - t_us, request, lane, kind, Flag.ERROR)
                if kind in (Kind.WORKER, Kind.REQUEST) and request in self._requests:
                    self.describe(request, error=f"its process (pid {process.pid}) ended")
            self._look_busy()

    def _define_lanes(self, process: _Process, told: list[dict[str, Any]]) -> None:
        for note in told:
            if "lane" in note:
                tid = note.get("tid", 0)
                kind, name = note.get("kind", "thread"), note.get("name", "")
                lane = self._lane(process, note["lane"], kind, tid, name)
                self._watch_thread(process.pid, tid, lane)
            elif "await" in note:
                process.awaits[note["await"]] = self._name_await(note.get("name", ""))

    def _name_await(self, name: str) -> int:
        """The trace's number of a name; 0 when all are taken."""
        if name not in self._awaits and len(self._awaits) <= NAMES:
            self._awaits.append(name)
        return self._awaits.index(name) if name in self._awaits else 0

    def _watch_thread(self, pid: int, tid: int, lane: int) -> None:
        self._ask_sampler(f"watch {pid}")
        if not tid or self._threads.get((pid, tid)) == lane:
            return
        self._threads[pid, tid] = lane
        if (pid, tid) in self._parts:
            t_us, kind = self._parts[pid, tid]
            self._write(t_us, OPEN, NOBODY, lane, kind, Flag.SAMPLED)

    def _lane(
        self, process: _Process, local: int, kind: str = "thread", tid: int = 0, name: str = ""
    ) -> int:
        """The trace's number of a lane of a process; new ones are named by what they are."""
        known = process.lanes.get(local)
        if known is not None:
            self._lanes[known] = replace(self._lanes[known], tid=tid or self._lanes[known].tid)
            return known
        if len(self._lanes) > LAST_LANE:
            return LAST_LANE
        number = process.lanes[local] = len(self._lanes)
        if kind == "loop":
            lane = Lane(number, f"loop {process.ordinal}", "loop", process.pid, tid)
        elif kind == "gauge":
            lane = Lane(number, name, "gauge", process.pid, tid)
        elif kind == "pool":
            process.pool += 1
            of = f"loop {process.ordinal}, " if process.ordinal > 1 else ""
            lane = Lane(number, f"{of}pool {process.pool}", "thread", process.pid, tid)
        else:
            lane = Lane(number, f"worker {process.ordinal}", "worker", process.pid, tid)
        self._lanes.append(lane)
        if kind == "thread" and len(process.lanes) > 1:
            self._name_threads(process)
        self._mark("lanes")
        return number

    def _name_threads(self, process: _Process) -> None:
        for local, number in process.lanes.items():
            name = f"worker {process.ordinal}, thread {local}"
            self._lanes[number] = replace(self._lanes[number], name=name, kind="thread")

    def _place(self, process: _Process, run: int, records: bytes) -> None:
        for t_us, dur_us, request, local, kind, flags in RECORD.iter_unpack(records):
            lane = process.lanes.get(local) or self._lane(process, local)
            number = self._number(process, run, request)
            if named := flags >> NAME_SHIFT:
                flags += (process.awaits.get(named, 0) - named) << NAME_SHIFT
            self._write(t_us, dur_us, number, lane, kind, flags)
            span = (kind, number, lane, t_us)
            if dur_us != dur_us:  # NaN: it has begun
                process.open[span] = None
            else:
                process.open.pop(span, None)

    def _number(self, process: _Process, run: int, request: int) -> int:
        if request == NOBODY or (run == self._run and request < UNTRACKED):
            return request
        number = process.strangers.get((run, request))
        if number is None:
            self._stranger += 1
            number = process.strangers[run, request] = self._stranger
        return number

    def _describe_requests(self, process: _Process, run: int, told: list[dict[str, Any]]) -> None:
        for note in told:
            if "request" in note:
                request, ended = note["request"], "end" in note
                number, known = self._number(process, run, request), _told(note)
                info = self._requests.get(number)
                if info is not None and info.status is not None:
                    known.pop("status", None)  # what the client received is what was answered
                self.describe(number, **known)
                if ended:
                    process.strangers.pop((run, request), None)

    def _carry_over(self, process: _Process, last: int, earlier: dict[int, RequestInfo]) -> None:
        """What is open belongs to an earlier run now: it goes on under a number of its own."""
        still, process.open = process.open, {}
        for kind, request, lane, t_us in still:
            tracked = request < UNTRACKED
            number = self._number(process, last, request) if tracked else request
            process.open[kind, number, lane, t_us] = None
            self._write(t_us, OPEN, number, lane, kind, 0)
            if request in earlier:
                self._requests[number] = earlier[request]
                self._mark(number)


def _notes(lines: bytes) -> Iterator[dict[str, Any]]:
    for line in lines.splitlines():
        with contextlib.suppress(ValueError):
            told = json.loads(line)
            if isinstance(told, dict):
                yield told


def _told(note: dict[str, Any]) -> dict[str, Any]:
    names = ("label", "status", "error", "cpu_us")
    return {name: note[name] for name in names if note.get(name) is not None}


def _start_sampler(path: str) -> subprocess.Popen[bytes]:
    """It ends with its standard input, so with this process, whatever becomes of it."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", sampler.__file__, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _listen() -> tuple[socket.socket, Path]:
    if not hasattr(socket, "AF_UNIX"):
        raise CollectorError(
            "This system has no Unix datagram sockets, which the picture of a running server needs:"
            " use Linux or macOS, or pass trace=False."
        )
    folder = Path(tempfile.mkdtemp(prefix="trace-"))
    if len(os.fsencode(folder)) > PATH_LIMIT:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="trace-", dir="/tmp"))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.setblocking(False)
    listener.bind(str(folder / "records"))
    return listener, folder


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
