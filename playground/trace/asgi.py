"""The ASGI tracer: a middleware that records each HTTP request, and each step of its task (ASGI
3.0).

The application's coroutine is driven through its own ``send`` and ``throw``, so every STEP (it
runs, on the loop) and every AWAIT (it waits) is exact. What tasks and threads that it starts do is
seen as waiting.
"""

import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

from playground.trace.records import OPEN, RECORD, Flag, Kind, now_us, parse_traceparent
from playground.trace.sender import Channel, Sender, note
from playground.trace.wsgi import describe

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class TracedASGI:
    """``app`` with every HTTP request recorded through ``sender``; with ``cpu`` also processor
    time.
    """

    def __init__(self, app: Application, sender: Sender, cpu: bool = False) -> None:
        self._app = app
        self._sender = sender
        self._cpu = cpu

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        steps = Steps(self._sender.channel(), scope, self._cpu)

        async def watched(message: Message) -> None:
            if message.get("type") == "http.response.start":
                steps.status = message.get("status")
            await send(message)

        async def call() -> None:
            await self._app(scope, receive, watched)

        await Driven(call(), steps)


class Steps:
    """One request on the loop: runs its coroutine step by step and records each."""

    def __init__(self, channel: Channel, scope: Scope, cpu: bool) -> None:
        self._channel = channel
        self._cpu = cpu
        self._cpu_us = 0.0
        self._cpu_mark = 0
        self._lane = channel.lane("loop")
        self.status: object = None
        self._notes = b""
        tracked = parse_traceparent(_header(scope, b"traceparent"))
        if tracked is None:
            self._run, self._request = 0, channel.untracked()
            self._notes = note(self._request, label=label(scope))
        else:
            self._run, self._request = tracked
        self._begun = self._since = now_us()

    def begin(self) -> None:
        """The coroutine is about to run for the first time."""
        begun = self._begun
        records = self._record(Kind.REQUEST, begun) + self._record(Kind.STEP, begun)
        self._send(records, self._notes)
        self._mark_cpu()

    def resume(self) -> None:
        """The coroutine is about to run again."""
        now = now_us()
        waited = self._record(Kind.AWAIT, self._since, now)
        self._since = now
        self._send(waited + self._record(Kind.STEP, now))
        self._mark_cpu()

    def suspend(self) -> None:
        """The coroutine awaits something."""
        now = self._step_over()
        step = self._record(Kind.STEP, self._since, now)
        self._since = now
        self._send(step + self._record(Kind.AWAIT, now))

    def end(self, error: BaseException | None = None) -> None:
        """The coroutine has returned or raised."""
        now = self._step_over()
        flags = Flag.ERROR if error is not None else Flag.NONE
        records = self._record(Kind.STEP, self._since, now)
        records += self._record(Kind.REQUEST, self._begun, now, flags)
        told = note(
            self._request,
            end=1,
            status=self.status if isinstance(self.status, int) else None,
            cpu_us=round(self._cpu_us, 1) if self._cpu else None,
            error=describe(error) if error is not None else None,
        )
        self._send(records, told)

    def _mark_cpu(self) -> None:
        if self._cpu:
            self._cpu_mark = time.thread_time_ns()

    def _step_over(self) -> float:
        if self._cpu:
            self._cpu_us += (time.thread_time_ns() - self._cpu_mark) / 1000
        return now_us()

    def _record(self, kind: Kind, begun: float, ended: float = OPEN, flags: int = 0) -> bytes:
        return RECORD.pack(begun, ended - begun, self._request, self._lane, kind, flags)

    def _send(self, records: bytes, notes: bytes = b"") -> None:
        self._channel.send(records, self._run, notes)


class Driven:
    """``await Driven(coroutine, steps)``: the same awaits, values, errors and cancellation."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], steps: Steps) -> None:
        self._coroutine = coroutine
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, None]:
        steps, driver = self._steps, self._coroutine.__await__()
        value: Any = None
        error: BaseException | None = None
        steps.begin()
        while True:
            try:
                awaited = driver.send(value) if error is None else driver.throw(error)
            except StopIteration:
                steps.end()
                return
            except BaseException as raised:
                steps.end(raised)
                raise
            steps.suspend()
            value, error = None, None
            try:
                value = yield awaited
            except BaseException as thrown:
                error = thrown
            steps.resume()


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope.get("headers", ()):
        if key == name:
            return value.decode("latin-1")
    return ""


def label(scope: Scope) -> str:
    """``GET /slow?s=1``, as far as ``scope`` tells."""
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope.get('method', '?')} {scope.get('path', '')}{'?' + query if query else ''}"
