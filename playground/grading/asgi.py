"""What a grader of asynchronous exercises plays: the ASGI server, the application, and the clock.

A `Stage` is an asyncio loop in the learner's process that goes on only when the grader says so:
`run` returns when nothing can go on by itself. So the grader sees what an application has sent
*before* it gets its next message, what waits for what, and what is left at the end; and none of it
depends on time, because the clock is the grader's.

    with Stage(learner) as stage:
        exchange = stage.exchange("app", http_scope("GET", "/menu"), request(b"")).run()
        exchange.sent        # messages, as they were when they were sent
        exchange.feed(DISCONNECT).finish(why="ASGI HTTP, Disconnect")

The learner's process's half is `playground.grading.stepping`.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, Self

from playground.grading.learner import Learner, Raised, Remote, same, short
from playground.grading.verdict import Failed, Line, Message, Stack, Wire, fail

Headers = list[tuple[bytes, bytes]]
DISCONNECT: dict[str, Any] = {"type": "http.disconnect"}
RECEIVE = ("receive", None)
ORDER = (
    "ASGI HTTP, Response Start and Response Body: one start, then bodies until more_body is False"
)
TYPES = "ASGI HTTP, Response Start: status int; headers an iterable of [name, value], byte strings"


# ---- messages --------------------------------------------------------------------------------


def http_scope(
    method: str = "GET",
    path: str = "/",
    *,
    query: bytes = b"",
    headers: Headers | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return a complete scope of ASGI 3 HTTP; `more` is added or replaces."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), *(headers or [])],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
        "state": {},
        **more,
    }


def websocket_scope(path: str = "/", **more: Any) -> dict[str, Any]:
    """Return a complete scope of ASGI 3 WebSocket."""
    scope = http_scope("GET", path, type="websocket", scheme="ws", subprotocols=[], **more)
    del scope["method"]
    return scope


def lifespan_scope(**more: Any) -> dict[str, Any]:
    """Return the scope of the lifespan protocol."""
    return {
        "type": "lifespan",
        "asgi": {"version": "3.0", "spec_version": "2.0"},
        "state": {},
        **more,
    }


def request(body: bytes = b"", more: bool = False) -> dict[str, Any]:
    """Return an `http.request` message."""
    return {"type": "http.request", "body": body, "more_body": more}


def start(status: int = 200, headers: Headers | None = None) -> dict[str, Any]:
    """Return an `http.response.start` message."""
    return {"type": "http.response.start", "status": status, "headers": headers or []}


def body(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    """Return an `http.response.body` message."""
    return {"type": "http.response.body", "body": data, "more_body": more}


# ---- what a script of the grader's may yield, besides a message to send ---------------------


def hold(label: str) -> tuple[str, str]:
    """Wait until `stage.release(label)`."""
    return ("hold", label)


def sleep(seconds: float) -> tuple[str, float]:
    """Wait for the grader's clock."""
    return ("sleep", seconds)


Script = Generator[Any, Any, Any]


class Play:
    """An application of the grader's: a generator function, which runs here, step by step.

    It gets the arguments of the call (the scope) and yields `RECEIVE` (and gets the message), a
    message to be sent, `hold(label)` or `sleep(seconds)`. What the learner's receive and send raise
    is raised at the yield, as `Raised`; what it raises itself is raised into the learner's code.
    """

    def __init__(self, script: Callable[..., Script]) -> None:
        self.script = script
        self.scopes: list[Any] = []  # the arguments of each call
        self.events: list[str] = []
        self.__name__ = script.__name__
        self._running: list[Script] = []

    def begin(self, *args: Any) -> int:
        """Note a call."""
        self.scopes.append(args[0] if len(args) == 1 else args)
        self._running.append(self.script(*args))
        return len(self._running) - 1

    def step(self, number: int, value: Any) -> tuple[str, Any]:
        """Go on to the next action."""
        return self._action(lambda: self._running[number].send(value))

    def throw(self, number: int, error: Remote, mro: list[str]) -> tuple[str, Any]:
        """Go on with an exception that the learner's function raised."""
        data = {"type": mro[0].rpartition(".")[2], "mro": mro, "text": error.call("__str__")}
        raised = Raised("await", {**data, "frames": [], "number": error._number})
        return self._action(lambda: self._running[number].throw(raised))

    def _action(self, go_on: Callable[[], Any]) -> tuple[str, Any]:
        try:
            found = go_on()
        except StopIteration as end:
            return ("return", end.value)
        return ("send", found) if isinstance(found, dict) else found


