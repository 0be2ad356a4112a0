"""The steps of requests on one event loop: what runs when, who is ready, and when nobody is.

``LoopTrace`` belongs to a loop, ``RequestTrace`` to a request in service on it, and ``Steps`` to a
coroutine of that request, driven step by step. Everything but the note-taking happens in the loop's
thread, so steps never overlap.

READY is exact for a task that was just created or has yielded with ``sleep(0)``. Else it is a lower
bound, the earliest of these that is known:

- whom a timer or a thread woke was ready when the timer was due, or the thread called
  (``playground.trace.waking``);
- on loops that keep their callbacks in order, and all of asyncio's family do, whoever runs before a
  mark was ready when the mark was set: at the end of each long step;
- on asyncio, whoever runs in a turn of the loop was ready when the selector returned.

When bytes came for somebody while the loop was at something else, nobody can tell: that time reads
AWAIT, on asyncio until the selector returned, on uvloop until the step, unless there was a mark.
"""

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from playground.trace.awaits import where
from playground.trace.batch import Batch
from playground.trace.frames import hide_own_frames
from playground.trace.records import NAME_SHIFT, NOBODY, OPEN, Flag, Kind

REQUEST: contextvars.ContextVar["RequestTrace | None"] = contextvars.ContextVar(
    "playground_request", default=None
)
SERVICE, STEP, AWAIT, READY, IDLE, GAUGE = map(
    int, (Kind.REQUEST, Kind.STEP, Kind.AWAIT, Kind.READY, Kind.IDLE, Kind.GAUGE)
)
LOWER_BOUND = int(Flag.LOWER_BOUND)
LEAST_READY_US = 20.0  # below this the loop's own work is what one sees
LONG_US = 500.0  # a step after which others are likely to have become ready
BETWEEN_US = 100.0  # at most this between two long steps: the loop was busy all the time
TICK_S = 0.025  # of the gauge of the loop's lag
LINGER_US = 100_000.0  # for which that gauge goes on when the last request is over
END = b'{"request": %d, "end": 1}\n'
UNTOLD = 0  # a state that no open span is told of
clock = time.monotonic_ns


class RequestTrace:
    """One request: how many of its coroutines are ready, and what it is doing since when.

    Whoever can still record something for it holds a reference; so its end is the last that is
    told of it.
    """

    def __init__(self, loop: "LoopTrace", run: int, number: int, begun: float) -> None:
        self.loop, self.run, self.number, self.begun = loop, run, number, begun
        self.outbox = outbox = loop.batch.of(run)
        self.append = outbox.append
        self.state = UNTOLD, begun  # one value: another thread reads it
        self.coroutine: Any = None  # the call of the application
        self.named = 0.0, 0  # an AWAIT, by its beginning, and the flags that name it
        self.ready = 0
        self.cpu_us = 0.0
        self.over = self.told = False

    def __del__(self) -> None:
        self.outbox.tell((END, self.number))

    def end_wait(self, since: float, until: float) -> None:
        """It has waited, for something that has a name if it was looked at meanwhile."""
        named, name = self.named
        flags = name if named == since else 0
        self.append((since, until - since, self.number, self.loop.lane, AWAIT, flags))

    def tell_open(self) -> None:
        """In the batch's thread: what has begun and is not over."""
        tell, lane = self.outbox.open.append, self.loop.lane
        if not self.told and not self.over:
            self.told = True
            tell((self.begun, OPEN, self.number, lane, SERVICE, 0))
        kind, since = self.state
        if kind != UNTOLD:
            name = 0
            if kind == AWAIT:
                name = self.loop.batch.channel.name(where(self.coroutine)) << NAME_SHIFT
                self.named = since, name
            tell((since, OPEN, self.number, lane, kind, name))


