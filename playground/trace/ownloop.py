"""Watches the course's own event loop: the steps of all tasks of a request, and who is ready.

``watch(loop)`` wraps three things of a ``minimal_servers.eventloop.Loop``, or of one that a reader
has built: ``step``, ``ready.append`` and the selector's ``select``. From the first request on, the
tracer of ``playground.trace.asgi`` records through it what it records on asyncio's loops, and more:

READY is exact, also for timers, which are ready since they were due, not since the loop has looked.
It is a lower bound only for a socket that was found ready by a loop that had not been waiting:
nobody knows since when it was. Each timer of a request tells the loop's lag: how late it was found.
"""

import inspect
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from playground.trace.records import NOBODY
from playground.trace.steps import AWAIT, GAUGE, IDLE, LEAST_READY_US, READY, LoopTrace, Steps

SOCKETS = ("accept", "recv", "send")  # what a task waits for when it waits for a socket
current = threading.local()  # .watch: of the loop whose step this thread is in
clock = time.monotonic_ns


def watch(loop: Any) -> Any:
    """Have a loop that has not begun to run recorded; the same loop."""
    Watch(loop)
    return loop


def running() -> "Watch | None":
    """The watch of the loop that runs in this thread, if it is watched."""
    return getattr(current, "watch", None)


class Ready(deque[Any]):
    """A ready queue that tells of everybody who joins it."""

    def __init__(self, watch: "Watch", waiting: Iterable[Any]) -> None:
        super().__init__(waiting)
        self._watch = watch

    def append(self, task: Any) -> None:
        """The task is ready from now on."""
        super().append(task)
        self._watch.joined(task)


class Watch:
    """What is known of one loop. ``trace`` is where it goes, from the first request on."""

    def __init__(self, loop: Any) -> None:
        self.trace: LoopTrace | None = None
        self._waited = False  # the selector was really waited in, and something ended that
        loop.ready = Ready(self, loop.ready)
        loop.step = self._within(loop.step)
        loop.selector.select = self._timed(loop.selector.select)

    def begin(self, trace: LoopTrace) -> None:
        """Record into ``trace`` from now on."""
        trace.selecting = True
        self.trace = trace

    def joined(self, task: Any) -> None:
        """A task has joined the ready queue: it was created, or what it waited for is there."""
        trace = self.trace
        if trace is None:
            return
        if is_new(task.coroutine):
            parent = trace.running
            if parent is not None and parent.request is not None:
                task.coroutine = Steps(task.coroutine, parent.request, task=True)
            return
        now = clock() / 1000
        since = self._ready_since(task, now)
        steps = steps_of(task.coroutine)
        if steps is not None and steps.request is not None:
            if since is not None and not steps.ready:
                make_ready(trace, steps, since)
            if since is not None and task.waits_for.due and task.throw is None:
                lag = trace.batch.channel.gauge("loop lag")
                trace.batch.append((now, max(now - since, 0.0), NOBODY, lag, GAUGE, 0))

    def _ready_since(self, task: Any, now: float) -> float | None:
        """In µs; None if that is not known exactly."""
        future = task.waits_for
        if task.throw is None and future.due:
            return float(future.due * 1e6)
        if task.throw is None and future.what in SOCKETS and not self._waited:
            return None
        return now

    def _within(self, step: Callable[[Any], None]) -> Callable[[Any], None]:
        def watched(task: Any) -> None:
            outer, current.watch = running(), self
            try:
                step(task)
            finally:
                current.watch = outer

        return watched

    def _timed(self, select: Callable[[float], Any]) -> Callable[[float], Any]:
        def watched(timeout: float) -> Any:
            self._wake()  # what happened in this turn is to be sent
            begun = clock() / 1000
            found = select(timeout)
            ended = clock() / 1000
            self._wake()  # and of a step that blocks it is told while it lasts
            self._waited = timeout > 0 and ended - begun > LEAST_READY_US
            trace = self.trace
            if trace is not None:
                trace.returned = ended
                if timeout > 0 and (trace.serving or trace.tasks):
                    trace.batch.append((begun, ended - begun, NOBODY, trace.lane, IDLE, 0))
            return found

        return watched

    def _wake(self) -> None:
        """This loop has no tick that would wake the thread which sends, once that rests."""
        if self.trace is not None:
            self.trace.batch.wake()


def is_new(coroutine: Any) -> bool:
    """Whether it is a coroutine that has not begun."""
    known = inspect.iscoroutine(coroutine)
    return known and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


def steps_of(coroutine: Any) -> Steps | None:
    """The recorded coroutine that a task's coroutine is, or awaits at some depth."""
    while coroutine is not None and not isinstance(coroutine, Steps):
        coroutine = getattr(coroutine, "cr_await", None)
    return coroutine


def make_ready(trace: LoopTrace, steps: Steps, since: float) -> None:
    """A coroutine of a request could make its next step, since ``since`` (µs)."""
    request = steps.request
    assert request is not None
    steps.ready = True
    request.ready += 1
    kind, begun = request.state
    if kind == AWAIT:
        since = max(since, begun)
        request.state = READY, since
        request.end_wait(begun, since)
        trace.changed.add(request)
