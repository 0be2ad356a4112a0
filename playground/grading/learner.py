"""The learner's code, seen from outside: call it through a proxy, or talk to it over a socket.

A grader gets a `Learner`. The file runs in a process of its own (playground.grading.child); this
side sends requests and judges plain built-in values. Nothing that the file prints, raises, patches
or exits with can make a check pass: a check passes when the values that come back are right.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from playground import workspace
from playground.grading.child import CHANNEL_LOST, LAST_RESORT_SIGNAL, STACK_SIGNAL, Limits
from playground.grading.codec import Frames, decode, encode, pack
from playground.grading.verdict import Failed, Line, Message, Stack
from playground.patience import Patience, at_rest, ended

DEADLINE_S = 10.0  # only there to stop a hang
MOST_STACKS = 1 << 20  # bytes of lines where code stands, …
MOST_STACKS_S = 2.0  # … and until all of them must have come
REPORT_S = 60.0  # stops a hang: the supervisor answers, or its end of the line is closed
_EXPORTED = ("__call__", "__iter__", "__next__", "__len__", "__getitem__", "__enter__", "__exit__")
_HIDDEN = ("solutions", "tests/exercises", ".git")  # of the course: closed to the learner's code
_FORGED = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)
_NOTHING = object()


class Raised(Exception):
    """The learner's code raised. `mro` holds the names of the exception's classes, own first."""

    def __init__(self, called: str, error: dict[str, Any]) -> None:
        self.called = called
        self.type_name = str(error["type"])
        self.mro = [str(name) for name in error["mro"]]
        self.text = str(error["text"])
        self.lines = tuple(Line(*frame) for frame in error["frames"])
        self.syntax: tuple[int, int, str] | None = (
            tuple(error["syntax"]) if "syntax" in error else None
        )
        self.number: int = error["number"]
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """Return `KeyError: 'x'`, as a traceback ends."""
        text = self.text if len(self.text) < 300 else self.text[:300] + "…"
        return f"{self.type_name}: {text}" if text else self.type_name

    def message(self, expected: str = "", why: str = "", nudge: str = "") -> Message:
        """Return the message for an exception that should not have come."""
        return Message(
            called=self.called,
            got=f"raised {self.sentence()}",
            expected=expected or "no exception",
            why=why,
            nudge=nudge or self._nudge(),
            where=self.lines,
        )

    def _nudge(self) -> str:
        found = (nudge for words, nudge in _WORDS.items() if words in self.text)
        return next(found, _NUDGES.get(self.type_name, ""))


_WORDS = {  # in what Python says about a wrong object
    "'coroutine' object": "Who calls an `async def` gets a coroutine: await it, or write `def`.",
    "'NoneType' object": "Here is None: is a `return` missing, or has nothing been set yet?",
}
_NUDGES = {
    "SystemExit": "Nothing here should end the program: return a value or raise an exception.",
    "EOFError": "Nobody types here: take what you need from the arguments, not from input().",
    "RecursionError": "A function calls itself without coming nearer to an end.",
    "SyntaxError": "Python cannot read this file: is it plain text, saved as UTF-8?",
    "ModuleNotFoundError": "An exercise needs no package that the course does not install.",
    "MemoryError": "The exercise may use 1 GiB; something grows without a bound.",
    "NotImplementedError": "Replace the `raise NotImplementedError` line by your code.",
    "AttributeError": "Look at what the object in that line really is.",
    "UnboundLocalError": "On the way that was taken here, the name has not been given a value.",
    "NameError": "Is the name written as elsewhere, and defined or imported before this line?",
    "KeyError": "This key is not always there.",
    "StopIteration": "A generator or a coroutine that returns tells whoever steps it in this way.",
}


class Remote:
    """A reference to an object in the learner's process: a function, an instance, an iterable."""

    def __init__(self, learner: Learner, body: dict[str, Any]) -> None:
        self._learner = learner
        self._number = int(body["number"])
        self.type_name = str(body["type"])  # "generator", "builtin_function_or_method", …
        self.plain_base = str(body["plain"][0]) if body["plain"] else ""
        kind = self.type_name.rpartition("<locals>.")[2]  # of a class that a function defines
        self._name = str(body["name"]) or f"<{kind}>"

    def __repr__(self) -> str:
        return self._name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it. Returns a plain value or a Remote; raises Raised."""
        return self._learner._call({"target": self._number}, self._name, args, kwargs)

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call one of its methods. Returns a plain value or a Remote; raises Raised."""
        where = {"target": self._number, "name": method}
        return self._learner._call(where, f"{self._name}.{method}", args, kwargs)

    def get(self, attribute: str) -> Any:
        """Return an attribute, a plain value or a Remote; raises Raised."""
        request = {"op": "get", "target": self._number, "name": attribute}
        return self._learner._request(request, f"{self._name}.{attribute}")

    def has(self, attribute: str) -> bool:
        """Tell whether it has the attribute (such as `close`)."""
        request = {"op": "has", "target": self._number, "name": attribute}
        return bool(self._learner._request(request, f"hasattr({self._name}, {attribute!r})"))

    def __iter__(self) -> Iterator[Any]:
        """Step through it, one item for each step taken here, so that laziness can be observed."""
        steps = self._learner._request({"op": "iter", "target": self._number}, f"iter({self})")
        if not isinstance(steps, Remote):
            raise Failed(Message(f"iter({self})", f"a {type(steps).__name__}", "an iterator"))
        while True:
            request = {"op": "next", "target": steps._number}
            item = self._learner._request(request, f"next({self})")
            if not item:
                return
            yield item[0]


