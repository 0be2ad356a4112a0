"""Grader of wsgi-start-response: the three states, from every side."""

import sys
from typing import Any

from playground.grading import Learner, Remote, fail

OK = ("200 OK", [("Content-Type", "text/plain")])
OK_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
BAD = ("500 Oops", [("X-Cause", "soup")])
BAD_HEAD = b"HTTP/1.1 500 Oops\r\nX-Cause: soup\r\n\r\n"
RULES = "PEP 3333, The start_response() Callable"
LATE = f"{RULES}: headers are not sent before the first non-empty block, or the end"
EXC_INFO = "PEP 3333, Error Handling: exc_info replaces what was not sent, and is raised otherwise"


class Response:
    """One StartResponse of the learner's, and everything it sent."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.sent = b""
        self.history = ["StartResponse(send)"]

        def send(data: bytes) -> None:
            self.sent += data

        self.object = learner.obtain("StartResponse", send)

    def do(self, what: str, *args: Any) -> Any:
        """Call start_response, write or finish, and return the outcome."""
        method = "__call__" if what == "start_response" else what
        outcome = self.learner.outcome(
            lambda: self.object.call(method, *args), what, args, {}
        )  # fmt: skip
        self.history.append(outcome.called)
        return outcome

    def run(self, what: str, *args: Any) -> Any:
        """Do it, and fail when it raises."""
        outcome = self.do(what, *args)
        if outcome.raised:
            outcome.raised.called = self.story()
            raise outcome.raised
        return outcome.value

    def refuses(self, kind: str, what: str, *args: Any, why: str, nudge: str) -> None:
        """Fail unless it raises `kind`, and has sent nothing."""
        before = self.sent
        outcome = self.do(what, *args)
        outcome.called = self.story()
        if outcome.raised:
            outcome.raised.called = self.story()
        outcome.raises(kind, why=why, nudge=nudge)
        if self.sent != before:
            fail(
                self.story(),
                f"sent {self.sent!r}, then raised",
                f"{kind}, and nothing sent",
                why=why,
                nudge="Check first, then send.",
            )

    def want(self, expected: bytes, why: str, nudge: str) -> None:
        """Fail unless exactly these bytes were sent so far."""
        if self.sent != expected:
            sent = f"sent {self.sent!r}" if self.sent else "sent nothing"
            wanted = f"sent {expected!r}" if expected else "nothing sent yet"
            fail(self.story(), sent, wanted, why=why, nudge=nudge)

    def story(self) -> str:
        """Return everything that was called, in order."""
        return "; ".join(self.history)


def trouble(text: str = "the soup is cold") -> Any:
    """Return the exc_info of a RuntimeError."""
    try:
        raise RuntimeError(text)
    except RuntimeError:
        return sys.exc_info()


def check_sends_nothing(learner: Learner) -> None:
    """Calling it sends nothing; write sends the head and the block."""
    response = Response(learner)
    write = response.run("start_response", *OK)
    response.want(b"", LATE, "Remember status and headers; let write send them.")
    if not isinstance(write, Remote):
        why = f"{RULES}: it returns a write(body_data) callable"
        got, expected = f"returned {write!r}", "returned the method write"
        fail(response.story(), got, expected, why=why, nudge="return self.write")
    response.history.append("the returned write(b'soup')")
    write(b"soup")
    response.want(OK_HEAD + b"soup", "RFC 9112 §2.1: status line, fields, empty line, body",
                  "Lines end with CR LF, an empty line ends the head.")  # fmt: skip


def check_head_once(learner: Learner) -> None:
    """The head goes out once, whatever follows; headers keep their order."""
    response = Response(learner)
    headers = [("Set-Cookie", "a=1"), ("X-B", ""), ("Set-Cookie", "caf\xe9=2")]
    response.run("start_response", "404 Not Found", headers)
    for block in (b"no ", b"", b"soup"):
        response.run("write", block)
    response.run("finish")
    head = b"HTTP/1.1 404 Not Found\r\nSet-Cookie: a=1\r\nX-B: \r\nSet-Cookie: caf\xe9=2\r\n\r\n"
    response.want(head + b"no soup", LATE, "Keep in mind whether the head was sent.")


def check_empty_block(learner: Learner) -> None:
    """An empty block sends nothing, not even the head."""
    response = Response(learner)
    response.run("start_response", *OK)
    response.run("write", b"")
    response.want(b"", LATE, "The app may still change its mind after an empty block.")
    response.run("write", b"soup")
    response.want(OK_HEAD + b"soup", LATE, "The first block with a byte brings the head.")


def check_no_body(learner: Learner) -> None:
    """Without any body, finish sends the head."""
    response = Response(learner)
    response.run("start_response", *OK)
    response.run("finish")
    response.want(OK_HEAD, LATE, "A response without a body has a head all the same.")


def check_too_early(learner: Learner) -> None:
    """A body before start_response is the app's mistake."""
    why = f"{RULES}: the app must call it before it yields its first body bytestring"
    nudge = "There is no head yet."
    for what, args in (("write", (b"soup",)), ("write", (b"",)), ("finish", ())):
        Response(learner).refuses("AssertionError", what, *args, why=why, nudge=nudge)


