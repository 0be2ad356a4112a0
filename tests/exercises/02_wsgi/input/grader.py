"""Grader of wsgi-input: a connection that notices every byte that is asked for."""

import io
import random
from typing import Any

from playground.grading import Learner, fail

NEXT = b"GET /next HTTP/1.1\r\n"  # what follows on the connection, and is not ours to read
FILE = "PEP 3333, Input and Error Streams: read, readline, readlines and iteration, as a file's"
PAST = "PEP 3333: no reading past the body; RFC 9112 §6.3: behind it, the next request begins"
PATIENCE = (
    "On a connection, asking means waiting: the client may send the rest in an hour, or never"
)


class Connection:
    """Holds a body and the next request; fails the check when `receive` is not careful."""

    def __init__(self, learner: Learner, body: bytes, *, piece: int = 1000, cut: int = 0) -> None:
        self.learner = learner
        self.body = body
        self.piece = piece  # bytes that arrive at once
        self.until = len(body) - cut  # the client hangs up here
        self.at = 0
        self.asked = 0  # calls of receive
        self.history = [f"BodyInput(receive, {len(body)})"]
        self.object = learner.obtain("BodyInput", self.receive, len(body))

    def receive(self, size: int) -> bytes:
        """The connection's recv."""
        self.asked += 1
        left = len(self.body) - self.at
        asked = f"called receive({size})"
        if not left:
            fail(
                self.story(),
                f"{asked} although nothing of the body is left: it waits for ever",
                "no receive at the end of the body",
                why=PAST,
                nudge="Count what you got.",
            )
        if size > left:
            fail(
                self.story(),
                f"{asked}: {left} bytes of the body are left, then {NEXT!r} follows",
                f"at most receive({left})",
                why=PAST,
                nudge="Those bytes are the next request.",
            )
        if size < 1:
            fail(self.story(), asked, "receive(n) with n of at least 1", why=PAST)
        data = self.body[self.at : min(self.at + min(size, self.piece), self.until)]
        self.at += len(data)
        return data

    def do(self, method: str, *args: Any) -> Any:
        """Call a method of the learner's object, and return the outcome."""
        shown = f"body.{method}"
        self.history.append(f"{shown}({', '.join(map(repr, args))})")
        outcome = self.learner.outcome(lambda: self.object.call(method, *args), shown, args, {})
        outcome.called = self.story()
        if outcome.raised:
            outcome.raised.called = self.story()
        return outcome

    def want(
        self, expected: Any, method: str, *args: Any, why: str = FILE, nudge: str = ""
    ) -> None:
        """Fail unless the call returns `expected`."""
        self.do(method, *args).returns(expected, why=why, nudge=nudge)

    def received(self, times: int, nudge: str) -> None:
        """Fail unless `receive` was called exactly so often."""
        if self.asked != times:
            fail(
                self.story(),
                f"receive was called {self.asked} times",
                f"{times} call{'' if times == 1 else 's'}: what was asked for was there by then",
                why=PATIENCE,
                nudge=nudge,
            )

    def story(self) -> str:
        """Return everything that was called, in order."""
        told = "; ".join(self.history[-6:])
        return told if len(self.history) <= 6 else f"…; {told}"


def check_read_all(learner: Learner) -> None:
    """read() returns the whole body, from many pieces."""
    for args in ((), (-1,), (None,), (12,), (500,)):
        connection = Connection(learner, b"soup and tea", piece=5)
        nudge = "One receive brings what has arrived, not all of it."
        connection.want(b"soup and tea", "read", *args, nudge=nudge)
        connection.want(b"", "read", *args, why=PAST, nudge="At the end, b'', without asking.")


def check_empty(learner: Learner) -> None:
    """A request without a body: nothing is received."""
    for method, expected in (("read", b""), ("readline", b""), ("readlines", []), ("read", b"")):
        connection = Connection(learner, b"")
        connection.want(expected, method, why=PAST, nudge="length 0: there is nothing to wait for.")


def check_sizes(learner: Learner) -> None:
    """read(n) returns exactly n bytes, and keeps what is over."""
    connection = Connection(learner, b"abcdefghijkl", piece=5)
    nudge = "Loop until you hold enough; keep the rest for the next call."
    for size, expected in ((3, b"abc"), (0, b""), (4, b"defg"), (1, b"h"), (9, b"ijkl"), (1, b"")):
        connection.want(expected, "read", size, nudge=nudge)


def check_nothing_unasked(learner: Learner) -> None:
    """Nothing is received before it is needed."""
    connection = Connection(learner, b"soup\nsalad\nbread", piece=9)
    connection.received(0, "Making the object asks for nothing.")
    connection.want(b"", "read", 0)
    connection.want(b"", "readline", 0)
    connection.received(0, "Zero bytes are there already.")
    connection.want(b"soup\n", "readline")
    nudge = "The line was complete with the first 9 bytes. Ask for all that is left of the body."
    connection.received(1, nudge)
    connection.want(b"sa", "read", 2)
    connection.want(b"l", "readline", 1)
    connection.received(1, "You hold these bytes already.")
    connection.want(b"ad\n", "readline")
    connection.want(b"bread", "read")
    connection.received(2, "The last 7 bytes arrived together.")
    connection = Connection(learner, b"\n\nsoup", piece=2)
    connection.want(b"\n", "readline")
    connection.want(b"\n", "readline")
    connection.received(1, "An empty line is a line: both were there.")


