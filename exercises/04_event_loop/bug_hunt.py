"""Bug hunt: an event loop that passes its first demonstration.

One coroutine sleeps, another one echoes a word over a socket: it works. Still, eight bugs are in
here. Find them and repair them; the checks go from easy to subtle, so let them lead you. This is
what the loop should do:

- `run(coroutine)` returns what the coroutine returns, or raises what it raises.
- `start(coroutine)` begins another one and returns a future of its result. Who awaits that gets the
  result or the error, however late, and however many they are. An error in a coroutine that was
  started is nobody else's affair: all others go on.
- `await future` gives its value, also if the future was finished long ago. A second `finish` has
  no effect.
- `sleep(seconds)` ends when `now()` has reached its end; of equal ends, who asked first comes
  first. Nobody can keep the others from it by having something to do all the time.
- `recv(sock, size)` waits until something is there; `sendall(sock, data)` sends all of it, as fast
  as the other side reads. What the socket raises is raised in the coroutine that waits. One
  coroutine may read from a socket while another one writes to it. (Two readers of one socket, or
  two writers, need not work.)
- While nobody can go on, the loop stands in `selector.select`, and it comes out when somebody can
  go on: not earlier, not again and again. The selector knows those sockets that somebody waits for,
  and no others.

Sockets do not block. `selector` is any of selectors.BaseSelector, and `now` may be any clock.
"""

import heapq
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
        self.wake: Callable[[], None] | None = None

    def finish(self, value: Any = None) -> None:
        """Here it is: who waits can go on."""
        if not self.done:
            self.done, self.value = True, value
            if self.wake:
                self.wake()

    def __await__(self) -> Generator["Future", None, Any]:
        """Hand the future up to the loop, which comes back when it is finished."""
        yield self
        return self.value


class Loop:
    """Who is ready, who sleeps until when, and in the selector who waits for which socket."""

    def __init__(self, selector: selectors.BaseSelector, now: Callable[[], float]) -> None:
        self.selector = selector
        self.now = now
        self.ready: deque[tuple[Coroutine[Any, Any, Any], Future]] = deque()
        self.timers: list[tuple[float, Future]] = []  # a heap

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run until the coroutine is over; its result."""
        result = self.start(main)
        while not result.done:
            self.turn()
        return result.value

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Future:
        """Begin a coroutine beside the others; the future of its result."""
        result = Future()
        self.ready.append((coroutine, result))
        return result

    def turn(self) -> None:
        """Wait if nobody can go on, then let everybody go on who can."""
        timeout = max(0, self.timers[0][0] - self.now()) if self.timers else None
        for key, _ in self.selector.select(0 if self.ready else timeout):
            key.data.finish()
        while self.timers and self.timers[0][0] <= self.now():
            heapq.heappop(self.timers)[1].finish()
        while self.ready:
            self.step(*self.ready.popleft())

    def step(self, coroutine: Coroutine[Any, Any, Any], result: Future) -> None:
        """Let a coroutine run until it waits for a future, or is over."""
        try:
            future = coroutine.send(None)
        except StopIteration as end:
            result.finish(end.value)
        else:
            future.wake = lambda: self.ready.append((coroutine, result))

    async def sleep(self, seconds: float) -> None:
        """Let the others go on for so long."""
        future = Future()
        heapq.heappush(self.timers, (self.now() + seconds, future))
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
        try:
            self.selector.register(sock, event, future)
        except KeyError:  # it is registered already
            self.selector.modify(sock, event, future)
        await future
