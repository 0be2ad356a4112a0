"""Grader of http-chunked: RFC 9112 §7.1 in pieces, then everything that is no chunk."""

from typing import Any

from playground.grading import Failed, Learner, Raised, Remote, fail, short

NAME = "ChunkedDecoder"
MAX_LINE, MAX_TRAILERS = 256, 16
END = b"0\r\n\r\n"


class Decoder:
    """The learner's decoder, and what was fed to it."""

    def __init__(self, learner: Learner, max_body: int | None = None) -> None:
        limit = () if max_body is None else (max_body,)
        self.steps = [f"{NAME}({', '.join(map(str, limit))})"]
        self.remote = learner.obtain(NAME, *limit)

    @property
    def called(self) -> str:
        """The calls so far, as the learner would type them; of many, only the last ones."""
        steps = self.steps if len(self.steps) < 5 else [self.steps[0], "…", *self.steps[-3:]]
        return "; ".join(steps)

    def feed(self, data: bytes) -> Any:
        """Feed a piece; what comes back, unchecked."""
        self.steps.append(f"feed({short(data, 120)})")
        if not isinstance(self.remote, Remote):
            fail(self.called, f"{NAME}() is {short(self.remote)}", "an object with the method feed")
        try:
            return self.remote.call("feed", data)
        except Raised as raised:
            raised.called = self.called
            raise
        except Failed as failed:
            failed.message.called = self.called
            raise

    def expect(self, data: bytes, body: bytes, *, done: bool, why: str, nudge: str) -> None:
        """Feed a piece, and compare what comes back and `done`."""
        try:
            got = self.feed(data)
        except Raised as raised:
            if "ValueError" not in raised.mro:
                raise
            expected = f"no exception, and returned {body!r}"
            raise Failed(raised.message(expected, why, nudge)) from None
        if type(got) is not bytes or got != body:
            what = "an object" if isinstance(got, Remote) else short(got)
            fail(self.called, f"returned {what}", f"returned {body!r}", why=why, nudge=nudge)
        self.expect_state("done", done, why=why, nudge=nudge)

    def expect_state(self, name: str, expected: object, *, why: str, nudge: str) -> None:
        """Compare `done` or `rest`."""
        got = self.remote.get(name)
        if type(got) is not type(expected) or got != expected:
            want = f"{name} is {expected!r}"
            fail(self.called, f"{name} is {short(got)}", want, why=why, nudge=nudge)


def refuses(
    learner: Learner, *pieces: bytes, why: str, nudge: str, max_body: int | None = None
) -> None:
    """Fail unless the pieces, or the first of them, make the decoder raise ValueError."""
    decoder = Decoder(learner, max_body)
    results = []
    try:
        for piece in pieces:
            results.append(decoder.feed(piece))
    except Raised as raised:
        if "ValueError" not in raised.mro:
            raise Failed(raised.message("ValueError raised", why, nudge)) from None
        return
    fail(
        decoder.called, f"returned {short(results[-1])}", "ValueError raised", why=why, nudge=nudge
    )


def check_one_chunk(learner: Learner) -> None:
    """Decodes one chunk that comes whole."""
    why = "RFC 9112 §7.1: chunk = chunk-size CRLF chunk-data CRLF; a chunk of size 0 is the last"
    nudge = "Read the size, take so many bytes, step over CRLF, and again, until the size is 0."
    Decoder(learner).expect(b"5\r\nhello\r\n" + END, b"hello", done=True, why=why, nudge=nudge)
    Decoder(learner).expect(END, b"", done=True, why=why, nudge=nudge)


