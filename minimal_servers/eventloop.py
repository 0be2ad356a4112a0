"""An event loop: one thread, many coroutines, and nobody waits for anybody else (PEP 492).

Strategy
- Everything that is not there yet is a ``Future``: the end of a sleep, a byte on a socket, the
  result of a task. ``await`` hands it up to the loop, through all coroutines in between.
- The future notes whom to wake, and the loop forgets the task. So a task waits for one future at
  most, stands in the ready queue at most once, and can be cancelled wherever it stands.
- One turn: wait in the selector while nobody is ready, look at the clock, then let everybody who
  is ready make one step.
- Who wants to watch a loop wraps ``ready.append``, ``step`` and the selector's ``select``.

Not handled: threads that wake a task, name look-up, connecting. While a task waits for a socket,
that costs a second descriptor, and somebody else's ``close()`` takes effect when it has waited.
"""

import heapq
import itertools
import logging
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

here: ContextVar["Loop"] = ContextVar("no loop runs here: begin with eventloop.run(main())")
numbers = itertools.count()  # equal deadlines: first come, first served


class Cancelled(BaseException):
    """Thrown into a task that is to end. No Exception, so that ``except Exception`` lets it by."""


class Future:
    """A result that is not there yet, and who is to hear of it."""

    def __init__(self, what: str = "a future", due: float = 0.0) -> None:
        self.what, self.due = what, due  # for messages and pictures
        self.done = self.asked = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.callbacks: list[Callable[[Future], object]] = []

    def finish(self, value: Any = None, error: BaseException | None = None) -> None:
        """Here it is; no effect if it is done. Callbacks are called at once: they only note it."""
        if not self.done:
            self.done, self.value, self.error = True, value, error
            while self.callbacks:
                self.callbacks.pop(0)(self)

    def result(self) -> Any:
        """The value, or the error is raised."""
        self.asked = True
        if self.error:
            raise self.error
        return self.value

    def __await__(self) -> Generator["Future", None, Any]:
        """``await future``: its result, as soon as it is there (PEP 492)."""
        if not self.done:
            yield self
        return self.result()

    def __del__(self) -> None:
        """An error must not vanish because nobody has asked for the result."""
        if isinstance(self.error, Exception) and not self.asked:
            logging.getLogger(__name__).error("nobody awaited %s", self.what, exc_info=self.error)


