"""Grader of whiteboard-head: we are the socket, and count how often it is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from playground.grading import Failed, Learner, Raised, fail, same

STREAM = "TCP is a stream: recv gives what has come, wherever that ends"
LINES = 'RFC 9112 §5: field-line = field-name ":" OWS field-value OWS'
HEAD = b"GET /menu HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"
PARTS = ("GET", "/menu", {"host": "a", "accept": "*/*"})


class Stream:
    """A client that sends these pieces; then it has ended, or is silent."""

    __name__ = "recv"

    def __init__(self, pieces: Iterable[bytes], ends: bool = False) -> None:
        self.pieces = [piece for piece in pieces if piece]
        self.said = ", ".join(map(shown, self.pieces)) or "nothing"
        self.said += ", then the end" if ends else ""
        self.ends = ends
        self.called = f"read_head(recv); recv gives {self.said}"

    def __call__(self, count: int = -1) -> bytes:
        """What has come."""
        if type(count) is not int or count < 1:
            fail(self.called, f"recv({count!r})", "recv(count) with a positive count",
                 why="socket.recv takes the largest number of bytes it may return")  # fmt: skip
        if self.pieces:
            piece = self.pieces.pop(0)
            if piece[count:]:
                self.pieces.insert(0, piece[count:])
            return piece[:count]
        if not self.ends:
            fail(self.called, "recv was called once more", "not called again",
                 why="a socket from which nothing more comes waits for ever",
                 nudge="Before you ask for more: do you need any?")  # fmt: skip
        self.ends = False  # who asks after the end is told what is said above
        return b""


def shown(piece: bytes) -> str:
    """A piece, shortened."""
    return repr(piece) if len(piece) < 60 else f"{piece[:20]!r}… ({len(piece)} bytes)"


def gives(
    learner: Learner, stream: Stream, expected: Any, *more: int, why: str, nudge: str = ""
) -> None:
    """Fail unless this comes out."""
    called = stream.called.replace("(recv)", f"(recv, {more[0]})") if more else stream.called
    wanted = "ValueError raised" if expected is ValueError else f"returned {expected!r}"
    try:
        with learner.telling(called):
            found: Any = learner.call("read_head", stream, *more)
        got = f"returned {found!r}"
    except Raised as raised:
        if expected is ValueError and "ValueError" in raised.mro:
            return
        raised.called = called
        raise Failed(raised.message(wanted, why, nudge)) from None
    if expected is ValueError or not same(found, expected):
        fail(called, got, wanted, why=why, nudge=nudge)


def refuses(learner: Learner, head: bytes, why: str, nudge: str = "") -> None:
    """Fail unless this head is a ValueError."""
    gives(learner, Stream([head + b"\r\n\r\n"]), ValueError, why=why, nudge=nudge)


def check_whole(learner: Learner) -> None:
    """Takes a head apart that comes in one piece."""
    gives(learner, Stream([HEAD]), (*PARTS, b""), why="RFC 9112 §2.1")
    bare = Stream([b"GET / HTTP/1.0\r\n\r\n"])
    gives(learner, bare, ("GET", "/", {}, b""), why="a head without headers is fine")


def check_pieces(learner: Learner) -> None:
    """Wherever the stream is split: the same head."""
    for at in range(1, len(HEAD)):
        stream = Stream([HEAD[:at], HEAD[at:]])
        gives(learner, stream, (*PARTS, b""), why=STREAM,
              nudge="Look for the end in everything that has come.")  # fmt: skip
    gives(learner, Stream(HEAD[i : i + 1] for i in range(len(HEAD))), (*PARTS, b""), why=STREAM)


def check_rest(learner: Learner) -> None:
    """What comes after the head is handed back, and not looked at."""
    for rest in (b"soup", b"GET /2 HTTP/1.1\r\n\r\n", b"\xff\n:\r\n\r\n\r\n"):
        gives(learner, Stream([HEAD + rest]), (*PARTS, rest),
              why="the body, or the next request, begins with these bytes",
              nudge="The *first* empty line is the end.")  # fmt: skip
        gives(learner, Stream([HEAD[:-2], HEAD[-2:] + rest[:2], rest[2:]]),
              (*PARTS, rest[:2]), why="only what has come; who needs more reads it")  # fmt: skip


def check_ended(learner: Learner) -> None:
    """A client that ends: between two requests None, within one ValueError."""
    gives(learner, Stream([], ends=True), None, why="a client that hangs up between two requests",
          nudge='recv returns b"" for the end.')  # fmt: skip
    for at in (1, 14, len(HEAD) - 4, len(HEAD) - 1):
        gives(learner, Stream([HEAD[:at]], ends=True), ValueError,
              why="half a request is none", nudge="Is there anything yet?")  # fmt: skip


def check_headers(learner: Learner) -> None:
    """Names in lower case, values without white space at their ends, two of a name in one."""
    lines = (
        b"HOST: A b\t\r\nX-Empty:\r\nTime:12:30:00\r\nVia: one\r\nx-caf\xe9: \t \xa0\xe9\xa0 \r\n"
        b"via:two \r\nVIA:\tthreeX"
    )
    headers = {"host": "A b", "x-empty": "", "time": "12:30:00", "via": "one, two, threeX",
               "x-café": "\xa0é\xa0"}  # fmt: skip
    stream = Stream([b"POST /a:b?c=%20 HTTP/1.1\r\n", lines + b"\r\n\r\n"])
    gives(learner, stream, ("POST", "/a:b?c=%20", headers, b""), why=f"{LINES}; RFC 9110 §5.3",
          nudge="Only the first colon counts; only spaces and tabs are cut off.")  # fmt: skip


def check_bad_line(learner: Learner) -> None:
    """Refuses a first line that is none."""
    for line in (
        b"", b"GET", b"GET /", b"GET / HTTP/1.1 ", b" GET / HTTP/1.1", b"GET  HTTP/1.1",
        b"GET  / HTTP/1.1", b" / HTTP/1.1", b"GET / HTTP/2.0", b"GET / http/1.1",
        b"GET\t/\tHTTP/1.1", b"GET / HTTP/1.10", b"GET / HTTP/1.", b"GET / ",
    ):  # fmt: skip
        refuses(learner, line + b"\r\nHost: a",
                "RFC 9112 §3: method SP request-target SP HTTP-version",
                'split(" ") keeps what is empty; split() does not.')  # fmt: skip


def check_bad_header(learner: Learner) -> None:
    """Refuses a header that is none."""
    for line in (b"Host", b": a", b"Host : a", b"Host\t: a", b" Host: a", b"\tfolded: a"):
        refuses(learner, b"GET / HTTP/1.1\r\nAccept: b\r\n" + line, LINES,
                "What is one name for you may be another one for a proxy.")  # fmt: skip
        refuses(learner, b"GET / HTTP/1.1\r\n" + line + b"\r\nAccept: b", LINES)


def check_half_ends(learner: Learner) -> None:
    """Refuses half an end of a line, wherever it stands."""
    for head in (
        b"GET / HTTP/1.1\r\nHost: a\nEvil: b", b"GET / HTTP/1.1\r\nHost: a\rEvil: b",
        b"GET /\n HTTP/1.1\r\nHost: a", b"G\rET / HTTP/1.1", b"GET / HTTP/1.1\r\nHost\n: a",
        b"GET / HTTP/1.1\r\nHo\rst: a\r\nAccept: b", b"GET / HTTP/1.1\r\nHost: a\n",
    ):  # fmt: skip
        refuses(learner, head, "RFC 9112 §2.2: a bare CR is invalid; others may see two lines here",
                "Split at CR LF; then neither of the two may be left.")  # fmt: skip


def check_limit(learner: Learner) -> None:
    """A head may have `limit` bytes and no more, and nobody waits for the end of an endless one."""
    why = "a client that never ends must not fill your memory"
    size = len(HEAD)
    for more in ([], [b"soup"]):
        gives(learner, Stream([HEAD, *more]), (*PARTS, b""), size, why="exactly as long as it may")
    gives(learner, Stream([HEAD + b"soup"]), (*PARTS, b"soup"), size,
          why="the limit is for the head, not for what comes with it")  # fmt: skip
    gives(learner, Stream([HEAD + b"soup"]), ValueError, size - 1, why=why,
          nudge="One piece may hold more than the limit.")  # fmt: skip
    gives(learner, Stream([HEAD[:-2], HEAD[-2:]]), ValueError, size - 1, why=why)
    gives(learner, Stream([HEAD[:-1]]), ValueError, size - 1, why=why,
          nudge="Look at the length before you ask for more.")  # fmt: skip
    long = b"GET / HTTP/1.1\r\nA: "
    for extra in (0, 1):
        value = b"b" * (65_536 - len(long) - 4 + extra)
        expected = ValueError if extra else ("GET", "/", {"a": value.decode()}, b"")
        gives(learner, Stream([long, value, b"\r\n\r\n"]), expected, why="65,536 is the default")