def check_sizes(learner: Learner) -> None:
    """Decodes several chunks, with sizes in every hexadecimal form."""
    why = "RFC 9112 §7.1: chunk-size = 1*HEXDIG; the data may hold any bytes, CRLF too"
    nudge = "int(text, 16), and count bytes: never look for CRLF inside the data."
    for wire, body in (
        (b"1\r\na\r\n2\r\nbc\r\n", b"abc"), (b"a\r\n0123456789\r\n", b"0123456789"),
        (b"1A\r\n" + b"x" * 26 + b"\r\n", b"x" * 26), (b"0003\r\nabc\r\n", b"abc"),
        (b"000000000000003\r\nabc\r\n", b"abc"), (b"6\r\n\r\n0\r\n\x00\r\n", b"\r\n0\r\n\x00"),
        (b"fF\r\n" + b"y" * 255 + b"\r\n", b"y" * 255),
        (b"9\r\n\n\n\n\r\r\r\n\n\n\r\n", b"\n\n\n\r\r\r\n\n\n"),
    ):  # fmt: skip
        for last in (END, b"000\r\n\r\n"):
            Decoder(learner).expect(wire + last, body, done=True, why=why, nudge=nudge)


def check_at_once(learner: Learner) -> None:
    """Returns data as soon as it is here, and waits for the rest."""
    why = "RFC 9112 §7.1: the size is known before the data; a chunk may be larger than the memory"
    nudge = "Take min(missing, what is here) from the buffer, and remember how much is missing."
    decoder = Decoder(learner)
    for piece, body in (
        (b"", b""), (b"5", b""), (b"\r\n", b""), (b"he", b"he"), (b"", b""), (b"llo", b"llo"),
        (b"\r\n3\r\nabc", b"abc"), (b"\r", b""), (b"\n0\r\n", b""), (b"\r", b""),
    ):  # fmt: skip
        decoder.expect(piece, body, done=False, why=why, nudge=nudge)
    decoder.expect(
        b"\n", b"", done=True, why=why, nudge="The last LF makes the empty line complete."
    )


def check_rest(learner: Learner) -> None:
    """Keeps what comes after the end: the next request."""
    why = "RFC 9112 §9.3.2: a client may send the next request before it has the answer"
    nudge = "When the body ends, what is left in the buffer belongs to somebody else."
    decoder = Decoder(learner)
    decoder.expect(b"1\r\na\r\n", b"a", done=False, why=why, nudge=nudge)
    decoder.expect_state("rest", b"", why=why, nudge="Only what comes after the end is rest.")
    decoder.expect(END + b"GET /", b"", done=True, why=why, nudge=nudge)
    decoder.expect_state("rest", b"GET /", why=why, nudge=nudge)
    decoder.expect(b" HTTP/1.1\r\n", b"", done=True, why=why, nudge=nudge)
    decoder.expect(b"5\r\nhello\r\n", b"", done=True, why=why, nudge=nudge)
    rest = b"GET / HTTP/1.1\r\n5\r\nhello\r\n"
    decoder.expect_state("rest", rest, why=why, nudge="Once done, decode nothing more.")


def check_extensions(learner: Learner) -> None:
    """Skips the extensions of a chunk."""
    for text in (b";", b";a", b";a=b", b" ;a", b"\t ; a = b", b';a="x;y"', b";a=\xff;\tb", b";1"):
        for wire in (b"3" + text + b"\r\nabc\r\n" + END, b"3\r\nabc\r\n0" + text + b"\r\n\r\n"):
            Decoder(learner).expect(
                wire, b"abc", done=True,
                why="RFC 9112 §7.1.1: a recipient must ignore chunk extensions it does not know",
                nudge="The size ends at the first space, tab or semicolon.",
            )  # fmt: skip


def check_trailers(learner: Learner) -> None:
    """Skips trailer fields, up to the empty line."""
    why = "RFC 9112 §7.1.2: trailer fields follow the last chunk, and an empty line ends them"
    nudge = "After size 0 read lines, until one is empty. They are no part of the body."
    many = b"".join(b"T-%d: v\r\n" % number for number in range(MAX_TRAILERS))
    for text in (b"Expires: never\r\n", b"a:\r\nb:\t\xff\r\n", b"Content-Length: 5\r\n", many):
        decoder = Decoder(learner)
        decoder.expect(b"1\r\na\r\n0\r\n" + text, b"a", done=False, why=why, nudge=nudge)
        decoder.expect(b"\r\nGET", b"", done=True, why=why, nudge=nudge)
        decoder.expect_state("rest", b"GET", why=why, nudge=nudge)