# ---- the stage ---------------------------------------------------------------------------------


class Stage:
    """An event loop in the learner's process. A context manager; it ends what is left."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        make = learner.define("from playground.grading.stepping import Stage", "Stage")
        self._remote: Remote = make()
        self._begun: list[str] = []  # calls, in words

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, Failed):  # the process ends anyway, and may be in a bad state
            self._remote.call("close")

    def start(self, function: str | Remote, *args: Any, called: str = "") -> Call:
        """Begin to await the learner's function(*args); it runs with `run` and `finish`."""
        name, target = self._function(function, called)
        number = self._remote.call("start", target, *args)
        shown = ", ".join(short(arg, 100) for arg in args)
        called = called or f"await {name}({shown})"
        self._begun.append(called)
        return Call(self, number, called)

    def exchange(
        self,
        app: str | Remote,
        scope: dict[str, Any],
        *messages: dict[str, Any],
        called: str = "",
        events: list[str] | None = None,
        window: int | None = None,
    ) -> Exchange:
        """Begin app(scope, receive, send); `receive` gives `messages`, then waits for `feed`.

        `events` may be shared to record an order. `window` is how many calls of send return at
        once; the following wait for `let_send`. None: all of them return.
        """
        name, target = self._function(app, called)
        called = called or _describe(name, scope)
        self._begun.append(called)
        exchange = Exchange(self, called, events, window)
        exchange._bind(*self._remote.call("exchange", target, scope, exchange.hook))
        return exchange.feed(*messages)

    def app(self, script: Callable[..., Script]) -> tuple[Remote, Play]:
        """Return an ASGI application of the grader's, and the Play that records its calls."""
        play = Play(script)
        return self._remote.call("app", play), play

    def function(self, script: Callable[..., Script]) -> tuple[Remote, Play]:
        """Return an `async def` of the grader's: as `app`, with any arguments and a result."""
        play = Play(script)
        return self._remote.call("function", play, script.__name__), play

    def room(self) -> Room:
        """Return a *blocking* function whose callers (threads) stay until they are released."""
        return Room(self._remote.call("room"))

    def visit(self) -> tuple[Remote, Remote, Visitor]:
        """Return (reader, writer) of a new connection, for the learner's code, and its client."""
        # subtle: over a Unix socket, what was sent has arrived when the call returns
        folder = tempfile.TemporaryDirectory(prefix="visit-")
        with folder, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{folder.name}/door")
            listener.listen()
            reader, writer = self._remote.call("streams", f"{folder.name}/door")
            connection, _ = listener.accept()
        return reader, writer, Visitor(connection)

    def run(self, seconds: float = 0.0) -> Stage:
        """Go on until nothing can go on by itself; meanwhile the clock advances by `seconds`."""
        *before, last = self._begun[-2:] or ["the event loop"]
        told = [call for call in before if not last.startswith(call)]  # a story that goes on
        with self.learner.telling("; ".join([*told, last])):
            trouble = self._remote.call("run", seconds)
        if trouble:
            nudge = "An await that never waits for anything leaves no rest to anybody."
            message = Message("the event loop", trouble, "it waits for something", nudge=nudge)
            message.stacks = self.stacks()
            raise Failed(message)
        return self

    def release(self, label: str) -> int:
        """Let those go on who wait at `hold(label)`; they do so at the next `run`."""
        return int(self._remote.call("release", label))

    def left(self) -> list[str]:
        """Return the names of unfinished tasks that the learner's code has created."""
        return [name for whose, name, _, _ in self._remote.call("tasks") if not whose]

    def next_timer(self) -> float | None:
        """Return the seconds until the next timer (asyncio.sleep, timeout), or None."""
        timer: float | None = self._remote.get("next_timer")
        return timer

    def complaints(self) -> list[str]:
        """Return what asyncio said: `… was never awaited`, exceptions that nobody looked at."""
        said: list[str] = self._remote.call("complaints")
        return said

    def forgotten(self) -> str:
        """Return what Python has said so far of a coroutine that nobody awaited, or ""."""
        said: list[str] = self._remote.get("said")
        return next((each for each in said if "never awaited" in each), "")

    def stacks(self) -> tuple[Stack, ...]:
        """Return where every unfinished task stands in the learner's file, and what it awaits."""
        path = self.learner.path
        return tuple(
            Stack(f"task {name}, which waits for {awaited}", _lines(frames, path))
            for _, name, awaited, frames in self._remote.call("tasks")
        )

    def _function(self, function: str | Remote, called: str) -> tuple[str, Remote]:
        if isinstance(function, Remote) and function.type_name == "coroutine":
            got = "a coroutine is to be called, and that is no function"
            nudge = "The outer function is no `async def`: it returns the inner one, which is."
            fail(called, got, "a function", nudge=nudge)
        if isinstance(function, Remote):
            return repr(function), function
        if not isinstance(function, str):  # the learner's code should have returned one
            got = f"{short(function)} is to be called, and that is no function"
            fail(called, got, "a function", nudge="Does the outer function return the inner one?")
        try:
            return function, self.learner.name(function)
        except Raised as raised:
            if raised.type_name != "AttributeError":
                raise
            nudge = "Keep the names of the stub."
            got = f"there is no {function} in {self.learner.path.name}"
            fail(function, got, f"a function called {function}", nudge=nudge)


