"""Grader of http-framing: RFC 9112 §6.3, the good cases first, then every known disagreement."""

from playground.grading import Learner

NAME = "body_framing"
HTTP_1_1 = (1, 1)
HOST = ("host", b"a.example")


def length(value: bytes) -> tuple[str, bytes]:
    """Return a Content-Length field."""
    return ("content-length", value)


def coding(value: bytes) -> tuple[str, bytes]:
    """Return a Transfer-Encoding field."""
    return ("transfer-encoding", value)


def check_length(learner: Learner) -> None:
    """Reads a Content-Length; without one, there is no body."""
    for fields, count in (
        ([HOST, length(b"5")], 5), ([length(b"0"), HOST], 0), ([HOST], 0), ([], 0),
        ([HOST, length(b"1048576")], 1_048_576), ([HOST, length(b"0019")], 19),
        ([("content-type", b"text/plain"), HOST], 0), ([length(b"00")], 0),
    ):  # fmt: skip
        learner.expect(NAME, HTTP_1_1, fields).returns(
            ("length", count),
            why="RFC 9112 §6.3: a valid Content-Length is the length; without both fields it is 0",
            nudge="A request without a body has the length 0. It is not refused.",
        )


def check_chunked(learner: Learner) -> None:
    """Recognises chunked, in any case."""
    for value in (b"chunked", b"Chunked", b"CHUNKED"):
        learner.expect(NAME, HTTP_1_1, [HOST, coding(value)]).returns(
            ("chunked", None),
            why="RFC 9112 §7: transfer-coding names are case-insensitive",
            nudge="Names of codings, like names of fields, are compared in lower case.",
        )


def check_old_version(learner: Learner) -> None:
    """In HTTP/1.0, takes a length and refuses a transfer coding."""
    learner.expect(NAME, (1, 0), [length(b"5")]).returns(
        ("length", 5),
        why="RFC 9112 §6.3: Content-Length means the same in HTTP/1.0",
        nudge="Only Transfer-Encoding is new in 1.1.",
    )
    learner.expect(NAME, (1, 2), [coding(b"chunked")]).returns(
        ("chunked", None),
        why="RFC 9110 §2.5: a later minor version can do what 1.1 can",
        nudge="Below 1.1, not other than 1.1.",
    )
    for value in (b"chunked", b"gzip, chunked"):
        learner.expect(NAME, (1, 0), [coding(value)]).returns(
            ("refuse", 400),
            why="RFC 9112 §6.1: HTTP/1.0 knows no Transfer-Encoding; the framing is faulty",
            nudge="The version comes first: an old server would look at Content-Length instead.",
        )


def check_digits(learner: Learner) -> None:
    """Refuses a Content-Length that is not digits only."""
    for value in (
        b"+5", b"-5", b"5_0", b"", b"0x5", b"5.0", b"five", b"5 5", b" 5", b"5\t", b"5\n",
        b"5, 5", b"5,6", b"\xb2", b"5;", b"1e3", b"-0",
    ):  # fmt: skip
        learner.expect(NAME, HTTP_1_1, [HOST, length(value)]).returns(
            ("refuse", 400),
            why="RFC 9110 §8.6: Content-Length = 1*DIGIT; what int() takes beyond that, another"
            " server reads differently",
            nudge="Which strings does int() accept? Match the bytes before you convert them.",
        )


def check_repeated_length(learner: Learner) -> None:
    """Refuses two Content-Length fields, even if they agree."""
    for first, second in ((b"5", b"6"), (b"5", b"5"), (b"0", b"0"), (b"5", b"99999999")):
        learner.expect(NAME, HTTP_1_1, [length(first), HOST, length(second)]).returns(
            ("refuse", 400),
            why="RFC 9112 §6.3: one server takes the first, another one the last",
            nudge="Do you keep the values in a dict or a set? Then one of them is gone already.",
        )


def check_both(learner: Learner) -> None:
    """Refuses Content-Length together with Transfer-Encoding."""
    for fields in (
        [length(b"5"), coding(b"chunked")], [coding(b"chunked"), HOST, length(b"0")],
        [length(b"5"), coding(b"gzip, chunked")], [length(b"99999999"), coding(b"chunked")],
        [coding(b"chunked"), length(b"")],
    ):  # fmt: skip
        learner.expect(NAME, HTTP_1_1, fields).returns(
            ("refuse", 400),
            why="RFC 9112 §6.1 and §11.2: this is how requests are smuggled past a proxy",
            nudge="What the values are does not matter when both fields are there.",
        )


def check_last_coding(learner: Learner) -> None:
    """Refuses codings that do not end with one chunked."""
    for values in (
        [b"chunked, gzip"], [b"gzip"], [b"identity"], [b"xchunked"], [b"gzip, xchunked"],
        [b"chunked, chunked"], [b"chunked", b"chunked"], [b"chunked", b"gzip"], [b""],
        [b"chunked gzip"], [b"\x0bchunked"], [b"gzip chunked"], [b"CHUNKED, gzip, Chunked"],
        [b"Xchunked"], [b"chunkedX"], [b'"chunked"'], [b"chunked \t, chunked"],
    ):  # fmt: skip
        learner.expect(NAME, HTTP_1_1, [coding(value) for value in values]).returns(
            ("refuse", 400),
            why="RFC 9112 §6.1 and §6.3: without `chunked` as the last coding, and only there,"
            " nobody can tell where the body of a request ends",
            nudge="Several fields are one list, in order. Is the last word exactly `chunked`?"
            " Only spaces and tabs around it do not count: strip() by itself takes more.",
        )


def check_other_coding(learner: Learner) -> None:
    """Refuses an unknown coding in front of chunked with 501."""
    for values in (
        [b"gzip, chunked"], [b"gzip,chunked"], [b"gzip \t,\t Chunked"], [b"gzip", b"chunked"],
        [b"identity, chunked"], [b"br, gzip, chunked"], [b"notchunked, chunked"],
    ):  # fmt: skip
        learner.expect(NAME, HTTP_1_1, [coding(value) for value in values]).returns(
            ("refuse", 501),
            why="RFC 9112 §6.1: a server that does not understand a transfer coding answers 501",
            nudge="The end of this body is clear. We just cannot decode what is inside.",
        )


def check_limit(learner: Learner) -> None:
    """Refuses more than the limit with 413, however long the number is."""
    nines, padded = b"9" * 5000, b"0" * 5000 + b"7"
    for value, limit in ((b"1048577", ()), (b"11", (10,)), (b"1", (0,)), (nines, ())):
        learner.expect(NAME, HTTP_1_1, [length(value)], *limit).returns(
            ("refuse", 413),
            why="RFC 9110 §15.5.14: the content is larger than the server is willing to process",
            nudge="int() gives up after 4300 digits. Look at how many there are first.",
        )
    for value, limit, count in ((b"10", (10,), 10), (b"0", (0,), 0), (padded, (), 7),
                                (b"9" * 12, (10**12,), 10**12 - 1)):  # fmt: skip
        learner.expect(NAME, HTTP_1_1, [length(value)], *limit).returns(
            ("length", count),
            why="RFC 9110 §8.6: any number of digits; leading zeros do not change the number",
            nudge="The limit itself is allowed. How long is the number without its zeros?",
        )