def check_every_cut(learner: Learner) -> None:
    """Decodes a body that is cut at any place, and one that comes byte by byte."""
    parts = [
        (b"5;a=b\r\n", b""), (b"he\r\no", b"he\r\no"), (b"\r\n1 ;x\r\n", b""), (b"!", b"!"),
        (b"\r\n00\r\nA: b\r\nC:\r\n\r\n", b""),
    ]  # fmt: skip
    wire = b"".join(part for part, _ in parts)
    body = [data[i : i + 1] for part, data in parts for i in range(len(part))]
    why = "RFC 9293 §3.8: TCP is a stream of bytes; recv() may end anywhere, between CR and LF too"
    nudge = "Keep what is incomplete for the next call. Nothing may be lost or used twice."
    for cut in range(1, len(wire)):
        decoder = Decoder(learner)
        first, second = b"".join(body[:cut]), b"".join(body[cut:])
        decoder.expect(wire[:cut], first, done=False, why=why, nudge=nudge)
        decoder.expect(wire[cut:], second, done=True, why=why, nudge=nudge)
    decoder = Decoder(learner)
    for place, data in enumerate(body):
        last = place == len(wire) - 1
        decoder.expect(wire[place : place + 1], data, done=last, why=why, nudge=nudge)


def check_bad_sizes(learner: Learner) -> None:
    """Refuses a size that is not digits only."""
    for size in (
        b"+5", b"-5", b"0x5", b"5_0", b"", b" 5", b"5 ", b"5\t", b"g", b"5 5", b"5,", b"5=a",
        b"\xb2", b"-0", b"5h", b"5.0", b"5 a;", b";a", b"\x0b5", b"5\x0b;a",
    ):  # fmt: skip
        refuses(
            learner, size + b"\r\nhello\r\n" + END,
            why="RFC 9112 §7.1: chunk-size = 1*HEXDIG; what int() takes beyond that, another"
            " server reads differently",
            nudge="int(b'+5', 16), int(b'0x5', 16) and int(b' 5', 16) all work. Match first.",
        )  # fmt: skip


def check_chunk_end(learner: Learner) -> None:
    """Refuses a chunk that is longer or shorter than its size."""
    for pieces in (
        (b"3\r\nabcXX" + END,), (b"3\r\nabcd\r\n" + END,), (b"5\r\nabc\r\n" + END,),
        (b"3\r\nabc\n" + END,),
        (b"3\r\nabc" + END,), (b"3\r\nabc\r", b"0\r\n\r\n"), (b"3\r\nabc", b"\n0"),
    ):  # fmt: skip
        refuses(
            learner, *pieces,
            why="RFC 9112 §7.1: CRLF follows the data; without it nobody knows where you are",
            nudge="Look at the two bytes after the data. Do not just step over them.",
        )  # fmt: skip


def check_bad_trailers(learner: Learner) -> None:
    """Refuses a trailer that is no field."""
    for line in (
        b"no colon", b": v", b"A : b", b" A: b", b"\tA: b", b"A: \x00", b"A: b\rc", b"A(: b",
        b"GET / HTTP/1.1", b"A: \x7f", b"A: \x1f",
    ):  # fmt: skip
        for before in (b"", b"X: y\r\n"):
            refuses(
                learner, b"0\r\n" + before + line + b"\r\n\r\n",
                why="RFC 9112 §7.1.2: trailer-section = *( field-line CRLF ), strict like the head",
                nudge="The same pattern as for a header field will do.",
            )  # fmt: skip


