"""An event loop: one thread, many coroutines, and nobody waits for anybody else (PEP 492).

Strategy
- Everything that is not there yet is a ``Future``: the end of a sleep, a byte on a socket, the
  result of a task. ``await`` hands it up to the loop, through all coroutines in between.
- The loop notes in the future whom to wake, and forgets the task. So a task waits for one future
  at most, stands in the ready queue at most once, and can be cancelled wherever it stands.
- One turn: wait in the selector while nobody is ready, look at the clock, then let everybody who
  is ready make one step.
- ``observe`` hears of each "ready", of "begin" and "end" of each step, and of "idle" and "awake"
  around each wait.

Not handled: threads that wake a task, name look-up, connecting, two tasks that wait for the same
socket. A socket must not be closed while a task waits for it.
"""

import heapq
import itertools
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
LONGEST = 3600.0  # seconds in the selector at a time: no system can wait for ``inf``
Awaiting = Coroutine["Future", None, Any]  # what calling an ``async def`` gives
Observer = Callable[[str, "Task | None"], object]
FOREIGN = "this loop waits for its own futures only"  # asyncio's belong to asyncio's loop
here = threading.local()  # .loop: the one that runs in this thread
numbers = itertools.count()  # equal deadlines: first come, first served
log = logging.getLogger(__name__)


class Cancelled(BaseException):
    """Thrown into a task that is to end. No Exception, so that ``except Exception`` lets it by."""


class Deadlock(RuntimeError):
    """Tasks are waiting, and nothing is left that could ever wake one of them."""


class Future:
    """A result that is not there yet, and who is to hear of it."""

    def __init__(self, what: str = "a future", due: float | None = None) -> None:
        self.what, self.due = what, due  # for messages and pictures
        self.done = self.asked = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.callbacks: list[Callable[[Future], object]] = []

    def finish(self, value: Any = None, error: BaseException | None = None) -> None:
        """Here it is. The callbacks are called at once: they must not do more than note it."""
        if self.done:
            raise RuntimeError(f"{self.what} has its result already")
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
            log.error("nobody has awaited %s", self.what, exc_info=self.error)


class Task(Future):
    """A coroutine on its way. As a future it is what the coroutine is going to return."""

    def __init__(self, coroutine: Awaiting) -> None:
        super().__init__(getattr(coroutine, "__qualname__", "a task"))
        self.coroutine = coroutine
        self.waits_for = Future("its first step")
        self.throw: BaseException | None = None  # at the next step

    def wake(self, _: Future | None = None) -> None:
        """It can go on."""
        loop = current()
        loop.ready.append(self)
        loop.observe("ready", self)

    def cancel(self) -> None:
        """Throw Cancelled into it at its next step, which comes soon. No effect when it is done."""
        self.throw = Cancelled()
        if self.wake in self.waits_for.callbacks:
            self.waits_for.callbacks.remove(self.wake)
            self.wake()


class Loop:
    """Who is ready, who sleeps until when, and (in the selector) who waits for which socket."""

    def __init__(self, observe: Observer = lambda event, task: None) -> None:
        self.observe = observe
        self.clock = time.monotonic
        self.selector: selectors.BaseSelector = selectors.DefaultSelector()
        self.tasks: dict[Task, None] = {}  # all that are not done, in order of their birth
        self.ready: deque[Task] = deque()
        self.timers: list[tuple[float, int, Future]] = []  # a heap

    def run(self, main: Awaiting) -> Any:
        """Run until ``main`` is done, then cancel who is left. The result of ``main``."""
        if hasattr(here, "loop"):
            raise RuntimeError("a loop is running in this thread already: use await")
        here.loop = self
        try:
            task = spawn(main)
            while not task.done:
                self.turn()
        finally:
            self.end()
        return task.result()

    def end(self) -> None:
        """Cancel all tasks and see each to its end, so that every ``finally`` runs.

        subtle: Ctrl-C may have hit between a task's leaving the queue and its step.
        """
        try:
            for task in self.tasks:
                task.cancel()
            self.ready = deque(self.tasks)
            while self.tasks:
                self.turn()
        finally:
            self.selector.close()
            del here.loop

    def turn(self) -> None:
        """Find out who can go on, wait while that is nobody, then let each make one step."""
        timeout = self.patience()
        if timeout != 0:
            self.observe("idle", None)
        found = self.selector.select(timeout)
        if timeout != 0:
            self.observe("awake", None)
        for key, _ in found:
            if not key.data.done:
                key.data.finish()
        now = self.clock()
        while self.timers and self.timers[0][0] <= now:
            heapq.heappop(self.timers)[2].finish()
        for _ in range(len(self.ready)):
            self.step(self.ready.popleft())

    def patience(self) -> float | None:
        """How long to wait in the selector; None: until a socket is ready. Raises Deadlock."""
        while self.timers and not self.timers[0][2].callbacks:  # its task was cancelled
            heapq.heappop(self.timers)
        if self.ready:
            return 0
        if self.timers:
            return min(max(0, self.timers[0][0] - self.clock()), LONGEST)
        if self.selector.get_map():
            return None
        raise Deadlock(", ".join(f"{t.what} waits for {t.waits_for.what}" for t in self.tasks))

    def step(self, task: Task) -> None:
        """Let a task run until it awaits something that is not there yet."""
        self.observe("begin", task)
        error, task.throw = task.throw, None
        try:
            future = task.coroutine.throw(error) if error else task.coroutine.send(None)
            if isinstance(future, Future):
                future.callbacks.append(task.wake)
                task.waits_for = future
                if task.throw:  # it has cancelled itself
                    task.cancel()
            else:  # raised at the await, where it can be seen
                task.throw = task.throw or RuntimeError(f"{FOREIGN}, not {future!r}")
                task.wake()
        except StopIteration as end:
            task.finish(end.value)
        except BaseException as failure:
            task.finish(error=failure)
            if not isinstance(failure, Exception | Cancelled):
                raise  # Ctrl-C is meant for the whole loop
        finally:
            self.observe("end", task)
            del task  # subtle: the traceback holds this frame, and must not keep the task alive