class Task(Future):
    """A coroutine on its way, from now on. As a future it is what the coroutine will return."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__(getattr(coroutine, "__qualname__", "a task"))
        self.coroutine, self.loop, self.waits_for = coroutine, here.get(), Future("its first step")
        self.throw: BaseException | None = None  # at the next step
        self.loop.tasks[self] = None
        self.callbacks.append(lambda _: self.loop.tasks.pop(self))
        self.wake()

    def wake(self, _: Future | None = None) -> None:
        """It can go on."""
        self.loop.ready.append(self)

    def cancel(self, error: BaseException | None = None) -> None:
        """Throw Cancelled into it at its next step, which comes soon. No effect when it is done."""
        self.throw = error or Cancelled()
        if self.wake in self.waits_for.callbacks:
            self.waits_for.callbacks.remove(self.wake)
            self.wake()


class Loop:
    """Who is ready, who sleeps until when, and (in the selector) who waits for which socket."""

    def __init__(self) -> None:
        self.clock, self.selector = time.monotonic, selectors.DefaultSelector()
        self.tasks: dict[Task, None] = {}  # all that are not done, in order of their birth
        self.ready: deque[Task] = deque()
        self.timers = [(float("inf"), next(numbers), Future("the end of time"))]  # a heap

    def turn(self) -> None:
        """Find out who can go on, wait while that is nobody, then let each make one step."""
        if not (self.ready or self.timers[1:] or self.selector.get_map()):
            raise RuntimeError([f"{t.what} waits for {t.waits_for.what}" for t in self.tasks])
        # subtle: no system can wait for ``inf``
        timeout = 0 if self.ready else min(self.timers[0][0] - self.clock(), 3600)
        for key, _ in self.selector.select(timeout):
            key.data.finish()
        while self.timers[0][0] <= self.clock():
            heapq.heappop(self.timers)[2].finish()
        for _ in range(len(self.ready)):
            self.step(self.ready.popleft())

    def step(self, task: Task) -> None:
        """Let a task run until it awaits something that is not there yet."""
        error, task.throw = task.throw, None
        try:
            future = task.coroutine.throw(error) if error else task.coroutine.send(None)
            if isinstance(future, Future) and not task.throw:
                future.callbacks.append(task.wake)
                task.waits_for = future
            else:  # it has cancelled itself, or awaits what belongs to another kind of loop
                task.throw = task.throw or RuntimeError(f"not a future of this loop: {future!r}")
                task.wake()
        except StopIteration as end:
            task.finish(end.value)
        except BaseException as failure:
            # subtle: this frame holds the task, which could not tell of its error while it lives
            task.finish(error=failure.with_traceback(failure.__traceback__.tb_next))  # type: ignore
            if not isinstance(failure, Exception | Cancelled):
                raise  # Ctrl-C is meant for the whole loop


def run(main: Coroutine[Any, Any, Any], loop: Loop | None = None) -> Any:
    """Run until ``main`` is done, then cancel who is left. The result of ``main``.

    Ctrl-C is thrown into ``main``, so that every ``finally`` runs; another one ends at once.
    """
    token = here.set(loop := loop or Loop())
    task = Task(main)
    task.callbacks.append(lambda _: [left.cancel() for left in loop.tasks])  # type: ignore
    try:
        while loop.tasks:
            try:
                loop.turn()
            except BaseException as error:
                if task.done and task.error is not error:
                    raise
                task.cancel(error)
    finally:
        loop.selector.close()
        here.reset(token)
    return task.result()


async def sleep(seconds: float) -> None:
    """Let the others go on for so long; with 0, for one turn."""
    future = Future(f"sleep({seconds})", here.get().clock() + seconds)
    heapq.heappush(here.get().timers, (future.due, next(numbers), future))
    await future


async def when(sock: socket.socket, event: int, call: Callable[..., Any], *arguments: Any) -> Any:
    """Call a method of a socket as soon as it need not wait."""
    sock.setblocking(False)
    while True:
        future = Future(call.__name__)
        with sock.dup() as twin:  # to each his own: a reader and a writer may wait at once
            here.get().selector.register(twin, event, future)
            try:
                await future
            finally:
                here.get().selector.unregister(twin)
        with suppress(BlockingIOError):  # another one was faster
            return call(*arguments)


async def accept(listener: socket.socket) -> tuple[socket.socket, Any]:
    """The next connection, and the address of its peer. Raises OSError."""
    return await when(listener, selectors.EVENT_READ, listener.accept)


async def recv(sock: socket.socket, size: int) -> bytes:
    """At least one byte and at most ``size``; b"" at the end of the stream. Raises OSError."""
    return await when(sock, selectors.EVENT_READ, sock.recv, size)


async def sendall(sock: socket.socket, data: bytes) -> None:
    """Hand all of ``data`` to the kernel, as fast as the peer reads. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[await when(sock, selectors.EVENT_WRITE, sock.send, rest) :]


async def gather(*coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run all at once; their results in the order of the arguments.

    The first error is raised when the others have been cancelled and have ended. The same happens
    to all of them when gather itself is cancelled.
    """
    tasks = [Task(coroutine) for coroutine in coroutines]
    ends = [Future("the end of a task") for _ in tasks]  # first, second … whoever it will be
    order = iter(ends)
    for task in tasks:
        task.callbacks.append(lambda task: next(order).finish(task))
    try:
        for end in ends:
            await (await end)
    finally:
        for task in tasks:
            task.cancel()
        for end in ends:
            await end
    return [task.value for task in tasks]