def check_line_ends(learner: Learner) -> None:
    """Refuses a line that ends with anything but CRLF, and control characters in it."""
    why = "RFC 9112 §2.2: a line ends with CRLF"
    nudge = "A line ends at its first LF. Is there a CR before that one? Do not look for CRLF only."
    for wire in (b"3\nabc\r\n", b"3\n", b"0\n\n", b"0\n", b"0\r\n\n", b"0\r\nA: b\n\r\n"):
        refuses(learner, wire, why=why, nudge=nudge)
    for wire in (
        b"3;a\nabc\r\n", b"3;a\n", b"3\r\r\nabc\r\n", b"3;a\rb\r\nabc\r\n",
        b"3;\x00\r\nabc\r\n", b"3;\x7f\r\nabc\r\n", b"0\r\n\r\r\n\r\n",
        b"3;\x0b\r\nabc\r\n", b"3;\x1f\r\nabc\r\n",
    ):  # fmt: skip
        refuses(
            learner, wire,
            why="RFC 9112 §2.2, §7.1.1: lines end with CRLF; a line feed inside an extension was"
            " enough to smuggle requests past well-known proxies",
            nudge="Look at the whole line, the extension too, before you skip any of it.",
        )  # fmt: skip


def check_line_limit(learner: Learner) -> None:
    """Refuses a line that is too long, even before its end has come."""
    why = "RFC 9112 §7.1.1: a server ought to limit the length of chunk extensions it receives"
    size, trailer = b"1;" + b"x" * (MAX_LINE - 2), b"A:" + b"x" * (MAX_LINE - 2)
    nudge = "MAX_LINE counts without CRLF, and it is still allowed. The LF may come later."
    for pieces in ((size + b"\r\n",), (size + b"\r", b"\n"), (size, b"\r\n")):
        decoder = Decoder(learner)
        for piece in pieces:
            decoder.expect(piece, b"", done=False, why=why, nudge=nudge)
        decoder.expect(b"a\r\n0\r\n" + trailer + b"\r\n", b"a", done=False, why=why, nudge=nudge)
        decoder.expect(b"\r\n", b"", done=True, why=why, nudge=nudge)
    nudge = "Whoever waits for a CRLF that never comes keeps all that comes instead."
    for line in (b"1;" + b"x" * (MAX_LINE - 1), b"0\r\nA:" + b"x" * (MAX_LINE - 1)):
        refuses(learner, line + b"\r\n", why=why, nudge=nudge)
        refuses(learner, line + b"x", why=why, nudge=nudge)
        refuses(learner, line + b"x" * 50, why=why, nudge=nudge)
        refuses(learner, *[line[i : i + 1] for i in range(len(line))], b"xx", why=why, nudge=nudge)


def check_other_limits(learner: Learner) -> None:
    """Refuses too many trailers, too many digits, and a body over its limit."""
    many = b"".join(b"T-%d: v\r\n" % number for number in range(MAX_TRAILERS + 1))
    refuses(
        learner, b"0\r\n" + many,
        why="RFC 9110 §5.4: a server sets its own limits, on trailer fields as well",
        nudge="Count them; the empty line is none.",
    )  # fmt: skip
    refuses(
        learner, b"0000000000000003\r\nabc\r\n",
        why="RFC 9112 §7.1: recipients must anticipate large numbers and prevent overflows",
        nudge="15 digits are enough for a petabyte; 16 are refused, zeros or not.",
    )  # fmt: skip
    why = "RFC 9110 §15.5.14: a server limits the size of what it takes"
    nudge = "The limit is for all chunks together, and the size line tells early enough."
    for sizes, limit in (((b"5", b"5"), 10), ((b"a",), 10), ((b"100000",), None), ((), 0)):
        decoder = Decoder(learner, limit)
        for size in sizes:
            body = b"x" * int(size, 16)
            wire = size + b"\r\n" + body + b"\r\n"
            decoder.expect(wire, body, done=False, why=why, nudge="The limit itself is allowed.")
        decoder.expect(END, b"", done=True, why=why, nudge="The limit itself is allowed.")
    for pieces, limit in (
        ((b"5\r\nhello\r\n", b"6\r\n"), 10), ((b"b\r\n",), 10), ((b"100001\r\n",), None),
        ((b"1\r\n",), 0), ((b"fffffffffffffff\r\n",), None),
    ):  # fmt: skip
        refuses(learner, *pieces, max_body=limit, why=why, nudge=nudge)
