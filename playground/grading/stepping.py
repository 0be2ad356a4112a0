"""In the learner's process: an asyncio loop that goes on only as far as the grader says.

`Stage.run` lets the loop turn until nothing can go on: every task waits for something that only
the grader gives (a message, a released door, a turn of the clock). The clock is the grader's as
well, so nothing here depends on how fast the machine is. The grader's side is
`playground.grading.asgi`.

Standard library only: the learner's process imports this file.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import selectors
import socket
import sys
import threading
import time
import types
import warnings
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playground.grading.child import _class_name

MAX_TURNS = 20_000  # of the loop in one run without a rest: it is running in circles
TASKS = Path("/proc/self/task")  # the states of the threads, on Linux


class Waiting(asyncio.Future[Any]):
    """Something that the grader will give, or not; `label` says what."""

    def __init__(self, label: str, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.label = label

    def give(self, value: Any = None) -> bool:
        """Give it; False if nobody waits any more."""
        if self.done():
            return False
        self.set_result(value)
        return True


class Watcher(selectors.DefaultSelector):
    """A selector that never waits: when nothing is ready, and no thread runs, it ends the turn."""

    loop: asyncio.AbstractEventLoop
    turns = 0
    timer: float | None = None  # seconds until the next timer, when the loop came to rest

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; stop the loop if nothing can become ready by itself."""
        events = super().select(0)
        self.turns += 1
        if self.turns > MAX_TURNS:
            self.loop.stop()
        elif not events and (timeout is None or timeout > 0):
            events = self.wait_for_threads()
            if not events:
                self.timer = timeout
                self.loop.stop()
        return events

    def wait_for_threads(self) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait while any other thread runs; return what it made ready."""
        quiet = 0
        while quiet < 3 and threading.active_count() > 1:
            events = super().select(0.002)
            if events:
                return events
            quiet = quiet + 1 if _threads_rest() else 0
        return super().select(0)


class SteppedLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, with a clock that others turn."""

    def __init__(self) -> None:
        self.clock = 1000.0  # seconds
        self.watcher = Watcher()
        super().__init__(self.watcher)
        self.watcher.loop = self

    def time(self) -> float:
        """Return the grader's time."""
        return self.clock


