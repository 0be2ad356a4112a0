"""The sampler: a process of its own that tells what threads of a server do, without disturbing
them.

``python sampler.py SOCKET``. It reads what Linux counts for each thread in
``/proc/PID/task/TID/schedstat`` (nanoseconds on a processor, nanoseconds runnable on a run queue,
times it got a processor) every 4 ms, and sends the parts of each thread's time to the collector:

- STEP: on a processor;
- READY: runnable, while others had the processors;
- AWAIT: asleep: in I/O, in ``time.sleep``, or for the GIL.

A window in which a thread slept for more than half of the time is AWAIT, else it is what the thread
was for longer. Where the sampler itself came late, a window is told only if it was nearly all one
of them; else nothing is claimed. Linux counts the wait on a run queue when it is over: a part that
had looked like sleep ends earlier then, and READY begins there.

Standard input brings lines: ``watch PID``, ``busy`` (sample until told otherwise) and ``rest``
(stop in a moment). Its end is the sampler's end. Standard library only; the collector imports the
constants.
"""

import contextlib
import os
import resource
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass

MAGIC = b"PGS1"
PART = struct.Struct("<IIddB")  # pid, tid, t_us, dur_us (NaN = open), kind
STEP, AWAIT, READY, UNKNOWN = 4, 5, 6, 0  # those of playground.trace.records.Kind
OPEN = float("nan")

TICK_US = 4_000.0
# subtle: most kernels count a running thread's time at multiples of 1 or 4 ms: look just after one
AFTER_US = 250.0
LATE_US = 3 * TICK_US  # a window longer than this is told only if it is nearly all one state
NEARLY_ALL = 0.9
LINGER_S = 1.0  # after ``rest``
UNSENT = 10_000  # parts that wait for a full socket
THREADS = 256  # of one process that are watched
JOINED = 500  # parts in one datagram

SUPPORTED = os.path.exists("/proc/self/schedstat")


@dataclass
class Seen:
    """A thread: what was read last, and the part that is open."""

    descriptor: int
    at_us: float
    on_processor: float  # µs, like the next
    on_queue: float
    kind: int = UNKNOWN
    since_us: float = 0.0


class Sampler:
    """Watches threads and sends their parts to the socket at ``path``."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(path)
        self._threads: dict[tuple[int, int], Seen] = {}
        self._unsent: list[bytes] = []
        self._pids: set[int] = set()

    def watch(self, pid: int) -> None:
        """Look at the threads of this process from now on."""
        self._pids.add(pid)
        self._discover(pid)

    def _discover(self, pid: int) -> None:
        try:
            tids = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
        except OSError:  # it has ended
            self._pids.discard(pid)
            return
        for tid in tids[:THREADS]:
            if (pid, tid) not in self._threads:
                with contextlib.suppress(OSError, ValueError):
                    place = f"/proc/{pid}/task/{tid}/schedstat"
                    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
                    self._threads[pid, tid] = Seen(descriptor, now_us(), *read(descriptor))

    def look(self) -> None:
        """One sample of every thread."""
        for name, seen in list(self._threads.items()):
            try:
                counted = read(seen.descriptor)
            except (OSError, ValueError):  # the thread has ended
                self._turn(name, seen, UNKNOWN, seen.at_us)
                os.close(seen.descriptor)
                del self._threads[name]
            else:
                self._window(name, seen, now_us(), *counted)
        self._send()

    def pause(self) -> None:
        """Nothing is known from the last sample on until ``resume``."""
        for name, seen in self._threads.items():
            self._turn(name, seen, UNKNOWN, seen.at_us)
        self._send()

    def resume(self) -> None:
        """Begin a window of every thread now."""
        for pid in list(self._pids):
            self._discover(pid)
        for seen in self._threads.values():
            with contextlib.suppress(OSError, ValueError):
                seen.on_processor, seen.on_queue = read(seen.descriptor)
                seen.at_us = now_us()

    def _window(
        self, name: tuple[int, int], seen: Seen, now: float, on_processor: float, on_queue: float
    ) -> None:
        length = now - seen.at_us
        ran, queued = on_processor - seen.on_processor, on_queue - seen.on_queue
        earlier = ran + queued - length  # what was counted late and belongs to the time before
        if earlier > 0 and seen.kind == AWAIT:
            back = max(seen.since_us, seen.at_us - earlier)
            self._turn(name, seen, READY if queued > ran else STEP, back)
        self._turn(name, seen, kind_of(length, ran, queued), seen.at_us)
        seen.at_us, seen.on_processor, seen.on_queue = now, on_processor, on_queue

    def _turn(self, name: tuple[int, int], seen: Seen, kind: int, at_us: float) -> None:
        """The thread is in another state since ``at_us``, if it is another."""
        if kind == seen.kind:
            return
        if seen.kind != UNKNOWN:
            self._unsent.append(
                PART.pack(*name, seen.since_us, max(0.0, at_us - seen.since_us), seen.kind)
            )
        if kind != UNKNOWN:
            self._unsent.append(PART.pack(*name, at_us, OPEN, kind))
        seen.kind, seen.since_us = kind, at_us

    def _send(self) -> None:
        while self._unsent:
            try:
                self._socket.send(MAGIC + b"".join(self._unsent[:JOINED]))
            except BlockingIOError:
                del self._unsent[:-UNSENT]
                return
            del self._unsent[:JOINED]


def kind_of(length: float, ran: float, queued: float) -> int:
    """The state of a window of ``length`` µs of which so many were on a processor or a queue."""
    ran = min(ran, length)
    queued = min(queued, length - ran)
    shares = {STEP: ran, READY: queued, AWAIT: length - ran - queued}
    most = max(shares, key=lambda kind: shares[kind])
    if length > LATE_US:
        return most if shares[most] >= NEARLY_ALL * length else UNKNOWN
    if shares[AWAIT] * 2 > length:
        return AWAIT
    return STEP if ran >= queued else READY


def read(descriptor: int) -> tuple[float, float]:
    """Microseconds on a processor and on a run queue; raises OSError when the thread has ended."""
    on_processor, on_queue, _ = os.pread(descriptor, 100, 0).split()
    return int(on_processor) / 1000, int(on_queue) / 1000


def now_us() -> float:
    """The time on CLOCK_MONOTONIC in microseconds."""
    return time.monotonic_ns() / 1000


def to_next_tick_s() -> float:
    """Seconds until the next sample."""
    return (TICK_US - (now_us() - AFTER_US) % TICK_US) / 1e6


def main(path: str) -> None:
    """Sample until standard input ends."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sampler = Sampler(path)
    awake, until_s, rest = False, 0.0, b""
    while True:
        if select.select([0], [], [], to_next_tick_s() if awake else None)[0]:
            heard = os.read(0, 65_536)
            if not heard:
                return
            *lines, rest = (rest + heard).split(b"\n")
            for line in lines:
                if line.startswith(b"watch "):
                    sampler.watch(int(line[6:]))
                else:
                    until_s = float("inf") if line == b"busy" else time.monotonic() + LINGER_S
            if not awake and time.monotonic() < until_s:
                awake = True
                sampler.resume()
        elif time.monotonic() < until_s:
            sampler.look()
        else:
            awake = False
            sampler.pause()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, ConnectionError, FileNotFoundError):
        main(sys.argv[1])