class Call:
    """One awaited call of the learner's."""

    def __init__(self, stage: Stage, number: int, called: str) -> None:
        self.stage = stage
        self.number = number
        self.called = called
        self._raised: Raised | None = None  # what `result` raised, for the lines in the message

    @property
    def done(self) -> bool:
        """Whether it has returned or raised."""
        return bool(self.stage._remote.call("is_done", self.number))

    def run(self, seconds: float = 0.0) -> Self:
        """Let everything go on as far as it can. Raises what the call raised, if it did."""
        self.stage.run(seconds)
        if self.done:
            self.result()
        return self

    def result(self) -> Any:
        """Return what it returned, once it is done; raises Raised."""
        try:
            return self.stage._remote.call("result", self.number)
        except Raised as raised:
            raised.called = self.called
            self._raised = raised
            raise

    def raised(self) -> Raised | None:
        """Return the exception with which it ended, or None."""
        try:
            self.result()
        except Raised as raised:
            return raised
        return None

    def cancel(self) -> Self:
        """Cancel it, as a server or a time-out does. It ends at the next `run` or `finish`."""
        self.stage._remote.call("cancel", self.number)
        return self

    @property
    def waits_for(self) -> str:
        """What it waits for: "receive()", "send('http.response.body')", a label; "" when done."""
        tasks = self.stage._remote.call("tasks")
        return next((what for whose, _, what, _ in tasks if whose == str(self.number)), "")

    def finish(self, *, why: str = "", nudge: str = "", seconds: float = 0.0) -> Any:
        """Return its result; fail unless it ends now and leaves no task behind. Raises Raised."""
        self.ends(why=why, nudge=nudge, seconds=seconds)
        return self.result()

    def ends(self, *, why: str = "", nudge: str = "", seconds: float = 0.0) -> Self:
        """Fail unless it ends now, in whatever way, and leaves no task behind."""
        self.stage.run(seconds)
        if not self.done:
            got = f"it waits for {self.waits_for}, and nothing more will come"
            self.fail(got, "the end of the call", why=why, nudge=nudge, stacks=True)
        left = self.stage.left()
        if left:
            got = f"it ended, and left behind: {', '.join(f'task {name}' for name in left)}"
            hint = nudge or "Who starts a task waits for its end, or cancels it and then waits."
            self.fail(got, "no task left behind", why=why, nudge=hint, stacks=True)
        return self

    def fail(
        self, got: str, expected: str, *, why: str = "", nudge: str = "", stacks: bool = False
    ) -> NoReturn:
        """Fail, with what was called; with `stacks`, where every task stands.

        If `got` tells of the exception that the call raised, the learner's lines come with it. And
        an await that was forgotten is told in any case.
        """
        message = Message(self.called, got, expected, why, nudge)
        if self._raised is not None and self._raised.sentence() in got:
            message.where = self._raised.lines
        if stacks:
            message.stacks = self.stage.stacks()
        forgotten = self.stage.forgotten()
        if forgotten and forgotten not in nudge:
            message.nudge = f"{nudge} Python says: {forgotten}".strip()
        raise Failed(message)


