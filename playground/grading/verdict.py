"""What a grading comes to: one verdict, and one message in one form."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

# what a terminal obeys, or shows in another order, or cannot encode; newline and tab may stay
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Status(enum.StrEnum):
    """The four things a verdict can say."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_SOLVED = "not solved yet"  # the file is still the stub
    BROKEN = "broken"  # the grader itself went wrong: never the learner's fault


@dataclass(frozen=True)
class Wire:
    """Bytes that went over a socket, and the command that repeats it."""

    sent: bytes
    received: bytes | None = None  # None: the bytes are not what matters
    expected: bytes | None = None  # a prefix that was expected, for the caret
    command: str = ""


@dataclass(frozen=True)
class Line:
    """One line of the learner's file, from a traceback or a stack."""

    number: int
    function: str
    text: str


@dataclass(frozen=True)
class Stack:
    """Where one thread or task stood; `lines` is empty when it was not in the learner's file."""

    name: str
    lines: tuple[Line, ...]


@dataclass
class Message:
    """What every failed check says, in this order. All fields are plain text."""

    called: str  # what was called or sent
    got: str  # what came back
    expected: str
    why: str = ""  # the rule, with its RFC or PEP section
    nudge: str = ""  # a first step, never the answer
    wire: Wire | None = None
    values: tuple[Any, Any] | None = None  # (got, expected) as plain values, for the caret
    where: tuple[Line, ...] = ()
    column: int = 0  # 1-based place in the last line of `where`, for a syntax error
    stacks: tuple[Stack, ...] = ()


def printable(value: T) -> T:
    """Return a text, or a Message with all its texts, in which nothing is left to be obeyed."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], value)  # type: ignore[return-value]
    if isinstance(value, tuple):
        return tuple(map(printable, value))  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        texts = {f.name: printable(getattr(value, f.name)) for f in fields(value)}
        if isinstance(value, Message):
            texts["values"] = value.values  # shown as their repr
        return replace(value, **texts)
    return value


class Failed(Exception):
    """Raised in a grader: the learner's code did not do what the check wants."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.got)
        self.message = message


def fail(called: str, got: str, expected: str, *, why: str = "", nudge: str = "") -> NoReturn:
    """End a check: say what was called or sent, what came back, what was expected, and why."""
    raise Failed(Message(called, got, expected, why, nudge))


@dataclass(frozen=True)
class Check:
    """One line of the list of checks; `passed` is None for one that was not reached."""

    name: str
    passed: bool | None


@dataclass
class Verdict:
    """The result of grading one file."""

    exercise: str  # id
    title: str
    status: Status
    checks: list[Check] = field(default_factory=list)
    message: Message | None = None
    notes: list[str] = field(default_factory=list)
    output: str = ""  # what the learner's code printed, shortened
    picture: Any = None  # a Run or Trace of the learner's own server, if the exercise draws one
    hints: tuple[str, ...] = ()
    file: str = ""  # the graded file, as the learner would name it

    @property
    def passed(self) -> bool:
        """True only for PASSED."""
        return self.status is Status.PASSED

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from playground.grading import render

        return {"text/plain": render.text(self), "text/html": render.html(self)}

    def __rich__(self) -> Any:
        from playground.grading import render

        return render.panel(self)

    def __str__(self) -> str:
        from playground.grading import render

        return render.text(self)