def check_twice(learner: Learner) -> None:
    """Called twice without exc_info: refused, and the first call stays."""
    why = f"{RULES}: it is a fatal error to call it again without exc_info"
    nudge = "Remember that there was a first call."
    response = Response(learner)
    response.run("start_response", *OK)
    response.refuses("AssertionError", "start_response", *BAD, why=why, nudge=nudge)
    response.run("write", b"soup")
    response.want(OK_HEAD + b"soup", why, "A call that raises changes nothing.")
    response.refuses("AssertionError", "start_response", *BAD, why=why, nudge=nudge)


def check_replaces(learner: Learner) -> None:
    """With exc_info before the head was sent, everything is replaced."""
    response = Response(learner)
    response.run("start_response", *OK)
    response.run("write", b"")
    response.run("start_response", *BAD, trouble())
    response.want(b"", EXC_INFO, "Even now it only remembers.")
    response.run("finish")
    response.want(BAD_HEAD, EXC_INFO, "No header of the first call stays.")


def check_first_with_exc_info(learner: Learner) -> None:
    """The very first call may come with exc_info; the last one counts."""
    response = Response(learner)
    response.run("start_response", *OK, trouble())
    response.run("start_response", *BAD, trouble())
    write = response.run("start_response", "502 Bad Gateway", [], trouble())
    response.history.append("the returned write(b'soup')")
    write(b"soup")
    response.want(
        b"HTTP/1.1 502 Bad Gateway\r\n\r\nsoup", EXC_INFO, "Every call returns write."
    )  # fmt: skip


def check_too_late(learner: Learner) -> None:
    """With exc_info after the head was sent, that exception is raised."""
    for step, args, sent in (("write", (b"soup",), OK_HEAD + b"soup"), ("finish", (), OK_HEAD)):
        response = Response(learner)
        response.run("start_response", *OK)
        response.run(step, *args)
        nudge = "The status is with the client already: all that is left is to raise exc_info[1]."
        response.refuses(
            "RuntimeError", "start_response", *BAD, trouble(), why=EXC_INFO, nudge=nudge
        )
        response.want(sent, EXC_INFO, nudge)
        response.run("write", b"!")
        response.want(sent + b"!", EXC_INFO, "A call that raises changes nothing.")


def check_same_exception(learner: Learner) -> None:
    """It is the app's own exception object, not a copy."""
    raises_the_same = learner.define(SAME, "raises_the_same")
    if not raises_the_same(learner.name("StartResponse")):
        called = "start_response('500 Oops', [], sys.exc_info()), after the head was sent"
        got = "raised another exception than the one in exc_info"
        nudge = "A new exception loses what the app knew: its cause, its line."
        fail(called, got, "exc_info[1] itself raised", why=EXC_INFO, nudge=nudge)


SAME = """
import sys

def raises_the_same(StartResponse):
    start_response = StartResponse(lambda data: None)
    start_response("200 OK", [])(b"soup")
    original = RuntimeError("the soup is cold", 42)
    try:
        try:
            raise original
        except RuntimeError:
            start_response("500 Oops", [], sys.exc_info())
    except BaseException as error:
        return error is original
    return False
"""


def check_types(learner: Learner) -> None:
    """Status is a str, headers a list of tuples of two str."""
    why = "PEP 3333: a native string; a list of (header_name, header_value) tuples"
    wrong: tuple[tuple[Any, Any], ...] = (
        (b"200 OK", []), (200, []), (None, []), ("200 OK", None), ("200 OK", ()),
        ("200 OK", {"X-A": "b"}), ("200 OK", [["X-A", "b"]]), ("200 OK", ["ab"]),
        ("200 OK", [("X-A", 5)]), ("200 OK", [(b"X-A", "b")]), ("200 OK", [("X-A", b"b")]),
        ("200 OK", [("X-A", None)]), ("200 OK", [("X-A", "b", "c")]), ("200 OK", [("X-A",)]),
    )  # fmt: skip
    nudge = "isinstance, for every part of it."
    for args in wrong:
        Response(learner).refuses("TypeError", "start_response", *args, why=why, nudge=nudge)


