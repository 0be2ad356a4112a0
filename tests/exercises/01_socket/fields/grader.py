"""Grader of http-fields: the field grammar of RFC 9112 §5, from both sides."""

from playground.grading import Learner

NAME = "parse_fields"
TCHAR = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"


def check_one(learner: Learner) -> None:
    """Reads one field: the name in lower case, the value as it is."""
    learner.expect(NAME, b"Host: a.example\r\n").returns(
        [("host", b"a.example")],
        why="RFC 9112 §5: field-line = field-name ':' OWS field-value OWS; names ignore case",
        nudge="A list of tuples: the name is str, the value is bytes.",
    )


def check_several(learner: Learner) -> None:
    """Keeps the order of several fields, and repeated ones."""
    learner.expect(NAME, b"Accept: a\r\nHost: b\r\nACCEPT: c\r\nX-Y: d:e\r\n").returns(
        [("accept", b"a"), ("host", b"b"), ("accept", b"c"), ("x-y", b"d:e")],
        why="RFC 9110 §5.3: fields with the same name form a list, and their order counts",
        nudge="A dict would lose one. And only the first colon of a line is the separator.",
    )
    learner.expect(NAME, b"").returns(
        [],
        why="RFC 9112 §2.1: a message has any number of field lines, none included",
        nudge='What does b"".split(b"\\r\\n") give?',
    )


def check_white_space(learner: Learner) -> None:
    """Takes spaces and tabs away around the value, and only there."""
    cases = (
        (b"X:v\r\n", b"v"), (b"X:\t v \t\r\n", b"v"), (b"X: a \t b\r\n", b"a \t b"),
        (b"X:\r\n", b""), (b"X: \t \r\n", b""), (b"x: XxX\r\n", b"XxX"),
    )  # fmt: skip
    for block, value in cases:
        learner.expect(NAME, block).returns(
            [("x", value)],
            why="RFC 9112 §5: OWS, optional spaces and tabs, is no part of the value",
            nudge="Which bytes does your strip take away, and on which sides?",
        )


def check_names(learner: Learner) -> None:
    """Takes every token as a name."""
    learner.expect(NAME, TCHAR + b": v\r\n").returns(
        [(TCHAR.decode(), b"v")],
        why="RFC 9110 §5.6.2: token = 1*tchar, that is letters, digits and fifteen signs",
        nudge="In a regular expression, - and ^ have a meaning of their own inside [ ].",
    )


def check_values(learner: Learner) -> None:
    """Takes every visible character and the bytes above 0x7F in a value."""
    visible = bytes(range(0x21, 0x7F))
    high = bytes(range(0x80, 0x100))
    for value in (visible, b"caf\xc3\xa9", b"\x85v\xa0", high):
        learner.expect(NAME, b"X-Tag: " + value + b"\r\n").returns(
            [("x-tag", value)],
            why="RFC 9110 §5.5: field-vchar = VCHAR / obs-text (0x80 to 0xFF)",
            nudge="Leave the value as bytes. In latin-1 text, \\x85 and \\xa0 are white space.",
        )


def check_colon(learner: Learner) -> None:
    """Refuses white space before the colon, and folded lines."""
    for block in (
        b"Host : a\r\n", b"Content-Length\t: 5\r\n", b" Host: a\r\n", b"\tHost: a\r\n",
        b"X: a\r\n b\r\n", b"X: a\r\n\tY: b\r\n", b"X: a\r\n \r\n",
    ):  # fmt: skip
        learner.expect(NAME, block).raises(
            "ValueError",
            why="RFC 9112 §5.1 and §5.2: no space before the colon, no folded line; one server"
            " takes such a line for a field and the next one does not",
            nudge="Match the whole line against the grammar before you strip anything.",
        )


def check_bad_names(learner: Learner) -> None:
    """Refuses a name that is no token."""
    for block in (
        b": v\r\n", b"Host\r\n", b"\r\n", b"A\r\n\r\nB: c\r\n", b"A: b\r\n\r\n", b"(a): v\r\n",
        b"na me: v\r\n", b"caf\xe9: v\r\n", b"A@: v\r\n", b"X\x00: v\r\n", b"A[: v\r\n",
        b"A,B: v\r\n", b'"A": v\r\n',
    ):  # fmt: skip
        learner.expect(NAME, block).raises(
            "ValueError",
            why="RFC 9110 §5.1: field-name = token, one character at least, then a colon",
            nudge="List what is allowed, not what is forbidden. An empty line has no name either.",
        )


def check_controls(learner: Learner) -> None:
    """Refuses control characters in a value, at its ends too."""
    for control in (0, 1, 8, 11, 12, 14, 27, 31, 127):
        for block in (b"X: a%cb\r\n", b"X: a%c\r\n", b"X:%ca\r\n"):
            learner.expect(NAME, block % control).raises(
                "ValueError",
                why="RFC 9110 §5.5: of the control characters only the tab may be in a value",
                nudge="strip() without an argument also removes \\x0b and \\x0c.",
            )


def check_line_ends(learner: Learner) -> None:
    """Refuses every line end but CRLF."""
    for block in (
        b"A: b\n", b"A: b\nC: d\r\n", b"A: b\rC: d\r\n", b"A: b\r\r\n", b"A: b\r", b"A: b",
        b"A: b\r\nC: d", b"A: b\r\nC: d\n", b"A: b\r\nC: d\r", b"A: b\r\n\n",
    ):  # fmt: skip
        learner.expect(NAME, block).raises(
            "ValueError",
            why="RFC 9112 §2.2: lines end with CRLF; two servers that cut lines differently see"
            " different fields, and that is how a field is smuggled past a proxy",
            nudge="splitlines() cuts at more than CRLF, and `$` forgives one line feed.",
        )


def check_limit(learner: Learner) -> None:
    """Reads as many fields as the limit says, and refuses one more."""
    line = b"A: b\r\n"
    for count, limit in ((3, (3,)), (1, (1,)), (0, (0,)), (100, ())):
        learner.expect(NAME, line * count, *limit).returns(
            [("a", b"b")] * count,
            why="RFC 9110 §5.4: a server sets its own limit",
            nudge="At most `limit`: the limit itself is allowed.",
        )
    for count, limit in ((4, (3,)), (1, (0,)), (101, ()), (5000, ())):
        learner.expect(NAME, line * count, *limit).raises(
            "ValueError",
            why="RFC 9110 §5.4: without a limit, one client fills the memory of the server",
            nudge="Count the lines, not the different names.",
        )