class Exchange(Call):
    """One conversation with the learner's application; the grader is the server."""

    def __init__(
        self, stage: Stage, called: str, events: list[str] | None, window: int | None
    ) -> None:
        super().__init__(stage, -1, called)
        self.sent: list[Any] = []  # every message, as it was when send was called
        self.events: list[str] = [] if events is None else events  # "send …", "receive …"
        self.asked = 0  # how often receive was called
        self.error: Exception | None = None  # what send raises from now on: OSError("…")
        self.hook = Hook(self, window)

    def _bind(self, number: int, line: Remote) -> None:
        self.number = number
        self._line = line

    def feed(self, *messages: dict[str, Any]) -> Self:
        """Give `receive` more messages; they are taken at the next `run`."""
        self._line.call("feed", *messages)
        return self

    def let_send(self, count: int = 1) -> Self:
        """Let `count` calls of send return: held ones first, then those to come."""
        assert self.hook.window is not None, "every send returns anyway"
        self.hook.window += count - int(self._line.call("let_send", count))
        return self

    def scope(self) -> Any:
        """Return the scope as it is now, to see whether it was changed."""
        return self._line.get("scope")

    def expect_sent(self, *expected: dict[str, Any], why: str = "", nudge: str = "") -> Self:
        """Fail unless exactly these messages were sent so far (defaults may be left out)."""
        if not same(list(map(normal, self.sent)), list(map(normal, expected))):
            self.fail(
                f"sent {show(self.sent)}", f"sent {show(list(expected))}",
                why=why, nudge=nudge, stacks=not self.done,
            )  # fmt: skip
        return self

    def response(self, *, why: str = "", nudge: str = "") -> Answer:
        """Return the response; fail unless the messages so far are exactly one whole response."""
        wrong = problem(self.sent)
        if wrong:
            self.fail(f"sent {show(self.sent)}: {wrong[0]}", "one response", why=why or wrong[1],
                      nudge=nudge, stacks=not self.done)  # fmt: skip
        first = self.sent[0]
        blocks = [message.get("body", b"") for message in self.sent[1:]]
        headers = [(bytes(name), bytes(value)) for name, value in first.get("headers", ())]
        return Answer(first["status"], headers, b"".join(blocks), blocks)


class Hook:
    """What the learner's process tells of one exchange."""

    def __init__(self, exchange: Exchange, window: int | None) -> None:
        self._exchange = exchange
        self.window = window

    def on_asked(self) -> None:
        """The application called receive."""
        self._exchange.asked += 1

    def on_received(self, message: dict[str, Any]) -> None:
        """It got a message."""
        self._exchange.events.append(f"receive {message['type']}")

    def on_send(self, message: Any) -> bool:
        """It called send. Returns whether send returns at once."""
        exchange = self._exchange
        kind = message.get("type") if isinstance(message, dict) else short(message)
        if exchange.error is not None:
            exchange.events.append(f"refused {kind}")
            raise exchange.error
        exchange.events.append(f"send {kind}")
        exchange.sent.append(message)
        if self.window is None:
            return True
        if self.window == 0:
            return False
        self.window -= 1
        return True


class Visitor:
    """The client's end of one connection; nothing here waits."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.connection.setblocking(False)
        self.sent = b""
        self.received = b""  # everything that `read` has taken
        self.ended = False  # end-of-file, or a reset, was read

    def send(self, data: bytes) -> int:
        """Send bytes; they have arrived when this returns. Returns how many there was room for."""
        count = 0
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            while count < len(data):
                count += self.connection.send(data[count:])
        self.sent += data[:count]
        return count

    def read(self, limit: int = 1 << 30) -> bytes:
        """Return what has come since the last read, up to `limit` bytes."""
        data = b""
        with contextlib.suppress(BlockingIOError):
            while len(data) < limit and not self.ended:
                try:
                    piece = self.connection.recv(min(65_536, limit - len(data)))
                except ConnectionResetError:
                    piece = b""
                data += piece
                self.ended = not piece
        self.received += data
        return data

    def shutdown(self) -> None:
        """Send end-of-file."""
        self.connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Hang up."""
        self.connection.close()

    def fail(self, stage: Stage, got: str, expected: str, *, why: str, nudge: str) -> NoReturn:
        """Fail with the bytes of both directions, and where every task stands."""
        message = Message(f"sent {self.sent[:120]!r}", got, expected, why, nudge)
        message.wire = Wire(self.sent, self.received)  # no port is open to repeat it
        message.stacks = stage.stacks()
        raise Failed(message)