def check_read_waits_for_no_more(learner: Learner) -> None:
    """read(n) does not wait for byte n + 1."""
    connection = Connection(learner, b"abcdefgh", piece=2)
    connection.want(b"abcd", "read", 4)
    connection.received(2, "Four bytes are there after two pieces of two.")
    connection.want(b"ef", "read", 2)
    connection.received(3, "And two more after the third.")


def check_lines(learner: Learner) -> None:
    """readline() ends with a line feed, or with the body."""
    for piece in (1, 3, 1000):
        connection = Connection(learner, b"one\n\ntwo\r\nthree", piece=piece)
        nudge = "Only b'\\n' ends a line; it belongs to the line."
        for expected in (b"one\n", b"\n", b"two\r\n", b"three", b"", b""):
            connection.want(expected, "readline", nudge=nudge)


def check_line_sizes(learner: Learner) -> None:
    """readline(n) returns n bytes at most."""
    connection = Connection(learner, b"abcdef\ngh\ni", piece=4)
    nudge = "Whichever is first: the line feed, n bytes, the end."
    for args, expected in (
        ((2,), b"ab"), ((4,), b"cdef"), ((1,), b"\n"), ((3,), b"gh\n"), ((None,), b"i"),
    ):  # fmt: skip
        connection.want(expected, "readline", *args, nudge=nudge)
    connection = Connection(learner, b"abcdef\n", piece=4)
    connection.want(b"abcd", "readline", 4)
    connection.received(1, "The four bytes were there.")
    connection.want(b"ef\n", "readline", -1)


def check_readlines(learner: Learner) -> None:
    """readlines() returns the lines that are left."""
    for args in ((), (None,), (-1,)):
        connection = Connection(learner, b"one\ntwo\nthree", piece=2)
        connection.want(b"on", "read", 2)
        connection.want([b"e\n", b"two\n", b"three"], "readlines", *args)
        connection.want([], "readlines", *args, nudge="At the end it is an empty list.")
    connection = Connection(learner, b"one\ntwo\n")
    outcome = connection.do("readlines", 1)
    outcome.satisfies(
        lambda lines: lines in ([b"one\n"], [b"one\n", b"two\n"]),
        "returned [b'one\\n'], or all lines: a hint may be ignored", why=FILE,
    )  # fmt: skip


def check_iteration(learner: Learner) -> None:
    """for line in body: one line at a time, no sooner than needed."""
    connection = Connection(learner, b"one\ntwo\nthree", piece=4)
    connection.history.append("for line in body")
    lines = iter(connection.object)
    for number, expected in enumerate((b"one\n", b"two\n", b"three"), 1):
        line = next(lines, "nothing more")
        if line != expected:
            fail(
                connection.story(),
                f"line {number} was {line!r}",
                repr(expected),
                why=FILE,
                nudge="The same lines as readline() returns.",
            )
        if number < 3:
            connection.received(number, "Read a line when it is asked for, not before.")
    if (line := next(lines, None)) is not None:
        fail(
            connection.story(),
            f"line 4 was {line!r}",
            "the end",
            why=FILE,
            nudge="b'' from readline() is the end, not a line.",
        )
    connection.want(b"", "read")


def check_hang_up(learner: Learner) -> None:
    """A client that hangs up too early is an error, not an end."""
    for method, args in (("read", ()), ("read", (7,)), ("readline", ()), ("readlines", ()),
                         ("readline", (8,))):  # fmt: skip
        connection = Connection(learner, b"soup and\ntea", piece=3, cut=6)
        connection.do(method, *args).raises(
            "ConnectionError",
            why="RFC 9112 §8: a body that is shorter than its Content-Length is incomplete",
            nudge="b'' from receive is the only sign of it.",
        )
    connection = Connection(learner, b"soup and\ntea", piece=100, cut=6)
    connection.want(b"so", "read", 2)
    connection.want(b"up a", "read", 4, nudge="What did arrive can be read.")


def check_like_a_file(learner: Learner) -> None:
    """Any mixture of calls reads what it would read from a file."""
    dice = random.Random(3333)
    for _ in range(30):
        text = bytes(dice.choice(b"ab\n") for _ in range(dice.randrange(1, 30)))
        file = io.BytesIO(text)
        connection = Connection(learner, text, piece=dice.randrange(1, 9))
        for _ in range(dice.randrange(3, 12)):
            method = dice.choice(("read", "readline"))
            args = dice.choice(((), (dice.randrange(8),), (dice.randrange(8),)))
            expected = getattr(file, method)(*args)
            connection.want(
                expected, method, *args, nudge="Every method starts where the last ended."
            )
        connection.want(file.readlines(), "readlines")
