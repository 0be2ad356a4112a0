"""What becomes of a server's processes during a run, written into its trace as it happens.

Gauges, ten times a second: ``CPU %`` of one core, ``PSS MiB``, ``state`` (a place in
``PROCESS_STATES``) and ``restarts``. In the metadata: ``processes``, a list of ``pid``, ``role``,
``began_us`` and ``ended_us`` (None while it lives), and ``marks``, a list of ``t_us``, ``what``
(``"signal"``, ``"began"``, ``"ended"``), ``name`` and ``pid``, in the order in which they were
seen. Of what is seen at one look, ends come before beginnings.
"""

import contextlib
import os
import select
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

import psutil

from playground.setups.processes import PROC, PROCESS_STATES, Census, Role, memory_mib
from playground.trace.collector import Collector
from playground.trace.records import NOBODY, Kind, now_us

LOOK_S = 0.02 if PROC else 0.1  # between two looks at who there is
SAMPLE_S = 0.1  # between two samples
SHARE = 0.05  # of the time at most that goes into memory, which is slow to tell of large processes
MOST_MARKS = 500  # workers may die as fast as they come
CLOSE_S = 5.0

Told = dict[str, Any]


@dataclass
class _Seen:
    """What is known of one process."""

    told: Told
    pidfd: int | None
    cpu_s: float | None = None
    sampled_us: float = 0.0
    pss_mib: float = 0.0
    weigh_us: float = 0.0  # when its memory is due


class Watch:
    """Looks at the processes of a server until ``close()``, or until its collector is closed."""

    def __init__(self, census: Census, collector: Collector) -> None:
        self._census, self._collector = census, collector
        self._lock = threading.RLock()
        self._seen: dict[int, _Seen] = {}
        self._rows: list[Told] = []
        self._marks: list[Told] = []
        self._last: dict[int, float] = {}  # what each gauge said last
        self._ends: dict[int, float] = {}  # when the system told of them
        self._looked_us = 0.0
        self._closing = False
        self._wake, self._waker = socket.socketpair()
        self._look()
        self._tell()
        self._thread = threading.Thread(target=self._run, name="process-watch", daemon=True)
        self._thread.start()

    def mark(self, name: str, pid: int) -> None:
        """A signal is sent to a process, now."""
        with self._lock:
            if self._closing:
                return
            self._add("signal", now_us(), pid, name)
            self._tell()

    def await_replacement(self, seconds: float) -> None:
        """If a worker was lost, and nobody asked for that, wait a moment for the one that comes."""
        until = time.monotonic() + seconds
        while self._lacks_one() and time.monotonic() < until:
            time.sleep(LOOK_S)

    def _lacks_one(self) -> bool:
        with self._lock:
            lost = sum(m["what"] == "ended" for m in self._marks)
            came = sum(m["what"] == "began" for m in self._marks)
            wanted = any(m["name"] in ("TTOU", "TERM", "QUIT", "INT") for m in self._marks)
            parent = any(one.told["role"] == "parent" for one in self._seen.values())
            return parent and not wanted and came < lost

    def close(self) -> None:
        """End, after a last look."""
        if self._closing:
            return
        self._closing = True
        self._waker.send(b"x")
        self._thread.join(CLOSE_S)
        self._look()
        for used in (self._wake, self._waker):
            used.close()
        for seen in self._seen.values():
            _close(seen.pidfd)

    def _run(self) -> None:
        due = 0.0
        while not self._closing:
            self._look()
            if time.monotonic() >= due:
                due = time.monotonic() + SAMPLE_S
                self._sample()
            self._wait()

    def _wait(self) -> None:
        """Until the next look is due; at once when a process ends, where the system tells."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        known = {seen.pidfd: pid for pid, seen in self._seen.items() if seen.pidfd is not None}
        for pidfd in known:
            poll.register(pidfd, select.POLLIN)
        for descriptor, _ in poll.poll(LOOK_S * 1000):
            if descriptor in known:
                self._ends.setdefault(known[descriptor], now_us())

    def _look(self) -> None:
        """Who has ended since the last look, and who has come."""
        with self._lock:
            members, now = self._census.members(), now_us()
            gone = [pid for pid in self._seen if pid not in members]
            latest = max([self._looked_us, *(self._gone(pid, now) for pid in gone)])
            for pid, role in members.items():
                if pid not in self._seen:
                    self._came(pid, role, latest)
                    gone.append(pid)
                elif self._seen[pid].told["role"] != role:
                    self._seen[pid].told["role"] = role
                    gone.append(pid)
            self._looked_us = now
            if gone:
                self._tell()

    def _gone(self, pid: int, now: float) -> float:
        seen = self._seen.pop(pid)
        _close(seen.pidfd)
        seen.told["ended_us"] = ended = self._ends.pop(pid, now)
        self._add("ended", ended, pid)
        return ended

    def _came(self, pid: int, role: Role, latest: float) -> None:
        began = min(max(self._census.began_us(pid), latest), now_us())
        if not self._looked_us:
            began = self._census.began_us(pid)  # it was there before
        told = {"pid": pid, "role": role, "began_us": began, "ended_us": None}
        pidfd = None
        with contextlib.suppress(OSError, AttributeError):
            pidfd = os.pidfd_open(pid)
        self._seen[pid] = _Seen(told, pidfd)
        if len(self._rows) < MOST_MARKS:
            self._rows.append(told)
        if self._looked_us:
            self._add("began", began, pid)

    def _add(self, what: str, t_us: float, pid: int, name: str = "") -> None:
        if len(self._marks) < MOST_MARKS:
            self._marks.append({"t_us": t_us, "what": what, "name": name, "pid": pid})

    def _tell(self) -> None:
        """The trace gets copies: what it has been told does not change."""
        rows = [dict(row) for row in self._rows]
        self._collector.annotate(processes=rows, marks=list(self._marks))

    def _sample(self) -> None:
        for pid, seen in list(self._seen.items()):
            with contextlib.suppress(psutil.Error):
                self._weigh(pid, seen)
            info, now = self._census.info(pid, seen.told["role"], seen.pss_mib), now_us()
            if info is None:
                continue
            if seen.cpu_s is not None:
                used = (info.cpu_s - seen.cpu_s) / (now - seen.sampled_us) * 1e6
                self._gauge(pid, "CPU %", 100 * max(0.0, used), now)
            seen.cpu_s, seen.sampled_us = info.cpu_s, now
            self._gauge(pid, "PSS MiB", seen.pss_mib, now)
            known = info.state if info.state in PROCESS_STATES else "other"
            self._gauge(pid, "state", PROCESS_STATES.index(known), now)
            if info.role == "parent":
                self._gauge(pid, "restarts", info.restarts, now)

    def _weigh(self, pid: int, seen: _Seen) -> None:
        """Ask for its memory, unless that has just taken long."""
        began = now_us()
        if began >= seen.weigh_us:
            seen.pss_mib = memory_mib(pid)
            cost = now_us() - began
            seen.weigh_us = now_us() + cost * max(1, len(self._seen)) / SHARE

    def _gauge(self, pid: int, name: str, value: float, now: float) -> None:
        """Only what has changed."""
        lane = self._collector.gauge(pid, name)
        value = round(value, 1)
        if self._last.get(lane) != value:
            self._last[lane] = value
            self._collector.record(Kind.GAUGE, now, value, NOBODY, lane)


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
