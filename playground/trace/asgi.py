"""The ASGI tracer: a middleware that records each request, and each step of its tasks (ASGI 3.0).

When the loop begins to serve, at lifespan start-up or with the first request, a task factory is
installed. Every task that a request creates, and the request's own call, runs through
``playground.trace.steps``; work in pool threads is seen by ``playground.trace.pool``, what timers
and threads wake by ``playground.trace.waking``. WebSockets are requests too. When the lifespan is
over, the loop has back what it had.

What is exact: REQUEST, STEP, WORKER, IDLE. AWAIT, READY and STEP tile REQUEST without a hole; READY
is exact or a lower bound, as ``playground.trace.steps`` says. An AWAIT that lasts until the sending
thread looks, every 10 ms, has the name of what it waits for (``playground.trace.awaits``); a
shorter one has it by chance only.

What a kill loses: no request whose application was called (``playground.trace.board``), but up to
10 ms of its last steps, and of a request that brought no number the label, if it was as young.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from playground.trace.awaits import named
from playground.trace.batch import Batch
from playground.trace.ownloop import Watch, running
from playground.trace.pool import unwatch_pools, watch_pools
from playground.trace.records import NOBODY, Flag, parse_traceparent
from playground.trace.sender import Sender, note
from playground.trace.steps import IDLE, REQUEST, SERVICE, LoopTrace, RequestTrace, Steps, clock
from playground.trace.waking import watch_waking
from playground.trace.wsgi import describe

Loop = asyncio.AbstractEventLoop | Watch
ERROR = int(Flag.ERROR)
STATUS = b'{"request": %d, "status": %d}\n'
CPU = b'{"request": %d, "cpu_us": %.1f}\n'

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
        tracing = self._tracing
        on = asyncio._get_running_loop() or running()
        if tracing is None or tracing.stopped or tracing.on is not on:
            tracing = self._begin_tracing(on)
        if scope["type"] not in ("http", "websocket"):
            await self._lifespan(tracing, scope, receive, send)
            return
        request, exchange = tracing.begin(scope, receive, send)
        coroutine = request.coroutine = exchange.call(self._app)
        token = REQUEST.set(request)
        error: BaseException | None = None
        try:
            await Steps(coroutine, request)
        except BaseException as raised:
            error = raised
            raise
        finally:
            REQUEST.reset(token)
            tracing.end(request, exchange, error)

    async def _lifespan(
        self, tracing: "Tracing", scope: Scope, receive: Receive, send: Send
    ) -> None:
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

    def _begin_tracing(self, loop: "Loop | None") -> "Tracing":
        channel = self._sender.channel()
        if self._batch is None or self._batch.channel is not channel:
            self._batch = Batch(channel)
        self._tracing = Tracing(loop, self._batch, self._cpu)
        return self._tracing


class Tracing:
    """What is installed on one loop, until ``stop()``. None: a loop of which nothing is known."""

    def __init__(self, loop: Loop | None, batch: Batch, cpu: bool) -> None:
        self.on = loop
        self.stopped = False
        self._trace = LoopTrace(None if isinstance(loop, Watch) else loop, batch, cpu)
        self._batch = batch
        self._selector: Any = None
        self._trace.watch = watch_pools
        watch_pools()
        if isinstance(loop, Watch):
            loop.begin(self._trace)
        elif loop is not None:
            self._install(loop)

    def _install(self, loop: asyncio.AbstractEventLoop) -> None:
        self._found = loop.get_task_factory()
        self._factory = self._make_factory()
        loop.set_task_factory(self._factory)
        self._unwatch = watch_waking(loop, self._trace)
        self._selector = getattr(loop, "_selector", None)  # asyncio's own loops have one
        if self._selector is not None:
            self._selector.select = self._watched(self._selector.select)
            self._trace.selecting = True

    def stop(self) -> None:
        """Give the loop back what was found."""
        self.stopped = True
        if isinstance(self.on, asyncio.AbstractEventLoop):
            if self.on.get_task_factory() is self._factory:
                self.on.set_task_factory(self._found)
            self._unwatch()
        if self._selector is not None:
            vars(self._selector).pop("select", None)
        unwatch_pools()
        self._batch.flush()
        self._batch.watched.remove(self._trace.tell_open)

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
                trace.returned = clock() / 1000
                return events
            begun = clock() / 1000
            events = select(timeout)
            trace.awake = trace.returned = now = clock() / 1000
            if trace.serving or trace.tasks:
                append((begun, now - begun, NOBODY, trace.lane, IDLE, 0))
            return events

        return watched

    def begin(self, scope: Scope, receive: Receive, send: Send) -> "tuple[RequestTrace, Exchange]":
        """The application is about to be called."""
        trace, batch = self._trace, self._batch
        outer = trace.running
        if outer is not None and outer.task:
            trace.release(outer)
        begun = clock() / 1000
        run, number = identify(scope, batch)
        request = RequestTrace(trace, run, number, begun)
        slot = batch.board.begin(run, begun, number, trace.lane)
        if slot is None:
            trace.changed.add(request)
            batch.flush()
        batch.wake()
        trace.begin()
        return request, Exchange(scope, receive, send, slot)

    def end(self, request: RequestTrace, exchange: "Exchange", error: BaseException | None) -> None:
        """It has returned, or raised ``error``."""
        trace, outbox = self._trace, request.outbox
        begun, number, slot = request.begun, request.number, exchange.slot
        ended = request.state[1]
        flag = 0 if error is None else ERROR
        request.append((begun, ended - begun, number, trace.lane, SERVICE, flag))
        if slot is not None:
            self._batch.board.end(slot, ended - begun, flag)
        if exchange.status is not None:
            outbox.tell((STATUS, number, exchange.status))
        if trace.cpu:
            outbox.tell((CPU, number, request.cpu_us))
        if error is not None:
            outbox.tell(note(number, error=describe(error)))
        trace.end(ended)


class Exchange:
    """What an application is called with, and the HTTP status that it meant for the client."""

    __slots__ = ("_receive", "_scope", "_send", "slot", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, slot: int | None) -> None:
        self._scope, self._receive, self._send, self.slot = scope, receive, send, slot
        self.status: int | None = None

    async def call(self, app: Application) -> None:
        """The call of the application, and whatever goes wrong in it."""
        await app(self._scope, self.receive, self.send)

    async def receive(self) -> Message:
        """The server's, under a name that can be told where the request waits."""
        return await self._receive()

    def send(self, message: Message) -> Awaitable[None]:
        """The server's; the first status counts."""
        if self.status is None:
            kind = message.get("type", "")
            if kind in ("http.response.start", "websocket.http.response.start"):
                status = message.get("status")
                self.status = status if isinstance(status, int) else None
            elif self._scope["type"] == "websocket":
                self.status = {"websocket.accept": 101, "websocket.close": 403}.get(kind)
        return self._send(message)


named[Exchange.receive.__code__] = "receive"


def identify(scope: Scope, batch: Batch) -> tuple[int, int]:
    """The run and the number that a request brought, or 0 and a number of its own, with a label."""
    for name, value in scope.get("headers", ()):
        if name == b"traceparent":
            tracked = parse_traceparent(value.decode("latin-1"))
            if tracked is not None:
                return tracked
    number = batch.channel.untracked()
    batch.of(0).tell(note(number, label=label(scope)))
    return 0, number


def label(scope: Scope) -> str:
    """``GET /slow?s=1``, as far as ``scope`` tells; ``WS /path`` for a WebSocket."""
    query = scope.get("query_string", b"").decode("latin-1")
    method = "WS" if scope["type"] == "websocket" else scope.get("method", "?")
    return f"{method} {scope.get('path', '')}{'?' + query if query else ''}"
