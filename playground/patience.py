"""Deadlines that a busy machine does not use up.

Who waits for another process cannot tell by the clock whether it hangs, or wants to run and is not
let. So a wait is over only when its time has passed **and** the process has come to rest (all its
threads sleep) or has been given its share of processor time: in its life as much as it had time,
and a little since.
"""

import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

SHARE_S = 0.25  # of processor time; who has used that since the deadline is not kept from running
LONGEST = 4  # times the seconds asked for, and …
LEAST_S = 5.0  # … at least this, until even a process that is never let run is given up
LOOKS = 3  # in a row that must find every thread asleep
PAUSE_S = 0.005  # between two looks


class Patience:
    """A deadline ``seconds`` from now for the processes whose ids ``pids()`` returns. ``share_s``
    of processor time after it are enough for them, if they have had ``seconds`` of it in all.
    """

    def __init__(
        self, pids: Callable[[], Iterable[int]], seconds: float, share_s: float = SHARE_S
    ) -> None:
        self._pids, self._seconds, self._share_s = pids, seconds, share_s
        self._limit = time.monotonic() + seconds
        self._last = self._limit + max(LONGEST * seconds, LEAST_S)
        self._used_s: float | None = None  # until the deadline

    def over(self) -> bool:
        """Whether there is nothing to wait for any more."""
        now = time.monotonic()
        if now < self._limit:
            return False
        pids = list(self._pids())
        used_s = processor_time(pids)
        if self._used_s is None:
            self._used_s = used_s
            self._share_s = max(self._share_s, self._seconds - used_s)
        return now > self._last or used_s - self._used_s > self._share_s or _stays_at_rest(pids)

    def exhausted(self) -> bool:
        """Whether it is over for them whatever they do."""
        return time.monotonic() > self._last


def at_rest(pids: Iterable[int]) -> bool:
    """Tell whether no thread of these processes runs or could run.

    One that has ended is at rest. Where the system does not show threads in ``/proc``, all are.
    """
    for pid in pids:
        for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
            with contextlib.suppress(OSError):
                if stat.read_text().rpartition(")")[2].split()[0] not in "SZXtT":
                    return False
    return True


def ended(pid: int) -> bool:
    """Tell whether a process has ended, reaped or not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def processor_time(pids: Iterable[int]) -> float:
    """Seconds that the living ones of these processes have used, all in all."""
    used_s = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            used_s += times.user + times.system
    return used_s


def _stays_at_rest(pids: list[int]) -> bool:
    for look in range(LOOKS):
        if look:
            time.sleep(PAUSE_S)
        if not at_rest(pids):
            return False
    return True