class LoopTrace:
    """What is going on on one loop. ``running`` is the coroutine in its step, ``since`` when."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None, batch: Batch, cpu: bool) -> None:
        self.loop = loop  # None: not of asyncio's family, so only the requests' own calls are seen
        self.batch = batch
        self.cpu = cpu
        self.lane = batch.channel.lane("loop")
        batch.channel.send(b"")  # the collector knows of this process before anything happens
        self.running: Steps | None = None
        self.since = 0.0
        self.woken = 0.0  # who runs now was woken by a thread or a timer then; 0: by neither
        self.selecting = False  # the selector can be observed
        self.returned = 0.0  # when the selector did
        self.awake = 0.0  # since when it has not been waited in
        self.marks: deque[float] = deque()  # still in the loop's queue
        self.busy = 0.0, 0.0  # the last long steps, with next to nothing between them
        self.changed: set[RequestTrace] = set()
        self.tasks = self.serving = 0
        self._told_tasks = -1
        self._last_end = 0.0
        self._ticking = False
        self.watch: Callable[[], None] = lambda: None  # looks for pools, now and then
        self._context = contextvars.Context()
        batch.watched.append(self.tell_open)

    def begin(self) -> None:
        """A request is in service from now on."""
        self.serving += 1
        if not self._ticking and self.loop is not None:
            self._ticking = True
            self.watch()
            self._tick_later()

    def end(self, now: float) -> None:
        """A request is over."""
        self.serving -= 1
        self._last_end = now

    def waited(self, steps: "Steps", request: RequestTrace, since: float, now: float) -> None:
        """The request waited since ``since``, and was ready before now if that is known."""
        ready = max(self._ready_since(steps, now), since)
        if now - ready <= LEAST_READY_US:
            ready = now
        request.end_wait(since, ready)
        if ready < now:
            request.append((ready, now - ready, request.number, self.lane, READY, LOWER_BOUND))

    def _ready_since(self, steps: "Steps", now: float) -> float:
        if steps.sleep is not None:
            future, due = steps.sleep
            if future.done() and not future.cancelled():
                known = self.busy_since(due)
                if known:
                    return known
        marks = self.marks
        mark = marks[0] if marks and not marks[0] > self.returned > 0 else self.returned
        return self.woken or mark or now

    def interrupt(self, outer: "Steps", by: RequestTrace, now: float) -> None:
        """The step of a request is cut where another coroutine's begins inside it."""
        request = outer.request
        if request is not None:
            if by is not request:
                request.state = UNTOLD, now
            request.append((self.since, now - self.since, request.number, self.lane, STEP, 0))

    def resume(self, outer: "Steps", now: float) -> None:
        """And goes on where that is over."""
        if outer.request is not None:
            outer.request.state = STEP, now

    def release(self, steps: "Steps") -> None:
        """The task that runs turns to a request of its own: the next one of the connection."""
        request = steps.request
        if request is not None:
            if request.over:  # nothing that it should be told of
                request.state = UNTOLD, self.since
            else:
                steps.leave(request, None)
            self.running = steps
            steps.forget()

    def give_up(self, request: RequestTrace) -> None:
        """Its coroutine was closed while it waited."""
        (kind, since), now = request.state, clock() / 1000
        request.over, request.state = True, (UNTOLD, now)
        if kind == AWAIT:
            request.end_wait(since, now)
        elif kind == READY:
            request.append((since, now - since, request.number, self.lane, READY, 0))

    def busy_since(self, since: float) -> float:
        """The earliest moment from ``since`` on from which until now the loop was surely at
        something else; 0 if that is not known.
        """
        if self.selecting:
            return max(since, self.awake)
        begun, ended = self.busy
        return max(since, begun) if since < ended else 0.0

    def in_order(self, callback: Callable[..., object], *arguments: Any) -> None:
        """Call it after everybody who is in the loop's queue now."""
        if self.loop is not None:
            self.loop.call_soon(callback, *arguments, context=self._context)

    def mark(self, since: float, now: float) -> None:
        """A long step is over: whoever is in the queue now is ready since now, if not longer."""
        begun, ended = self.busy
        self.busy = (begun if since - ended < BETWEEN_US else since), now
        if self.loop is not None:
            self.marks.append(now)
            self.in_order(self.marks.popleft)

    def _tick_later(self) -> None:
        assert self.loop is not None
        due = clock() / 1000 + TICK_S * 1e6
        self.loop.call_later(TICK_S, self._tick, due, context=self._context)

    def _tick(self, due: float) -> None:
        now = clock() / 1000
        self.batch.wake()
        self.watch()
        lane = self.batch.channel.gauge("loop lag")
        self.batch.append((now, max(now - due, 0.0), NOBODY, lane, GAUGE, 0))
        if self.serving or self.tasks or now - self._last_end < LINGER_US:
            self._tick_later()
        else:
            self._ticking = False

    def tell_open(self) -> None:
        """In the batch's thread: what has begun and is not over."""
        while self.changed:
            self.changed.pop().tell_open()
        if self._told_tasks != self.tasks:
            self._told_tasks = self.tasks
            gauge = self.batch.channel.gauge("tasks")
            self.batch.append((clock() / 1000, float(self.tasks), NOBODY, gauge, GAUGE, 0))


