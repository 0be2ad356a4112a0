# Sends what fits, and takes it for all.
# Message: called sendall(sock, 3,000,000 bytes), and a reader who reads all
# Message: expected ['3,000,000 bytes arrived, the right ones']
# Message: why socket.send hands over what fits
"""An event loop on one thread: coroutines, timers, sockets."""

import heapq
import itertools
import selectors
import socket
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any


class Future:
    """A result that is not there yet."""

    def __init__(self) -> None:
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.wakes: list[Callable[[], None]] = []

    def finish(self, value: Any = None, error: BaseException | None = None) -> None:
        """Here it is: all who wait can go on."""
        if not self.done:
            self.done, self.value, self.error = True, value, error
            for wake in self.wakes:
                wake()

    def result(self) -> Any:
        """The value, or the error is raised."""
        if self.error:
            raise self.error
        return self.value

    def __await__(self) -> Generator["Future", None, Any]:
        """Hand the future up to the loop, which comes back when it is finished."""
        if not self.done:
            yield self
        return self.result()


class Loop:
    """Who is ready, who sleeps until when, and in the selector who waits for which socket."""

    def __init__(self, selector: selectors.BaseSelector, now: Callable[[], float]) -> None:
        self.selector = selector
        self.now = now
        self.ready: deque[tuple[Coroutine[Any, Any, Any], Future]] = deque()
        self.timers: list[tuple[float, int, Future]] = []  # a heap
        self.numbers = itertools.count()

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run until the coroutine is over; its result."""
        result = self.start(main)
        while not result.done:
            self.turn()
        return result.result()

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Future:
        """Begin a coroutine beside the others; the future of its result."""
        result = Future()
        self.ready.append((coroutine, result))
        return result

    def turn(self) -> None:
        """Wait if nobody can go on, then let everybody who can make one step."""
        timeout = self.timers[0][0] - self.now() if self.timers else None
        for key, _ in self.selector.select(0 if self.ready else timeout):
            key.data.finish()
        while self.timers and self.timers[0][0] <= self.now():
            heapq.heappop(self.timers)[2].finish()
        for _ in range(len(self.ready)):
            self.step(*self.ready.popleft())

    def step(self, coroutine: Coroutine[Any, Any, Any], result: Future) -> None:
        """Let a coroutine run until it waits for a future, or is over."""
        try:
            future = coroutine.send(None)
        except StopIteration as end:
            result.finish(end.value)
        except Exception as error:
            result.finish(error=error)
        else:
            future.wakes.append(lambda: self.ready.append((coroutine, result)))

    async def sleep(self, seconds: float) -> None:
        """Let the others go on for so long."""
        future = Future()
        heapq.heappush(self.timers, (self.now() + seconds, next(self.numbers), future))
        await future

    async def recv(self, sock: socket.socket, size: int) -> bytes:
        """At least one byte, or b"" at the end of the stream."""
        await self.when(sock, selectors.EVENT_READ)
        return sock.recv(size)

    async def sendall(self, sock: socket.socket, data: bytes) -> None:
        """Send all of it."""
        await self.when(sock, selectors.EVENT_WRITE)
        sock.send(data)

    async def when(self, sock: socket.socket, event: int) -> None:
        """Wait until a socket can be read (EVENT_READ) or written (EVENT_WRITE)."""
        future = Future()
        with sock.dup() as twin:  # so that a reader and a writer do not meet in the selector
            self.selector.register(twin, event, future)
            try:
                await future
            finally:
                self.selector.unregister(twin)
