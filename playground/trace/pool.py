"""What pool threads do for requests: ``ThreadPoolExecutor.submit`` and ``anyio.to_thread.run_sync``
record the function they are given, while a server is traced.
"""

import concurrent.futures
import functools
import sys
import threading
from collections.abc import Callable
from typing import Any

from playground.trace.frames import hide_own_frames
from playground.trace.records import NOBODY, OPEN, Flag, Kind, now_us
from playground.trace.steps import REQUEST, RequestTrace

Executor = concurrent.futures.ThreadPoolExecutor
counting = threading.Lock()
counts = {"in the pool": 0, "waiting for the pool": 0}


class Job:
    """A function for a pool thread, and for whom."""

    def __init__(self, function: Callable[..., Any], request: RequestTrace) -> None:
        self._function, self._request, self._begun = function, request, False
        self._count(waiting=1)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self._begun = True
        self._count(waiting=-1, inside=1)
        request = self._request
        lane, begun, flag = request.loop.batch.channel.lane("pool"), now_us(), 0
        request.append((begun, OPEN, request.number, lane, Kind.WORKER, 0))
        try:
            return self._function(*arguments, **named)
        except BaseException as error:
            flag = int(Flag.ERROR)
            hide_own_frames(error)
            raise
        finally:
            took = now_us() - begun
            request.append((begun, took, request.number, lane, Kind.WORKER, flag))
            self._count(inside=-1)

    def __del__(self) -> None:
        if not self._begun:  # cancelled before a thread took it
            self._count(waiting=-1)

    def _count(self, waiting: int = 0, inside: int = 0) -> None:
        batch = self._request.loop.batch
        with counting:
            for name, change in (("waiting for the pool", waiting), ("in the pool", inside)):
                if change:
                    counts[name] += change
                    row = (now_us(), float(counts[name]), NOBODY, batch.channel.gauge(name))
                    batch.append((*row, Kind.GAUGE, 0))


def watch_pools() -> None:
    """Record pool work from now on; calling it again changes nothing."""
    if not hasattr(Executor.submit, "__wrapped__"):
        setattr(Executor, "submit", _submit(Executor.submit))  # noqa: B010
    to_thread: Any = sys.modules.get("anyio.to_thread")
    if to_thread is not None and not hasattr(to_thread.run_sync, "__wrapped__"):
        to_thread.run_sync = _run_sync(to_thread.run_sync)


def unwatch_pools() -> None:
    """As it was before."""
    to_thread: Any = sys.modules.get("anyio.to_thread")
    for owner, name in ((Executor, "submit"), (to_thread, "run_sync")):
        found: Any = getattr(owner, name, None)
        if hasattr(found, "__wrapped__"):
            setattr(owner, name, found.__wrapped__)


def _submit(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def submit(self: Any, function: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        request = REQUEST.get()
        job = function if request is None else Job(function, request)
        return original(self, job, *args, **named)

    return submit


def _run_sync(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def run_sync(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        request = REQUEST.get()
        job = function if request is None else Job(function, request)
        return original(job, *args, **options)

    return run_sync