class Room:
    """A blocking function in the learner's process; hand `function` to the learner's code."""

    def __init__(self, function: Remote) -> None:
        self.function = function

    @property
    def inside(self) -> list[str]:
        """The labels of those who are inside now, in the order in which they came."""
        found: list[str] = self.function.call("visitors")
        return found

    @property
    def log(self) -> list[str]:
        """What happened: "enter a", "leave a"; "enter a on the event loop" if no thread did it."""
        found: list[str] = self.function.call("entries")
        return found

    def release(self, label: str, error: Exception | None = None) -> None:
        """Let a visitor return its label, or raise `error`; it goes on at the next `run`."""
        self.function.call("release", label, error)


class Answer(NamedTuple):
    """One whole HTTP response, put together from its messages."""

    status: int
    headers: Headers
    body: bytes
    blocks: list[bytes]  # the body of every http.response.body, empty ones as well

    def header(self, name: bytes) -> list[bytes]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key.lower() == name]


def problem(messages: list[Any], whole: bool = True) -> tuple[str, str] | None:
    """Return what is wrong with the messages of an HTTP response, and the section that says so.

    With `whole=False`, the end may still be missing.
    """
    for number, message in enumerate(messages):
        kind = message.get("type") if isinstance(message, dict) else None
        wanted = "http.response.body" if number else "http.response.start"
        if kind != wanted:
            return f"message {number} is {short(kind or message)}, not {wanted}", ORDER
        wrong = _bad_body(message) if number else _bad_start(message)
        if wrong:
            return wrong, TYPES
        if number and not message.get("more_body", False) and number + 1 < len(messages):
            return f"message {number} was the last one, and another one follows", ORDER
    if whole and (len(messages) < 2 or messages[-1].get("more_body", False)):
        return "the end is missing", ORDER
    return None


def normal(message: Any) -> Any:
    """Return a message with the defaults of the specification filled in, for a comparison."""
    defaults = {
        "http.response.start": {"headers": [], "trailers": False},
        "http.response.body": {"body": b"", "more_body": False},
        "http.request": {"body": b"", "more_body": False},
    }
    if not isinstance(message, dict):
        return message
    whole = {**defaults.get(str(message.get("type")), {}), **message}
    if isinstance(whole.get("headers"), (list, tuple)):
        whole["headers"] = [
            tuple(pair) if isinstance(pair, list) else pair for pair in whole["headers"]
        ]
    return whole


def show(messages: list[Any]) -> str:
    """Return messages in a line, types shortened: start 200 [], body b'soup' more, …"""
    return ", ".join(map(_show, messages)) or "nothing"


def _show(message: Any) -> str:
    kind = message.get("type") if isinstance(message, dict) else None
    if kind == "http.response.start":
        return f"start {short(message.get('status'))} {short(message.get('headers', []), 200)}"
    if kind == "http.response.body":
        more = " more" if message.get("more_body", False) else " (last)"
        return f"body {short(message.get('body', b''), 60)}{more}"
    return short(message, 120)


def _bad_start(message: dict[str, Any]) -> str:
    if type(message.get("status")) is not int:
        return f"status is {short(message.get('status'))}, not an int"
    headers = message.get("headers", ())
    if not isinstance(headers, (list, tuple)):
        return f"headers are {short(headers)}"
    for pair in headers:
        if not (isinstance(pair, (list, tuple)) and len(pair) == 2):
            return f"the header {short(pair)} is not a pair"
        if not all(isinstance(part, bytes) for part in pair):
            return f"the header {short(pair)} is not two byte strings"
        if pair[0] != pair[0].lower():
            return f"the header name {pair[0]!r} is not in lower case"
    return ""


def _bad_body(message: dict[str, Any]) -> str:
    if not isinstance(message.get("body", b""), bytes):
        return f"body is {short(message.get('body'))}, not a byte string"
    return ""


def _describe(name: str, scope: dict[str, Any]) -> str:
    what = " ".join(str(scope[key]) for key in ("type", "method", "path") if key in scope)
    return f"await {name}(scope, receive, send) with the scope of {what}"


def _lines(frames: list[tuple[str, int, str]], path: Path) -> tuple[Line, ...]:
    source = path.read_text("utf-8", "replace").splitlines()
    return tuple(
        Line(number, function, source[number - 1].strip() if number <= len(source) else "")
        for file, number, function in frames
        if file == str(path)
    )