class Stage:
    """Everything asynchronous of one check: the loop, the calls, the doors."""

    def __init__(self) -> None:
        self.loop = SteppedLoop()
        self.calls: list[asyncio.Task[Any]] = []
        self.doors: dict[str, list[Waiting]] = {}
        self.rooms: list[Room] = []
        self.said: list[str] = []
        self.next_timer: float | None = None  # seconds until then, at the end of `run`
        self.loop.set_exception_handler(self._on_trouble)
        warnings.simplefilter("always", RuntimeWarning)
        warnings.showwarning = self._on_warning

    # calls

    def start(self, function: Any, *args: Any) -> int:
        """Begin to await function(*args); nothing runs before `run`. Returns its number."""
        self.calls.append(self.loop.create_task(_await(function, args), name="your function"))
        return len(self.calls) - 1

    def exchange(self, app: Any, scope: Any, hook: Any) -> tuple[int, Line]:
        """Begin app(scope, receive, send). Returns the number of the call, and its line."""
        line = Line(self, scope, hook)
        return self.start(app, scope, line.receive, line.send), line

    def run(self, seconds: float = 0.0) -> str:
        """Go on until nothing can, while the clock advances by `seconds`. Returns "" or trouble."""
        watcher, end = self.loop.watcher, self.loop.clock + seconds
        while True:
            watcher.turns, watcher.timer = 0, None
            self.loop.run_forever()
            if watcher.turns > MAX_TURNS:
                return f"{MAX_TURNS:,} turns of the event loop, and it still has not come to rest"
            wait = watcher.timer
            if wait is None or self.loop.clock + wait > end:
                self.next_timer = None if wait is None else self.loop.clock + wait - end
                self.loop.clock = end
                return ""
            self.loop.clock += wait

    def is_done(self, number: int) -> bool:
        """Tell whether a call is over."""
        return self.calls[number].done()

    def result(self, number: int) -> Any:
        """Return what a call returned; raise what it raised."""
        return self.calls[number].result()

    def cancel(self, number: int) -> None:
        """Cancel a call."""
        self.calls[number].cancel()

    def tasks(self) -> list[tuple[str, str, str, list[tuple[str, int, str]]]]:
        """Return (whose, name, what it waits for, its frames) of every unfinished task.

        `whose` is the number of a call, or "" for a task that the learner's code has created.
        """
        found = []
        for task in sorted(asyncio.all_tasks(self.loop), key=lambda task: task.get_name()):
            number = self.calls.index(task) if task in self.calls else None
            chain = list(_chain(task.get_coro()))
            frames = [(f.f_code.co_filename, f.f_lineno, f.f_code.co_name) for f in _frames(chain)]
            whose = "" if number is None else str(number)
            found.append((whose, task.get_name(), _awaited(task, chain), frames))
        return found

    def complaints(self) -> list[str]:
        """Return what asyncio and Python complained about: lost exceptions, forgotten awaits."""
        gc.collect()
        self.run()
        return list(self.said)

    # the grader's application, and its doors

    def app(self, hook: Any) -> Any:
        """Return an ASGI application whose every step the grader decides."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self._play(hook.begin(scope), hook, receive, send)

        return app

    def function(self, hook: Any, name: str) -> Any:
        """Return an `async def name(*args)` whose every step the grader decides."""

        async def function(*args: Any) -> Any:
            return await self._play(hook.begin(*args), hook, None, None)

        function.__name__ = function.__qualname__ = name
        return function

    def room(self) -> Any:
        """Return a Room: a *blocking* function whose callers stay until the grader lets them go."""
        self.rooms.append(Room())
        return self.rooms[-1]

    def streams(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the grader; return the streams that asyncio makes of the connection."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        return self.loop.run_until_complete(asyncio.open_connection(sock=connection))

    def release(self, label: str) -> int:
        """Let everybody go who waits at the door `label`. Returns how many that were."""
        return sum(waiting.give() for waiting in self.doors.pop(label, []))

    def wait(self, label: str) -> Waiting:
        """Return something to await until `release(label)`."""
        waiting = Waiting(label, self.loop)
        self.doors.setdefault(label, []).append(waiting)
        return waiting

    def close(self) -> None:
        """End every task and thread that is left."""
        for room in self.rooms:
            room.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.run()
        self.loop.close()

    async def _play(self, number: int, hook: Any, receive: Any, send: Any) -> Any:
        value: Any = None
        error: BaseException | None = None
        while True:
            action, argument = (
                hook.step(number, value)
                if error is None
                else hook.throw(number, error, [_class_name(c) for c in type(error).__mro__])
            )
            if action == "return":
                return argument
            try:
                value, error = await self._perform(action, argument, receive, send), None
            except BaseException as raised:  # the grader's script decides what to do about it
                value, error = None, raised

    async def _perform(self, action: str, argument: Any, receive: Any, send: Any) -> Any:
        if action == "receive":
            return await receive()
        if action == "send":
            return await send(argument)
        if action == "sleep":
            return await asyncio.sleep(argument)
        return await self.wait(argument)

    def _on_trouble(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        what = f": {type(error).__name__}: {error}" if error is not None else ""
        self.said.append(f"{context.get('message', 'trouble')}{what}")

    def _on_warning(
        self, message: Warning | str, category: type[Warning], *where: Any, **more: Any
    ) -> None:
        if issubclass(category, RuntimeWarning):
            self.said.append(str(message))


class Line:
    """Between one application and the grader: `receive` and `send`."""

    def __init__(self, stage: Stage, scope: Any, hook: Any) -> None:
        self.stage = stage
        self.scope = scope
        self.hook = hook
        self.queue: deque[Any] = deque()
        self.receivers: deque[Waiting] = deque()
        self.senders: deque[Waiting] = deque()

    async def receive(self) -> Any:
        """Return the next message; wait for the grader if there is none."""
        self.hook.on_asked()
        if self.queue:
            message = self.queue.popleft()
        else:
            self.receivers.append(Waiting("receive()", self.stage.loop))
            message = await self.receivers[-1]
        self.hook.on_received(message)
        return message

    async def send(self, message: Any) -> None:
        """Tell the grader; wait if it says so."""
        if not self.hook.on_send(message):
            kind = message.get("type") if isinstance(message, dict) else message
            self.senders.append(Waiting(f"send({kind!r})", self.stage.loop))
            await self.senders[-1]

    def feed(self, *messages: Any) -> None:
        """Give messages to those who wait for them, or will."""
        for message in messages:
            while self.receivers:
                if self.receivers.popleft().give(message):
                    break
            else:
                self.queue.append(message)

    def let_send(self, count: int) -> int:
        """Let up to `count` held senders go on. Returns how many that were."""
        gone = 0
        while self.senders and gone < count:
            gone += self.senders.popleft().give()
        return gone


class Room:
    """A blocking function for threads: `room(label)` returns label when the grader says so."""

    __name__ = "function"  # in messages

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.inside: list[str] = []
        self.released: list[tuple[str, BaseException | None]] = []
        self.log: list[str] = []
        self.open = False

    def __call__(self, label: str) -> str:
        """Stay until released. On the loop's own thread nobody stays: the log tells."""
        with self.lock:
            on_loop = threading.current_thread() is threading.main_thread()
            self.log.append(f"enter {label}" + (" on the event loop" if on_loop else ""))
            error = None if on_loop else self._stay(label)
            self.log.append(f"leave {label}")
        if error is not None:
            raise error
        return label

    def visitors(self) -> list[str]:
        """Return the labels of those who are inside, in the order in which they came."""
        with self.lock:
            return list(self.inside)

    def entries(self) -> list[str]:
        """Return the log: "enter a", "leave a", …"""
        with self.lock:
            return list(self.log)

    def release(self, label: str, error: BaseException | None = None) -> None:
        """Let one visitor go: the call returns, or raises `error`."""
        with self.lock:
            self.released.append((label, error))
            self.lock.notify_all()

    def close(self) -> None:
        """Let everybody go."""
        with self.lock:
            self.open = True
            self.lock.notify_all()

    def _stay(self, label: str) -> BaseException | None:
        self.inside.append(label)
        self.lock.wait_for(lambda: self.open or any(name == label for name, _ in self.released))
        self.inside.remove(label)
        found = next((entry for entry in self.released if entry[0] == label), None)
        if found is None:
            return None
        self.released.remove(found)
        return found[1]


