"""Grader of http-request-line: the grammar of RFC 9112 §3, from both sides."""

from playground.grading import Learner

NAME = "parse_request_line"


def check_simple(learner: Learner) -> None:
    """Reads the three parts of GET / HTTP/1.1."""
    learner.expect(NAME, b"GET / HTTP/1.1").returns(
        (b"GET", b"/", (1, 1)),
        why="RFC 9112 §3: request-line = method SP request-target SP HTTP-version",
        nudge="Bytes in, bytes out; the version is a tuple of two ints.",
    )


def check_versions(learner: Learner) -> None:
    """Reads every version that has two digits."""
    for major, minor in ((1, 0), (0, 9), (2, 0), (1, 9)):
        line = b"GET /menu?day=1 HTTP/%d.%d" % (major, minor)
        learner.expect(NAME, line).returns(
            (b"GET", b"/menu?day=1", (major, minor)),
            why="RFC 9112 §2.3: HTTP-name '/' DIGIT '.' DIGIT",
            nudge="Whether the server speaks that version is decided later, not by the grammar.",
        )


def check_methods(learner: Learner) -> None:
    """Takes any token as the method, as it stands."""
    for method in (b"M-SEARCH", b"get", b"X", b"!#$%&'*+-.^_`|~09azAZ"):
        learner.expect(NAME, method + b" / HTTP/1.1").returns(
            (method, b"/", (1, 1)),
            why="RFC 9110 §9.1: the method is a token, and case-sensitive",
            nudge="Methods are not only GET and POST, and their case is left alone.",
        )


def check_targets(learner: Learner) -> None:
    """Takes all four forms of the target."""
    for target in (b"/a//b/../c?x=%20&y", b"http://example.com/a", b"example.com:80", b"*"):
        learner.expect(NAME, b"OPTIONS " + target + b" HTTP/1.1").returns(
            (b"OPTIONS", target, (1, 1)),
            why="RFC 9112 §3.2: origin, absolute, authority and asterisk form",
            nudge="At this stage the target is only checked for its characters.",
        )


def check_spaces(learner: Learner) -> None:
    """Refuses all white space but the two single spaces."""
    lines = (
        b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b" GET / HTTP/1.1", b"GET / HTTP/1.1 ",
        b"GET\t/ HTTP/1.1", b"GET /a b HTTP/1.1", b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\n",
        b"GET /\x0b HTTP/1.1", b"GET /\r HTTP/1.1",
    )  # fmt: skip
    for line in lines:
        learner.expect(NAME, line).raises(
            "ValueError",
            why="RFC 9112 §3: single spaces; a lenient reader and a strict one see two requests",
            nudge="split() without an argument, strip() and `$` forgive white space.",
        )


def check_bad_methods(learner: Learner) -> None:
    """Refuses a method that is no token."""
    for line in (b" / HTTP/1.1", b"GE(T / HTTP/1.1", b"G\xcbT / HTTP/1.1", b'"GET" / HTTP/1.1'):
        learner.expect(NAME, line).raises(
            "ValueError",
            why="RFC 9110 §5.6.2: token = 1*tchar",
            nudge="List what is allowed, not what is forbidden.",
        )


def check_bad_targets(learner: Learner) -> None:
    """Refuses a target that is empty or has other than visible ASCII characters."""
    for line in (b"GET HTTP/1.1", b"GET  HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET /\x7f HTTP/1.1",
                 b"GET /caf\xe9 HTTP/1.1"):  # fmt: skip
        learner.expect(NAME, line).raises(
            "ValueError",
            why="RFC 9112 §3.2 and RFC 3986 §2: anything else arrives percent-encoded",
            nudge="A range of bytes, from 0x21 to 0x7E, says it all.",
        )


def check_bad_versions(learner: Learner) -> None:
    """Refuses everything that is not HTTP/digit.digit."""
    lines = (
        b"GET /", b"GET / ", b"", b"GET / http/1.1", b"GET / HTTP/1", b"GET / HTTP/1.10",
        b"GET / HTTP/11.1", b"GET / HTTP/+1.1", b"GET / HTTP/1x1", b"GET / HTTP/\xb2.0",
        b"GET / HTTPS/1.1", b"GET / xHTTP/1.1", b"GET / HTTP/1.", b"GET / HTTP/.1",
    )  # fmt: skip
    for line in lines:
        learner.expect(NAME, line).raises(
            "ValueError",
            why="RFC 9112 §2.3: HTTP-name is case-sensitive, and each number is one digit",
            nudge="int() accepts b'+1' and b'10'; a pattern with one digit does not.",
        )