def current() -> Loop:
    """The loop that runs in this thread. Raises RuntimeError when there is none."""
    if not hasattr(here, "loop"):
        raise RuntimeError("no loop runs in this thread: begin with eventloop.run(main())")
    return here.loop


def run(main: Awaiting, observe: Observer = lambda event, task: None) -> Any:
    """Run ``main`` in a loop of its own; its result."""
    return Loop(observe).run(main)


def spawn(coroutine: Awaiting) -> Task:
    """Begin a coroutine beside the one that calls this. Raises RuntimeError outside of a loop."""
    loop, task = current(), Task(coroutine)
    loop.tasks[task] = None
    task.callbacks.append(lambda _: loop.tasks.pop(task))
    task.wake()
    return task


async def sleep(seconds: float) -> None:
    """Let the others go on for so long; with 0, for one turn."""
    loop = current()
    due = loop.clock() + seconds
    future = Future(f"sleep({seconds})", due)
    heapq.heappush(loop.timers, (due, next(numbers), future))
    await future


async def when(sock: socket.socket, event: int, call: Callable[..., Any], *arguments: Any) -> Any:
    """Call a method of a socket as soon as it need not wait."""
    selector = current().selector
    sock.setblocking(False)
    while True:
        future = Future("readable" if event == READ else "writable")
        selector.register(sock, event, future)
        try:
            await future
        finally:
            selector.unregister(sock)
        with suppress(BlockingIOError):  # another process was faster
            return call(*arguments)


async def accept(listener: socket.socket) -> tuple[socket.socket, Any]:
    """The next connection, and the address of its peer. Raises OSError."""
    return await when(listener, READ, listener.accept)


async def recv(sock: socket.socket, size: int) -> bytes:
    """At least one byte and at most ``size``; b"" at the end of the stream. Raises OSError."""
    return await when(sock, READ, sock.recv, size)


async def sendall(sock: socket.socket, data: bytes) -> None:
    """Hand all of ``data`` to the kernel, as fast as the peer reads. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[await when(sock, WRITE, sock.send, rest) :]


async def stop(*tasks: Task) -> None:
    """Cancel tasks, and wait until all of them have ended."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        if not task.done:
            ended = Future(f"the end of {task.what}")
            task.callbacks.append(ended.finish)
            await ended


async def gather(*coroutines: Awaiting) -> list[Any]:
    """Run all at once; their results in the order of the arguments.

    The first error is raised when the others have been cancelled and have ended. The same happens
    to all of them when gather itself is cancelled.
    """
    first, tasks = Future("the first error"), [spawn(coroutine) for coroutine in coroutines]
    left = set(tasks)

    def note(task: Future) -> None:
        left.discard(task)
        if not first.done and (task.error or not left):
            first.finish(task)

    for task in tasks:
        task.callbacks.append(note)
    try:
        if tasks:
            await (await first)
    finally:
        await stop(*tasks)
    return [await task for task in tasks]


async def timeout(seconds: float, coroutine: Awaiting) -> Any:
    """The result of a coroutine. Raises TimeoutError when it took too long, and has ended."""
    work, clock = spawn(coroutine), spawn(sleep(seconds))
    clock.callbacks.append(lambda _: work.cancel())
    try:
        return await work
    except Cancelled:
        if clock.done and work.done:  # else it is ``timeout`` itself that is cancelled
            raise TimeoutError(f"not done after {seconds} s") from None
        raise
    finally:
        await stop(clock, work)