class Steps(Coroutine[Any, Any, Any]):
    """``coroutine`` with each of its steps recorded for ``request``: the same values, errors and
    cancellation. It can be awaited, or be what a task runs.
    """

    __slots__ = (
        "__qualname__",
        "_coroutine",
        "_loop",
        "cpu_ns",
        "ready",
        "request",
        "sleep",
        "task",
    )

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], request: RequestTrace, task: bool = False
    ) -> None:
        self._coroutine = coroutine
        self._loop = loop = request.loop
        self.request: RequestTrace | None = request
        self.sleep: tuple[Any, float] | None = None  # the future of it, and when it is due
        self.task = self.ready = task
        self.cpu_ns = 0
        loop.tasks += 1
        if task:
            request.ready += 1
            self.__qualname__ = getattr(coroutine, "__qualname__", "")  # of the task's repr

    def send(self, value: Any = None, error: tuple[Any, ...] = ()) -> Any:
        """One step. (In one piece, because it is what the tracer costs.)"""
        request, coroutine = self.request, self._coroutine
        if request is None:
            return coroutine.throw(*error) if error else coroutine.send(value)
        loop = self._loop
        outer = loop.running
        now = clock() / 1000
        kind, since = request.state
        if outer is not None:
            loop.interrupt(outer, request, now)
        if kind == READY:
            request.append((since, now - since, request.number, loop.lane, READY, 0))
        elif kind == AWAIT:
            loop.waited(self, request, since, now)
        elif not request.over:  # its first step
            now = since
        if self.ready:
            self.ready = False
            request.ready -= 1
        request.state = UNTOLD if request.over else STEP, now
        loop.changed.add(request)
        loop.running, loop.since = self, now
        if loop.cpu:
            self.cpu_ns = time.thread_time_ns()
        try:
            awaited = coroutine.throw(*error) if error else coroutine.send(value)
        except BaseException as raised:
            self._over(outer, raised)
            raise
        request = self.request  # it may have been released
        if awaited is None and request is not None:  # sleep(0): goes on next turn
            self.ready = True
            request.ready += 1
        elif self.sleep is not None and self.sleep[0] is not awaited:
            self.sleep = None
        self.leave(request, outer)
        return awaited

    __next__ = send

    def leave(self, request: RequestTrace | None, outer: "Steps | None") -> None:
        """A step is over, and the one that it interrupted goes on."""
        loop = self._loop
        since = loop.since
        loop.since = now = clock() / 1000
        loop.running = outer
        if request is not None:
            if loop.cpu:
                request.cpu_us += (time.thread_time_ns() - self.cpu_ns) / 1000
            request.state = UNTOLD if request.over else READY if request.ready else AWAIT, now
            request.append((since, now - since, request.number, loop.lane, STEP, 0))
            if now - since > LONG_US:
                loop.mark(since, now)
        if outer is not None:
            loop.resume(outer, now)

    def throw(self, *error: Any) -> Any:
        """One step that begins with an error."""
        return self.send(None, error)

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

    def _over(self, outer: "Steps | None", error: BaseException) -> None:
        request = self.request
        if request is not None and not self.task:
            request.over = True
        self.leave(request, outer)
        self.forget()
        if not isinstance(error, StopIteration):
            hide_own_frames(error)

    def forget(self) -> None:
        """Record nothing more."""
        request, self.request = self.request, None
        if request is not None:
            request.ready -= self.ready
            self._loop.tasks -= 1


def _of_coroutine(name: str) -> property:
    return property(lambda steps: getattr(steps._coroutine, name))


for _name in ("cr_await", "cr_code", "cr_frame", "cr_origin", "cr_running", "cr_suspended"):
    setattr(Steps, _name, _of_coroutine(_name))  # asyncio and others look
