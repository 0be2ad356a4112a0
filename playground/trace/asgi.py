"""The ASGI tracer: a middleware that records each request, and each step of its tasks (ASGI 3.0).

When the loop begins to serve, at lifespan start-up or with the first request, a task factory is
installed. Every task that a request creates, and the request's own call, runs through
``playground.trace.steps``; work in pool threads is seen by ``playground.trace.pool``. WebSockets
are requests too. When the lifespan is over, the loop has back what it had.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from playground.trace.batch import Batch
from playground.trace.ownloop import Watch, running
from playground.trace.pool import unwatch_pools, watch_pools
from playground.trace.records import NOBODY, OPEN, Flag, Kind, now_us, parse_traceparent
from playground.trace.sender import Sender, note
from playground.trace.steps import IDLE, REQUEST, LoopTrace, RequestTrace, Steps
from playground.trace.wsgi import describe

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class TracedASGI:
    """``app`` with every request recorded through ``sender``; with ``cpu`` also processor time."""

    def __init__(self, app: Application, sender: Sender, cpu: bool = False) -> None:
        self._app = app
        self._sender = sender
        self._cpu = cpu
        self._batch: Batch | None = None
        self._tracing: Tracing | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tracing = self._begin_tracing()
        if scope["type"] in ("http", "websocket"):
            await tracing.serve(self._app, scope, receive, send)
            return
        asked: list[object] = []

        async def heard() -> Message:
            message = await receive()
            asked.append(message.get("type"))
            return message

        try:
            await self._app(scope, heard, send)
        finally:
            if "lifespan.shutdown" in asked:
                tracing.stop()

    def _begin_tracing(self) -> "Tracing":
        loop = running_loop() or running()
        if self._tracing is None or self._tracing.on is not loop or self._tracing.stopped:
            channel = self._sender.channel()
            if self._batch is None or self._batch.channel is not channel:
                self._batch = Batch(channel)
            self._tracing = Tracing(loop, self._batch, self._cpu)
        return self._tracing


class Tracing:
    """What is installed on one loop, until ``stop()``."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop | Watch | None, batch: Batch, cpu: bool
    ) -> None:
        self.on = loop
        self.stopped = False
        self._trace = LoopTrace(None if isinstance(loop, Watch) else loop, batch, cpu)
        self._batch = batch
        self._selector: Any = None
        watch_pools()
        if isinstance(loop, Watch):
            loop.begin(self._trace)
        elif loop is not None:
            self._install(loop)

    def _install(self, loop: asyncio.AbstractEventLoop) -> None:
        self._found = loop.get_task_factory()
        self._factory = self._make_factory()
        loop.set_task_factory(self._factory)
        self._selector = getattr(loop, "_selector", None)  # asyncio's own loops have one
        if self._selector is not None:
            self._selector.select = self._watched(self._selector.select)
            self._trace.selecting = True

    def stop(self) -> None:
        """Give the loop back what was found."""
        self.stopped = True
        on = self.on
        if isinstance(on, asyncio.AbstractEventLoop) and on.get_task_factory() is self._factory:
            on.set_task_factory(self._found)
        if self._selector is not None:
            vars(self._selector).pop("select", None)
        unwatch_pools()
        self._batch.watched.remove(self._trace.tell_open)
        self._batch.flush()

    def _make_factory(self) -> Callable[..., Any]:
        found: Callable[..., Any] | None = self._found

        def factory(loop: Any, coroutine: Coroutine[Any, Any, Any], **named: Any) -> Any:
            context: contextvars.Context | None = named.get("context")
            request = REQUEST.get() if context is None else context.get(REQUEST)
            if request is not None and request.loop is self._trace and not self.stopped:
                running = self._trace.running
                if not request.over or (running is not None and running.request is request):
                    coroutine = Steps(coroutine, request, task=True)
            if found is None:
                return asyncio.Task(coroutine, loop=loop, **named)
            return found(loop, coroutine, **named)

        return factory

    def _watched(self, select: Callable[..., Any]) -> Callable[..., Any]:
        trace, append = self._trace, self._batch.append

        def watched(timeout: float | None = None) -> Any:
            if timeout is not None and timeout <= 0:
                events = select(timeout)
                trace.floor = now_us()
                return events
            begun = now_us()
            events = select(timeout)
            trace.floor = ended = now_us()
            if trace.serving or trace.tasks:
                append((0, begun, ended - begun, NOBODY, trace.lane, IDLE, 0))
            return events

        return watched

    async def serve(self, app: Application, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, from the call of the app to its return."""
        watch_pools()
        trace, batch = self._trace, self._batch
        outer = trace.running
        if outer is not None and outer.task:
            trace.release(outer)
        begun = now_us()
        run, number, notes = identify(scope, batch)
        request = RequestTrace(trace, run, number, begun)
        status: list[int] = []

        async def watched(message: Message) -> None:
            code = status_of(message, scope)
            if code is not None and not status:
                status.append(code)
            await send(message)

        async def call() -> None:
            await app(scope, receive, watched)

        batch.append((run, begun, OPEN, number, trace.lane, Kind.REQUEST, 0))
        if notes:
            batch.tell(run, notes)
        batch.flush()
        batch.wake()
        trace.begin()
        token = REQUEST.set(request)
        error: BaseException | None = None
        try:
            await Steps(call(), request)
        except BaseException as raised:
            error = raised
            raise
        finally:
            REQUEST.reset(token)
            self._end(request, begun, status, error)

    def _end(
        self, request: RequestTrace, begun: float, status: list[int], error: BaseException | None
    ) -> None:
        flag = int(Flag.NONE if error is None else Flag.ERROR)
        took = request.state[1] - begun
        row = (request.run, begun, took, request.number, self._trace.lane, Kind.REQUEST, flag)
        self._batch.append(row)
        told = b'{"request": %d, "status": %s, "cpu_us": %s}\n' % (
            request.number,
            b"%d" % status[0] if status else b"null",
            b"%.1f" % request.cpu_us if self._trace.cpu else b"null",
        )
        if error is not None:
            told += note(request.number, error=describe(error))
        self._batch.tell(request.run, told)
        self._trace.end()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """asyncio's, uvloop's …; None for a loop that is none of asyncio's family."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def identify(scope: Scope, batch: Batch) -> tuple[int, int, bytes]:
    """The run and the number that a request brought, or a number of its own and its label."""
    tracked = parse_traceparent(_header(scope, b"traceparent"))
    if tracked is not None:
        return (*tracked, b"")
    number = batch.channel.untracked()
    return 0, number, note(number, label=label(scope))


def status_of(message: Message, scope: Scope) -> int | None:
    """The HTTP status that a message means for the client, if it means one."""
    kind = message.get("type", "")
    if kind in ("http.response.start", "websocket.http.response.start"):
        status = message.get("status")
        return status if isinstance(status, int) else None
    if scope["type"] == "websocket":
        return {"websocket.accept": 101, "websocket.close": 403}.get(kind)
    return None


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope.get("headers", ()):
        if key == name:
            return value.decode("latin-1")
    return ""


def label(scope: Scope) -> str:
    """``GET /slow?s=1``, as far as ``scope`` tells; ``WS /path`` for a WebSocket."""
    query = scope.get("query_string", b"").decode("latin-1")
    method = "WS" if scope["type"] == "websocket" else scope.get("method", "?")
    return f"{method} {scope.get('path', '')}{'?' + query if query else ''}"