def check_status(learner: Learner) -> None:
    """A status is three digits, a space, a reason."""
    why = "PEP 3333: a status string of the form '999 Message here'; RFC 9112 §4"
    nudge = "One pattern, matched to the last character; [0-9] and not \\d or isdigit()."
    for status in (
        "200", "200 ", "OK", "", "20 OK", "2000 OK", "200  OK", "200 OK ", " 200 OK",
        "100 Continue", "600 No", "099 No", "+20 OK", "\xb200 OK", "2\xb20 OK", "20\xb2 OK",
        "200\tOK", "200 OK\r\nX: y", "200 OK\n", "200 O\x00K", "200 O\x7fK", "200 OK\u0100",
        "200 \U0001f35c", "2a0 OK", "20a OK", "200_OK", "200 O\x1fK",
    ):  # fmt: skip
        Response(learner).refuses("ValueError", "start_response", status, [], why=why, nudge=nudge)
    for status in ("299 A", "599 Long reason, with caf\xe9: 1/2", "200 \xff", "490 ~!"):
        response = Response(learner)
        response.run("start_response", status, [])
        response.run("finish")
        head = b"HTTP/1.1 " + status.encode("latin-1") + b"\r\n\r\n"
        response.want(head, why, "The reason may hold all of latin-1 but control characters.")


def check_headers(learner: Learner) -> None:
    """A header cannot smuggle another one in."""
    why = "PEP 3333: no control characters in a header; RFC 9110 §5.1, §5.5"
    nudge = "If the app puts what a user typed into a header, this is the last line of defence."
    values = ("b\r\nSet-Cookie: admin=1", "b\n", "\rb", "\x00", "a\tb", "\x1f", "\x7f", "\u0100",
              "\U0001f35c")  # fmt: skip
    names = ("", "X A", "X:A", "X-A:", "X-A ", " X-A", "caf\xe9", "X\r\nA", "X-A\n", "(X)", 'X"')
    for header in (*(("X-A", value) for value in values), *((name, "b") for name in names)):
        headers = [("X-First", "a"), header, ("X-Last", "z")]
        Response(learner).refuses(
            "ValueError", "start_response", "200 OK", headers, why=why, nudge=nudge
        )
    response = Response(learner)
    response.run("start_response", "200 OK", [("!#$%&'*+-.^_`|~09azAZ", " !~\xa0\xff")])
    response.run("finish")
    response.want(b"HTTP/1.1 200 OK\r\n!#$%&'*+-.^_`|~09azAZ:  !~\xa0\xff\r\n\r\n", why,
                  "Refuse what is forbidden, and nothing else.")  # fmt: skip


def check_hop_by_hop(learner: Learner) -> None:
    """Hop-by-hop headers belong to the server."""
    why = "PEP 3333, Other HTTP Features: applications may not use hop-by-hop headers"
    nudge = "from wsgiref.util import is_hop_by_hop"
    for name in ("Connection", "transfer-encoding", "KEEP-ALIVE", "Upgrade", "TE"):
        headers = [("X-A", "b"), (name, "close")]
        Response(learner).refuses(
            "ValueError", "start_response", "200 OK", headers, why=why, nudge=nudge
        )


def check_changed_nothing(learner: Learner) -> None:
    """A call that was refused has changed nothing."""
    why = "A call that raises has changed nothing: the app may try again, or its first call stands"
    nudge = "Check everything before you remember anything."
    for bad in (("200", []), ("503 Busy", [("X-A", "\r\n")]), ("503 Busy", None)):
        response = Response(learner)
        response.do("start_response", *bad)
        response.refuses("AssertionError", "finish", why=why, nudge=nudge)
        response.run("start_response", *OK)
        response.run("finish")
        response.want(OK_HEAD, why, nudge)
        response = Response(learner)
        response.run("start_response", *OK)
        response.do("start_response", *bad, trouble())
        response.run("finish")
        response.want(OK_HEAD, why, nudge)


def check_blocks(learner: Learner) -> None:
    """A block is bytes."""
    why = "PEP 3333: body data are bytestrings"
    nudge = "Which encoding would a str have? Only the app knows."
    for block in ("soup", bytearray(b"soup"), None, 5, [b"soup"], ""):
        response = Response(learner)
        response.run("start_response", *OK)
        response.refuses("TypeError", "write", block, why=why, nudge=nudge)
        response.run("write", b"tea")
        response.want(OK_HEAD + b"tea", why, "A call that raises changes nothing.")