class Expected:
    """The outcome of one call, to be compared: `learner.expect("f", 1).returns(2, why=…)`."""

    def __init__(self, called: str, value: Any, raised: Raised | None) -> None:
        self.called = called
        self.value = value
        self.raised = raised

    def returns(self, expected: Any, *, why: str = "", nudge: str = "") -> Any:
        """Fail unless the call returned exactly `expected`: same value, same types all through."""
        text = f"returned {short(expected)}"
        self._no_exception(text, why, nudge)
        value = plain(self.value, self.called, f"{short(expected)}", why, nudge)
        if not same(value, expected):
            message = Message(self.called, f"returned {short(value)}", text, why, nudge)
            message.values = (value, expected)
            raise Failed(message)
        return value

    def raises(self, *names: str, why: str = "", nudge: str = "") -> Raised:
        """Fail unless the call raised one of the exceptions `names` (or a subclass)."""
        expected = " or ".join(names) + " raised"
        if self.raised is None:
            got = f"returned {short(self.value)}"
            raise Failed(Message(self.called, got, expected, why, nudge))
        if not any(name in self.raised.mro for name in names):
            raise Failed(self.raised.message(expected, why, nudge))
        return self.raised

    def satisfies(
        self, test: Callable[[Any], bool], expected: str, *, why: str = "", nudge: str = ""
    ) -> Any:
        """Fail unless `test(value)`; `expected` says in words what the value should be."""
        self._no_exception(expected, why, nudge)
        value = plain(self.value, self.called, expected, why, nudge)
        if not test(value):
            got = f"returned {short(value)}"
            raise Failed(Message(self.called, got, expected, why, nudge))
        return value

    def _no_exception(self, expected: str, why: str, nudge: str) -> None:
        if self.raised is not None:
            raise Failed(self.raised.message(expected, why, nudge))


