"""The processes of a server: which there are, what each is, and what each does at this moment."""

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from playground.trace.records import now_us

Role = Literal["parent", "worker"]

PROC = Path("/proc/self/stat").exists()  # the system tells of its processes there
TICK_S = 1 / os.sysconf("SC_CLK_TCK") if PROC else 0.0  # to which a process's start is known
MIB = 1 << 20
HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
PROCESS_STATES = (  # as a gauge tells them: by their place here
    "starting",
    "running",
    "sleeping",
    "disk-sleep",
    "stopped",
    "other",
)


@dataclass(frozen=True)
class ProcessInfo:
    """One process of a server, now.

    ``role``: a worker has loaded the app, or is about to; a parent starts workers. A server of one
    process is a worker. ``state`` is the system's word (``"running"``, ``"sleeping"``,
    ``"stopped"`` …), or ``"starting"`` until the app is loaded. ``cpu_s`` are seconds of processor
    time since its start, ``age_s`` seconds since then. ``pss_mib`` is its proportional set size in
    MiB: what processes share is divided among them (macOS: USS, what it has for itself alone).
    ``restarts`` of the first process: workers that came after the server was ready, without those
    that TTIN asked for; 0 of all others.
    """

    pid: int
    role: Role
    state: str
    cpu_s: float
    pss_mib: float
    age_s: float
    restarts: int


class Census:
    """Knows the processes that descend from ``first``. All methods may be called from any thread.

    In ``state`` each process leaves a file ``loaded-PID`` when it has loaded the app. With
    ``forks``, children of the first process are workers even if that has loaded the app itself.
    """

    def __init__(self, first: int, state: Path, forks: bool) -> None:
        self._first, self._state, self._forks = first, state, forks
        self._lock = threading.Lock()
        self._names: set[int] = set()  # every process of the machine at the last look
        self._parents: dict[int, int] = {}  # of the server's: whose child each is
        self._starts: dict[int, float] = {}  # of the server's, in seconds after the machine's
        self._came: set[int] = set()  # every worker ever seen
        self._before = 0  # of which so many when the server was ready
        self._asked = 0  # and so many that somebody asked for

    def ready(self) -> None:
        """Whoever comes from now on is a restart."""
        self.members()
        self._before = len(self._everybody())

    def ask(self) -> None:
        """A further worker was asked for: it is no restart."""
        self._asked += 1

    @property
    def restarts(self) -> int:
        """Workers that came after the server was ready without being asked for."""
        return max(0, len(self._everybody()) - self._before - self._asked)

    def members(self) -> dict[int, Role]:
        """The living parents and workers, the first process first, then as they came."""
        with self._lock:
            if PROC:
                self._scan()
            else:
                self._ask_psutil()
            roles = self._roles()
            self._came.update(pid for pid, role in roles.items() if role == "worker")
        return roles

    def began_us(self, pid: int) -> float:
        """When a member came, on the clock of the trace, a hundredth of a second late at most."""
        start = self._starts.get(pid)
        if start is None:
            return now_us()
        return now_us() - max(0.0, _uptime_s() - start - TICK_S) * 1e6

    def infos(self) -> list[ProcessInfo]:
        """Each member, now."""
        told = (self.info(pid, role) for pid, role in self.members().items())
        return [info for info in told if info is not None]

    def info(self, pid: int, role: Role, pss_mib: float | None = None) -> ProcessInfo | None:
        """One member, or None if it has just ended. ``pss_mib`` if that is known already."""
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process = psutil.Process(pid)
            with process.oneshot():
                times, state = process.cpu_times(), process.status()
            if state == psutil.STATUS_ZOMBIE:
                return None
            if role == "worker" and self.starting(pid):
                state = "starting"
            start = self._starts.get(pid)
            age_s = time.time() - process.create_time() if start is None else _uptime_s() - start
            return ProcessInfo(
                pid,
                role,
                str(state),
                times.user + times.system,
                memory_mib(pid) if pss_mib is None else pss_mib,
                max(0.0, age_s),
                self.restarts if pid == self._first else 0,
            )
        return None

    def starting(self, pid: int) -> bool:
        """Whether a worker has not loaded the app; of one that was forked after that: no."""
        return not (self._loaded(pid) or self._loaded(self._first))

    def _roles(self) -> dict[int, Role]:
        """Of each that serves or starts those who serve."""
        first = self._first
        alone = self._loaded(first) and not self._forks
        over = {above for pid, above in self._parents.items() if self._loaded(pid)}
        roles: dict[int, Role] = {first: "parent"} if first in self._parents else {}
        for pid, above in self._parents.items():
            if pid == first:
                continue
            if self._loaded(pid):
                roles[pid] = "worker"
            elif not alone and roles.get(above) == "parent" and not is_helper(pid):
                roles[pid] = "parent" if pid in over else "worker"  # a second one: after USR2
        if set(roles) == {first} and self._loaded(first) and not self._came - {first}:
            roles[first] = "worker"
        return roles

    def _everybody(self) -> set[int]:
        """Every worker that has been seen, or has left its file meanwhile."""
        left = {int(path.name.partition("-")[2]) for path in self._state.glob("loaded-*")}
        return (self._came | left) - {self._first}

    def _loaded(self, pid: int) -> bool:
        return (self._state / f"loaded-{pid}").exists()

    def _scan(self) -> None:
        """Look at whoever is new on the machine: once at each."""
        names = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        fresh = {pid: stat for pid in sorted(names - self._names) if (stat := _stat(pid))}
        self._names = names
        for pid in list(self._parents):
            stat = _stat(pid)
            if stat is None or stat[0] == "Z" or stat[2] != self._starts[pid]:
                del self._parents[pid], self._starts[pid]
        while found := [pid for pid in fresh if self._is_ours(pid, fresh[pid][1])]:
            for pid in found:
                state, above, start = fresh.pop(pid)
                if state != "Z":
                    self._parents[pid], self._starts[pid] = above, start

    def _is_ours(self, pid: int, above: int) -> bool:
        return pid == self._first or above in self._parents

    def _ask_psutil(self) -> None:
        self._parents = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._first)
            if first.status() == psutil.STATUS_ZOMBIE:
                return
            self._parents[self._first] = first.ppid()
            for child in first.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if child.status() != psutil.STATUS_ZOMBIE:
                        self._parents[child.pid] = child.ppid()


def memory_mib(pid: int) -> float:
    """Its proportional set size in MiB; USS where the system does not tell (macOS).

    Raises ``psutil.NoSuchProcess`` if it has ended.
    """
    held = psutil.Process(pid).memory_full_info()
    return getattr(held, "pss", held.uss) / MIB


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal; True where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{pid}/status").read_text()
        mask = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(mask.split()[1], 16) >> (number - 1) & 1)
    return True


def _stat(pid: int) -> tuple[str, int, float] | None:
    """State, parent, and start in seconds after the machine's (proc(5)); None if it has ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return told[0], int(told[1]), int(told[19]) * TICK_S


def _uptime_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def is_helper(pid: int) -> bool:
    """Whether it serves nothing and starts nobody: Python's own, of a supervisor that spawns."""
    with contextlib.suppress(psutil.Error):
        words = " ".join(psutil.Process(pid).cmdline())
        return any(name in words for name in HELPERS)
    return False
