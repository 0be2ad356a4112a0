"""The steps of requests on one event loop: what runs when, who is ready, and when nobody is.

``LoopTrace`` belongs to a loop, ``RequestTrace`` to a request in service on it, and ``Steps`` to a
coroutine of that request, driven step by step. Everything but the note-taking happens in the loop's
thread, so steps never overlap.

READY is exact for a task that was just created or has yielded with ``sleep(0)``. Else it is a lower
bound: on asyncio, whatever runs in one turn of the loop was ready when the selector returned; on
every loop that keeps its callbacks in order, whatever runs before a mark does was ready when the
mark was set, which happens at the end of each long step.
"""

import asyncio
import contextvars
import time
from collections.abc import Coroutine, Generator, Iterator
from typing import Any

from playground.trace.batch import Batch, Row
from playground.trace.frames import hide_own_frames
from playground.trace.records import NOBODY, OPEN, Flag, Kind

REQUEST: contextvars.ContextVar["RequestTrace | None"] = contextvars.ContextVar(
    "playground_request", default=None
)
STEP, AWAIT, READY, IDLE, GAUGE = map(
    int, (Kind.STEP, Kind.AWAIT, Kind.READY, Kind.IDLE, Kind.GAUGE)
)
LOWER_BOUND = int(Flag.LOWER_BOUND)
LEAST_READY_US = 20.0  # below this the loop's own work is what one sees
LONG_US = 500.0  # a step after which others are likely to have become ready
TICK_S = 0.025  # of the gauge of the loop's lag
LINGER_US = 100_000.0  # for which that gauge goes on when the last request is over
UNTOLD = 0  # a state that no open span is told of
clock = time.monotonic_ns


class RequestTrace:
    """One request: how many of its coroutines are ready, and what it is doing since when.

    Whoever can still record something for it holds a reference; so its end is the last that is
    told of it.
    """

    __slots__ = ("cpu_us", "loop", "number", "over", "ready", "run", "state")

    def __init__(self, loop: "LoopTrace", run: int, number: int, begun: float) -> None:
        self.loop, self.run, self.number = loop, run, number
        self.state = UNTOLD, begun  # one value: another thread reads it
        self.ready = 0
        self.cpu_us = 0.0
        self.over = False

    def __del__(self) -> None:
        self.loop.batch.tell(self.run, b'{"request": %d, "end": 1}\n' % self.number)