class Learner:
    """The learner's file in a process of its own: a context manager, or `load` and `close`."""

    apart = sys.platform == "linux"  # in namespaces; false from the first time that failed on
    closed: Sequence[str] = ()  # folders that no learner's code may read, besides the course's own

    def __init__(
        self, path: Path, *, limits: Limits | None = None, deadline_s: float = DEADLINE_S
    ) -> None:
        self.path = path.resolve()  # the child works in a folder of its own
        self.deadline_s = deadline_s
        self.output = ""
        self.printed = 0
        self.left: list[str] = []
        self._frames = Frames()
        self._reports = b""
        self._exit: int | None = None
        self._over = ""
        self._sockets: list[socket.socket] = []
        self._ended = False
        self._begun_ended = ""
        self._told = ""
        self._serial = 0
        self._pid = 0
        self._exports: dict[int, tuple[Any, frozenset[str]]] = {}
        self._start(limits or Limits())

    def __enter__(self) -> Learner:
        try:
            self.load()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def load(self) -> None:
        """Import the file.

        Raises Failed when that does not work: syntax error, exception, exit, or a hang.
        """
        name = self.path.stem
        request = {"op": "load", "path": str(self.path), "name": name}
        try:
            self._request(request, f"import {name}")
        except Raised as raised:
            raise Failed(_not_imported(raised)) from None

    # what graders use

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call the learner's function and return its plain value; raises Raised, Failed.

        Arguments may be plain values, Remotes, and objects of the grader: functions, iterators,
        files. The latter stay here; the learner's code gets stand-ins that ask for every call.
        """
        called = describe_call(name, args, kwargs)
        return plain(self._call({"name": name}, name, args, kwargs), called, "a plain value")

    def obtain(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call the learner's function or class; what is not a plain value comes as a Remote."""
        return self._call({"name": name}, name, args, kwargs)

    def name(self, name: str) -> Remote:
        """Return the learner's function or class itself, to be handed to something else."""
        return self._request({"op": "name", "name": name}, name)

    def expect(self, name: str, *args: Any, **kwargs: Any) -> Expected:
        """Call the learner's function and keep the outcome, to say what it should have been."""
        return self.outcome(lambda: self.obtain(name, *args, **kwargs), name, args, kwargs)

    def outcome(
        self, action: Callable[[], Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Expected:
        """Run `action` and keep its value or its exception."""
        called = describe_call(name, args, kwargs)
        try:
            return Expected(called, action(), None)
        except Raised as raised:
            return Expected(called, None, raised)

    def define(self, source: str, name: str) -> Remote:
        """Run the grader's own source in the learner's process; return what it calls `name`."""
        request = {"op": "define", "source": source, "name": name}
        return self._request(request, f"the grader's own {name}")

    @contextlib.contextmanager
    def telling(self, words: str) -> Iterator[None]:
        """Messages about a call say these words: nobody else knows what `define` has defined."""
        before, self._told = self._told, words
        try:
            yield
        finally:
            self._told = before

    def listen(self, backlog: int = 128) -> tuple[Remote, int]:
        """Return a listening socket in the learner's process (on 127.0.0.1), and its port."""
        listener, port = self._request({"op": "listen", "backlog": backlog}, "a listening socket")
        return listener, port

    def client_socket(self) -> socket.socket:
        """Return a TCP socket that can reach the learner's: its network may be one of its own.

        Raises ConnectionError when its process has ended.
        """
        if not self.apart:
            return socket.socket()
        limit = time.monotonic() + REPORT_S
        with contextlib.suppress(OSError):
            self._control.sendall(b"s")
            while not self._sockets and time.monotonic() < limit:
                if not self._read_reports(0.2):
                    break
        if not self._sockets:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return self._sockets.pop()

    def begin(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Start a call that is not expected to return: a server. See `playground.grading.wire`."""
        self._serial += 1
        self._begun_ended = ""
        request = {"op": "call", "name": name, "args": self._encode(args)}
        self._send({**request, "kwargs": self._encode(kwargs), "id": self._serial})

    def ended(self) -> str:
        """Return how a call begun with `begin` ended, as a sentence; "" while it runs."""
        try:
            for _ in range(1000):  # of a flood, no more than this at a time
                if self._begun_ended or not self._readable(0.0):
                    break
                message = self._receive(self.patience(1.0), "the call that was begun")
                if "error" in message or "ok" in message:
                    value = self._outcome(message, "the call that was begun")
                    self._begun_ended = f"returned {short(value)}"
        except Raised as raised:
            self._begun_ended = f"raised {raised.sentence()}"
        except Failed as failed:
            self._begun_ended = failed.message.got
        if not self._begun_ended and (self._exit is not None or self._over):
            self._begun_ended = f"is gone: {self._gone('the call that was begun').got}"
        return self._begun_ended

    @property
    def pid(self) -> int:
        """The process id of the learner's process, which may have ended."""
        return self._pid

    def patience(self, seconds: float | None = None) -> Patience:
        """A deadline for its processes, by default the exercise's own."""
        return Patience(self._pids, self.deadline_s if seconds is None else seconds)

    def _pids(self) -> list[int]:
        found = [self._pid]
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(self._pid).children(recursive=True)
            found += [child.pid for child in children]
        return found

    def process(self) -> psutil.Process:
        """Return the learner's process: its threads, children, open files and sockets.

        Raises Failed when it has ended.
        """
        try:
            return psutil.Process(self._pid)
        except psutil.NoSuchProcess:
            raise self.lost() from None

    def lost(self) -> Failed:
        """What to raise for a process that has ended while the grader looked at it."""
        return Failed(self._gone("a look at the process of your code"))

    def stacks(self) -> tuple[Stack, ...]:
        """Return where every thread and task of the learner's process stands."""
        if self._pid <= 1 or self._exit is not None:  # subtle: 0 would signal ourselves
            return ()
        for number, wait in ((STACK_SIGNAL, 0.5), (LAST_RESORT_SIGNAL, 1.0)):
            with contextlib.suppress(OSError):
                os.kill(self._pid, number)
            text = self._read_stacks(wait)
            if text:
                return _parse_stacks(text, self.path)
        return ()

    def close(self) -> None:
        """End the process and everything it started; never raises. Safe to call twice."""
        if self._ended:
            return
        self._ended = True
        with contextlib.suppress(OSError):
            self._control.sendall(b"e")
        limit = time.monotonic() + 5.0
        while "end" not in self._last_report and time.monotonic() < limit:
            if not self._read_reports(0.2):
                break
        groups = [self._supervisor.pid]
        if "end" not in self._last_report and self._pid > 1:  # the supervisor was killed
            groups.append(self._pid)
        for group in groups:
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)
        self._supervisor.wait()
        for closing in (self._channel, self._control, *self._sockets):
            closing.close()
        os.close(self._stack_reader)
        _remove(self._scratch)

    # the process

    def _start(self, limits: Limits) -> None:
        self._scratch = tempfile.mkdtemp(prefix="exercise-")
        self._last_report: dict[str, Any] = {}
        self._spawn(limits)
        if self.apart and not self._pid:  # the system has no namespaces for us
            Learner.apart = False
            self._supervisor.wait()
            for closing in (self._channel, self._control):
                closing.close()
            os.close(self._stack_reader)
            self._spawn(limits)

    def _spawn(self, limits: Limits) -> None:
        self._channel, calls = socket.socketpair()
        self._control, control = socket.socketpair()
        self._stack_reader, stacks = os.pipe()
        checkout = workspace.checkout()
        settings = {
            "calls": calls.fileno(),
            "control": control.fileno(),
            "stacks": stacks,
            "scratch": self._scratch,
            "limits": asdict(limits),
            "apart": self.apart,
            "hidden": [*(str(checkout / name) for name in _HIDDEN), *self.closed],
            "visible": str(self.path),
        }
        ours = str(Path(__file__).resolve().parents[2])
        program = (
            f"import sys; sys.path.append({ours!r});"
            f" from playground.grading.child import main; main({json.dumps(settings)!r})"
        )
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(self._scratch),
            pass_fds=(calls.fileno(), control.fileno(), stacks),
            start_new_session=True,
        )
        calls.close()
        control.close()
        os.close(stacks)
        limit = time.monotonic() + 30.0
        while not self._pid and self._read_reports(max(0.0, limit - time.monotonic())):
            pass

    # the channel

    def _call(
        self, where: dict[str, Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        request = {"op": "call", **where, "args": self._encode(args)}
        called = self._told or describe_call(name, args, kwargs)
        try:
            return self._request({**request, "kwargs": self._encode(kwargs)}, called)
        except Raised as raised:
            if raised.type_name == "AttributeError" and not raised.lines and "target" not in where:
                raise Failed(self._missing(name, called)) from None
            raise

    def _missing(self, name: str, called: str) -> Message:
        names = self._request({"op": "names"}, "the names in the file")
        have = ", ".join(names[:12]) or "nothing"
        return Message(
            called,
            f"there is no {name} in {self.path.name}",
            f"a function called {name}",
            nudge=f"The file defines {have}. Keep the names of the stub.",
        )

    def _request(self, request: dict[str, Any], awaited: str) -> Any:
        self._serial += 1
        serial = self._serial
        self._send({**request, "id": serial}, awaited)
        patience = self.patience()
        while True:
            message = self._receive(patience, awaited)
            if message.get("id") == serial:
                return self._outcome(message, awaited)
            if patience.exhausted():  # who asks, and asks again
                raise Failed(self._late(awaited))
            if "ask" in message:
                self._answer(message)
            elif "stray" in message:
                raise Failed(_stray(awaited))
            elif not isinstance(message.get("id"), int) or message["id"] > serial:
                raise Failed(_foreign(awaited))

    def _outcome(self, message: dict[str, Any], awaited: str) -> Any:
        """Return the value in an answer; raises Raised, and Failed for a forged one."""
        try:
            if "error" not in message:
                return self._decode(message["ok"])
            raised = Raised(awaited, message["error"])
        except _FORGED:
            raise Failed(_foreign(awaited)) from None
        raise raised

    def _send(self, message: dict[str, Any], awaited: str = "a call") -> None:
        try:
            self._channel.settimeout(self.deadline_s)
            self._channel.sendall(pack(message))
        except OSError:
            raise Failed(self._gone(awaited)) from None

    def _receive(self, patience: Patience, awaited: str) -> dict[str, Any]:
        fed = False
        while True:
            try:
                message = self._frames.next()
            except (ValueError, RecursionError):
                raise Failed(_foreign(awaited)) from None
            if message is not None:
                return message
            if fed and patience.exhausted():  # it sends and sends, and never a whole answer
                raise Failed(self._late(awaited))
            if not self._readable(0.1):
                over = patience.over()
                if not self._readable(0.0):
                    if self._exit is not None or self._over:
                        raise Failed(self._gone(awaited))
                    if over:
                        raise Failed(self._late(awaited))
                continue
            try:
                data = self._channel.recv(1 << 20)
            except OSError:
                data = b""
            if not data:
                raise Failed(self._gone(awaited))
            self._frames.feed(data)
            fed = True

    def _readable(self, wait_s: float) -> bool:
        """Wait for the channel; note the supervisor's reports meanwhile."""
        limit = time.monotonic() + wait_s
        while True:
            wait = max(0.0, limit - time.monotonic())
            watched = [self._channel, self._control]
            ready, _, _ = select.select(watched, [], [], wait)
            if self._channel in ready:
                return True
            if not ready or not self._read_reports(0.0) or self._exit is not None or self._over:
                return False

    def _read_reports(self, wait_s: float) -> bool:
        """Take in what the supervisor says. False when it says nothing more."""
        ready, _, _ = select.select([self._control], [], [], wait_s)
        if not ready:
            return True
        try:
            data, fds, _, _ = socket.recv_fds(self._control, 1 << 16, 8)
        except ConnectionResetError:  # the supervisor ended with our request unread
            data, fds = b"", []
        self._sockets += [socket.socket(fileno=fd) for fd in fds]
        self._reports += data
        *whole, self._reports = self._reports.split(b"\n")
        for line in whole:
            report = self._last_report = json.loads(line)
            self._pid = report.get("pid", self._pid)
            self._exit = report.get("exit", self._exit)
            self._over = report.get("over", self._over)
            self.output = report.get("output", self.output)
            self.printed = report.get("printed", self.printed)
            self.left = report.get("left", self.left)
        return bool(data)

    def _answer(self, message: dict[str, Any]) -> None:
        """Call an object of the grader for the learner's code."""
        number, method = message["ask"], message.get("method")
        known = isinstance(number, int) and isinstance(method, str)
        target, methods = self._exports.get(number if known else 0, (None, frozenset()))
        if not known or method not in methods:
            raise Failed(_foreign("a callback of the grader"))
        try:
            args = self._decode(message["args"])
            kwargs = self._decode(message["kwargs"])
            if method == "__next__":
                item = next(target, _NOTHING)
                value: Any = [] if item is _NOTHING else [item]
            else:
                value = getattr(target, method)(*args, **kwargs)
            reply = {"answer": self._encode(value)}
        except Raised as raised:
            reply = {"raise": {"mine": raised.number}}
        except Failed:
            raise
        except Exception as error:
            reply = {"raise": self._exception(error)}
        self._send(reply)

    # values

    def _encode(self, value: Any) -> Any:
        return encode(value, self._export)

    def _decode(self, data: Any) -> Any:
        return decode(data, self._resolve)

    def _export(self, value: Any) -> Any:
        if isinstance(value, Remote):
            return {"mine": value._number}
        if isinstance(value, BaseException):
            return {"exception": self._exception(value)}
        if isinstance(value, type) and value in vars(builtins).values():
            return {"type": str(value.__name__)}
        if isinstance(value, TracebackType):
            return {"none": True}
        number = id(value)
        names = [name for name in dir(value) if not name.startswith("_")]
        methods = [name for name in names if callable(getattr(value, name, None))]
        methods += [name for name in _EXPORTED if hasattr(type(value), name)]
        self._exports[number] = (value, frozenset(methods))
        label = str(getattr(value, "__name__", type(value).__name__))
        return {"grader": number, "name": label, "methods": methods}

    def _exception(self, error: BaseException) -> dict[str, Any]:
        if isinstance(error, Raised):
            return {"mine": error.number}
        return {"type": type(error).__name__, "args": self._encode(error.args)}

    def _resolve(self, body: Any) -> Any:
        if "grader" in body:
            return self._exports[body["grader"]][0]
        return Remote(self, body)

    # messages

    def _gone(self, awaited: str) -> Message:
        limit = time.monotonic() + REPORT_S
        while self._exit is None and not self._over and self._read_reports(0.05):
            lives_on = at_rest([self._pid]) and not ended(self._pid)
            if lives_on or time.monotonic() > limit:
                break
        if self._over:
            got = f"{self._over}, and they were ended"
            nudge = "Look for the loop that starts or collects more and more."
        elif self._exit in (None, CHANNEL_LOST):
            got = "the connection to the grader was closed from inside"
            nudge = "Close only the sockets and files that your code opened."
        elif self._exit < 0:
            got = f"the process was ended by {_signal_name(-self._exit)}"
            nudge = _SIGNAL_NUDGES.get(int(-self._exit), "Look for what ends the process.")
        else:
            got = f"the process exited by itself with code {self._exit}"
            nudge = "An exit code is no answer: return the value (no os._exit)."
        return Message(awaited, got, "an answer", nudge=nudge)

    def _late(self, awaited: str) -> Message:
        return Message(
            awaited,
            f"no answer within {self.deadline_s:g} s, so it was stopped",
            "an answer (the time limit is only there to stop a hang)",
            nudge="What would make it go on from the lines where it stood?",
            stacks=self.stacks(),
        )

    def _read_stacks(self, wait_s: float) -> bytes:
        data = b""
        limit = time.monotonic() + MOST_STACKS_S
        patience = self.patience(wait_s)
        while self._stacks_come(patience):
            part = os.read(self._stack_reader, 65_536)
            data += part
            if not part or (data.startswith(b"{") and data.endswith(b"\n")):
                break
            if time.monotonic() > limit or len(data) > MOST_STACKS:
                break
            patience = self.patience(0.1)
        return data

    def _stacks_come(self, patience: Patience) -> bool:
        while not select.select([self._stack_reader], [], [], 0.02)[0]:
            if patience.over():
                return bool(select.select([self._stack_reader], [], [], 0)[0])
        return True


_SIGNAL_NUDGES: dict[int, str] = {
    signal.SIGXCPU: "It used up its processor time: a loop does not end.",
    signal.SIGSEGV: "Python itself crashed; a recursion that is too deep does that.",
    signal.SIGKILL: "It was killed from inside, or the machine ran out of memory.",
}


def _remove(scratch: str) -> None:
    """Remove a folder whose processes are gone, with the folders in it that they have closed."""
    for place, folders, _ in os.walk(scratch):
        for path in (os.path.join(place, name) for name in folders):
            if not os.path.islink(path):
                os.chmod(path, 0o700)
    shutil.rmtree(scratch, ignore_errors=True)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _not_imported(raised: Raised) -> Message:
    message = raised.message("a file that can be imported")
    if raised.syntax is not None:
        line, column, text = raised.syntax
        message.got = f"{raised.type_name} in line {line}: {raised.text}"
        message.nudge = "Python could not read the file; look at the marked place first."
        message.where = (Line(line, "", text),)
        message.column = column
    return message


def _stray(awaited: str) -> Message:
    return Message(
        awaited,
        "two processes returned from it: a forked child went on as if it were the parent",
        "the child of a fork ends itself",
        nudge="In the child, leave with os._exit() when its work is done.",
    )


def _foreign(awaited: str) -> Message:
    return Message(
        awaited,
        "something other than an answer came through the grader's own connection",
        "an answer",
        nudge="Write only to the sockets and files that your code opened.",
    )


def _environment(scratch: str) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }


def _parse_stacks(text: bytes, path: Path) -> tuple[Stack, ...]:
    try:
        report = json.loads(text)
        named = [(f"thread {n}", lines) for n, lines in report["threads"]]
        # subtle: the task that runs has no lines of its own, they are those of its thread
        named += [(f"task {n}", lines) for n, lines in report["tasks"] if lines]
        return tuple(Stack(name, tuple(Line(*line) for line in lines)) for name, lines in named)
    except (ValueError, KeyError, TypeError):
        return _parse_faulthandler(text.decode("utf-8", "replace"), path)


def _parse_faulthandler(text: str, path: Path) -> tuple[Stack, ...]:
    """Read what faulthandler writes when Python code could no longer run in the process."""
    source = path.read_text("utf-8", "replace").splitlines()
    stacks: list[Stack] = []
    lines: list[Line] = []
    for row in [*text.splitlines(), "Thread"]:
        if row.startswith(("Thread", "Current thread")):
            if lines:
                stacks.append(Stack("thread", tuple(reversed(lines))))
            lines = []
        elif f'File "{path}"' in row:
            number = int(row.split(" line ")[1].split(" ")[0])
            shown = source[number - 1].strip() if number <= len(source) else ""
            lines.append(Line(number, row.rpartition(" in ")[2], shown))
    return tuple(stacks)


# ---- plain values ----------------------------------------------------------------------------


def same(value: Any, expected: Any) -> bool:
    """Compare values and their types, all the way down: `True` is not `1`, a list is no tuple."""
    if type(value) is not type(expected):
        return False
    if isinstance(expected, (tuple, list)):
        return len(value) == len(expected) and all(map(same, value, expected))
    if isinstance(expected, dict):
        return value.keys() == expected.keys() and all(
            same(value[key], expected[key]) for key in expected
        )
    return bool(value == expected)


def plain(value: Any, called: str, expected: str, why: str = "", nudge: str = "") -> Any:
    """Return `value`; raises Failed when an object that is no plain value is in it."""
    found = _find_remote(value)
    if found is None:
        return value
    article = "an" if found.type_name[:1].lower() in "aeiou" else "a"
    what = f"{article} {found.type_name}"
    if found.plain_base:
        what += f" (a subclass of {found.plain_base})"
    got = f"returned {what}" if found is value else f"returned {short(value)}, with {what} in it"
    hint = nudge or "Return plain built-in values: bytes, str, numbers, tuples, lists, dicts."
    raise Failed(Message(called, got, expected, why, hint))


def _find_remote(value: Any) -> Remote | None:
    if isinstance(value, Remote):
        return value
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, (tuple, list, set, frozenset)):
        return next((found for found in map(_find_remote, value) if found is not None), None)
    return None


def short(value: Any, limit: int = 300) -> str:
    """Return the repr of a value, shortened in the middle."""
    text = _label(value)
    if len(text) <= limit:
        return text
    size = f"{len(value)} bytes" if isinstance(value, bytes) else f"{len(text)} characters"
    return f"{text[: limit // 2]} … {text[-limit // 3 :]} ({size})"


def describe_call(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the call as the learner would type it."""
    shown = [short(arg, 160) for arg in args]
    shown += [f"{key}={short(value, 160)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(shown)})"


def _label(value: Any) -> str:
    if isinstance(value, (Remote, bytes, str, int, float, bytearray, type(None))):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_label(k)}: {_label(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_label, value)) + "]"
    if isinstance(value, tuple):
        return f"({_label(value[0])},)" if len(value) == 1 else f"({', '.join(map(_label, value))})"
    if isinstance(value, (set, frozenset)):
        return repr(value)
    return str(getattr(value, "__name__", f"<{type(value).__name__}>"))