async def _await(function: Any, args: tuple[Any, ...]) -> Any:
    result = function(*args)
    if not inspect.isawaitable(result):
        name = getattr(function, "__name__", "it")
        raise TypeError(f"{name} returned {result!r}, nothing that can be awaited (async def)")
    return await result


def _chain(awaitable: Any) -> Iterator[Any]:
    """Yield a coroutine, what it awaits, what that awaits, …"""
    while awaitable is not None:
        yield awaitable
        awaitable = next(
            (
                getattr(awaitable, name)
                for name in ("cr_await", "gi_yieldfrom", "ag_await")
                if getattr(awaitable, name, None) is not None
            ),
            None,
        )


def _frames(chain: list[Any]) -> Iterator[types.FrameType]:
    for awaitable in chain:
        for name in ("cr_frame", "gi_frame", "ag_frame"):
            frame = getattr(awaitable, name, None)
            if frame is not None:
                yield frame


def _awaited(task: asyncio.Task[Any], chain: list[Any]) -> str:
    """Say what a task waits for: the label of the grader's, or the innermost coroutine's name."""
    waiter = getattr(task, "_fut_waiter", None)
    if isinstance(waiter, Waiting):
        return waiter.label
    if isinstance(waiter, asyncio.Task):
        return f"the end of the task {waiter.get_name()}"
    for awaitable in reversed(chain):
        name = getattr(awaitable, "__qualname__", "")
        if name:
            module = getattr(getattr(awaitable, "cr_frame", None), "f_globals", {})
            return f"{str(module.get('__name__', '')).split('.')[0]}.{name}"
    return "something"


def _threads_rest() -> bool:
    """Tell whether no other thread runs, could run, or waits for an answer of the grader."""
    if not TASKS.exists():  # not Linux
        time.sleep(0.02)
        return not _someone_asks()
    own = str(threading.get_native_id())
    for stat in TASKS.glob("*/stat"):
        try:
            resting = stat.parent.name == own or stat.read_text().rpartition(")")[2].split()[0] in (
                "S",
                "Z",
            )
        except OSError:  # it has just ended
            resting = False
        if not resting:
            return False
    return not _someone_asks()


def _someone_asks() -> bool:
    main = threading.main_thread().ident
    for ident, top in list(sys._current_frames().items()):
        frame: types.FrameType | None = top if ident != main else None
        while frame is not None:
            if frame.f_code.co_name == "ask" and frame.f_globals["__name__"].endswith(".child"):
                return True
            frame = frame.f_back
    return False