class LoopTrace:
    """What is going on on one loop. ``running`` is the coroutine in its step, ``since`` when."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None, batch: Batch, cpu: bool) -> None:
        self.loop = loop  # None: not of asyncio's family, so only the requests' own calls are seen
        self.batch = batch
        self.cpu = cpu
        self.lane = batch.channel.lane("loop")
        self.running: Steps | None = None
        self.since = 0.0
        self.floor = 0.0  # a step that begins now has been ready since then; 0: nobody knows
        self.idle_since = 0.0  # 0: not in the selector
        self.changed: set[RequestTrace] = set()
        self.tasks = self.serving = 0
        self._told_tasks = -1
        self._last_end = 0.0
        self._ticking = self._marked = False
        self.selecting = False  # the selector can be observed
        self._context = contextvars.Context()
        batch.watched.append(self.tell_open)

    def begin(self) -> None:
        """A request is in service from now on."""
        self.serving += 1
        if not self._ticking and self.loop is not None:
            self._ticking = True
            self._tick_later()

    def end(self) -> None:
        """A request is over."""
        self.serving -= 1
        self._last_end = clock() / 1000

    def enter(self, steps: "Steps", request: RequestTrace) -> "Steps | None":
        """A step begins. The coroutine whose step it interrupts, if there is one."""
        now = clock() / 1000
        append, lane = self.batch.append, self.lane
        outer = self.running
        kind, since = request.state
        run, number = request.run, request.number
        if kind == UNTOLD and not request.over:  # its first step
            now = since
        request.state = UNTOLD if request.over else STEP, now
        if outer is not None and outer.request is not None:
            of, begun = outer.request, self.since
            if of is not request:
                of.state = UNTOLD, now
            append((of.run, begun, now - begun, of.number, lane, STEP, 0))
        if steps.ready:
            steps.ready = False
            request.ready -= 1
        if kind == READY:
            append((run, since, now - since, number, lane, READY, 0))
        elif kind == AWAIT:
            ready = self.floor if self.floor > since else since
            if self.floor and now - ready > LEAST_READY_US:
                append((run, since, ready - since, number, lane, AWAIT, 0))
                append((run, ready, now - ready, number, lane, READY, LOWER_BOUND))
            else:
                append((run, since, now - since, number, lane, AWAIT, 0))
        self.changed.add(request)
        self.running, self.since = steps, now
        if self.cpu:
            steps.cpu_ns = time.thread_time_ns()
        return outer

    def leave(self, steps: "Steps", outer: "Steps | None") -> None:
        """A step is over, and the one that it interrupted goes on."""
        request = steps.request
        now = clock() / 1000
        self.running = outer
        if request is not None:
            if self.cpu:
                request.cpu_us += (time.thread_time_ns() - steps.cpu_ns) / 1000
            since = self.since
            if request.over:
                request.state = UNTOLD, now
            else:
                request.state = READY if request.ready else AWAIT, now
            self.batch.append((request.run, since, now - since, request.number, self.lane, STEP, 0))
            if now - since > LONG_US and not self.selecting:
                self._mark(now)
        self.since = now
        if outer is not None and outer.request is not None:
            outer.request.state = STEP, now

    def release(self, steps: "Steps") -> None:
        """The task that runs turns to a request of its own: the next one of the connection."""
        request = steps.request
        if request is not None:
            if request.over:  # nothing that it should be told of
                request.state = UNTOLD, self.since
            else:
                self.leave(steps, None)
            self.running = steps
            steps.forget()

    def give_up(self, request: RequestTrace) -> None:
        """Its coroutine was closed while it waited."""
        (kind, since), now = request.state, clock() / 1000
        request.over, request.state = True, (UNTOLD, now)
        if kind in (AWAIT, READY):
            self.batch.append((request.run, since, now - since, request.number, self.lane, kind, 0))

    def _mark(self, now: float) -> None:
        if not self._marked and self.loop is not None:
            self._marked, self.floor = True, now
            self.loop.call_soon(self._unmark, context=self._context)

    def _unmark(self) -> None:
        self._marked, self.floor = False, 0.0

    def _tick_later(self) -> None:
        assert self.loop is not None
        due = clock() / 1000 + TICK_S * 1e6
        self.loop.call_later(TICK_S, self._tick, due, context=self._context)

    def _tick(self, due: float) -> None:
        now = clock() / 1000
        self.batch.wake()
        lane = self.batch.channel.gauge("loop lag")
        self.batch.append((0, now, max(now - due, 0.0), NOBODY, lane, GAUGE, 0))
        if self.serving or self.tasks or now - self._last_end < LINGER_US:
            self._tick_later()
        else:
            self._ticking = False

    def tell_open(self) -> Iterator[Row]:
        """In the batch's thread: what has begun and is not over."""
        while self.changed:
            request = self.changed.pop()
            kind, since = request.state
            if kind != UNTOLD:
                yield (request.run, since, OPEN, request.number, self.lane, kind, 0)
        if self._told_tasks != self.tasks:
            self._told_tasks = self.tasks
            gauge = self.batch.channel.gauge("tasks")
            yield (0, clock() / 1000, float(self.tasks), NOBODY, gauge, GAUGE, 0)


class Steps(Coroutine[Any, Any, Any]):
    """``coroutine`` with each of its steps recorded for ``request``: the same values, errors and
    cancellation. It can be awaited, or be what a task runs.
    """

    __slots__ = ("_coroutine", "_loop", "cpu_ns", "ready", "request", "task")

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], request: RequestTrace, task: bool = False
    ) -> None:
        self._coroutine = coroutine
        self._loop = request.loop
        self.request: RequestTrace | None = request
        self.task = self.ready = task
        self.cpu_ns = 0
        self._loop.tasks += 1
        if task:
            request.ready += 1

    def send(self, value: Any) -> Any:
        """One step."""
        request = self.request
        if request is None:
            return self._coroutine.send(value)
        loop = self._loop
        outer = loop.enter(self, request)
        try:
            awaited = self._coroutine.send(value)
        except BaseException as error:
            self._over(outer, error)
            raise
        self._suspend(outer, awaited)
        return awaited

    def throw(self, *error: Any) -> Any:
        """One step that begins with an error."""
        request = self.request
        if request is None:
            return self._coroutine.throw(*error)
        outer = self._loop.enter(self, request)
        try:
            awaited = self._coroutine.throw(*error)
        except BaseException as raised:
            self._over(outer, raised)
            raise
        self._suspend(outer, awaited)
        return awaited

    def close(self) -> None:
        """As a coroutine's."""
        self._coroutine.close()
        request = self.request
        if request is not None and not self.task and not request.over:
            self._loop.give_up(request)
        self.forget()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self

    def __iter__(self) -> "Steps":
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coroutine, name)  # cr_frame, cr_running …: asyncio and others look

    def _suspend(self, outer: "Steps | None", awaited: Any) -> None:
        request = self.request
        if request is not None and awaited is None:  # sleep(0): goes on next turn
            self.ready = True
            request.ready += 1
        self._loop.leave(self, outer)

    def _over(self, outer: "Steps | None", error: BaseException) -> None:
        if self.request is not None and not self.task:
            self.request.over = True
        self._loop.leave(self, outer)
        self.forget()
        if not isinstance(error, StopIteration):
            hide_own_frames(error)

    def forget(self) -> None:
        """Record nothing more."""
        request, self.request = self.request, None
        if request is not None:
            request.ready -= self.ready
            self._loop.tasks -= 1
