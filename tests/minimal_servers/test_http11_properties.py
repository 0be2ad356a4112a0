"""What must hold for any bytes: cut anywhere, mutated anywhere, glued together."""

import itertools
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minimal_servers import http11
from minimal_servers.http11 import BadRequest, Request, read_body, take_head

settings.register_profile("server", deadline=None, max_examples=150, derandomize=True)
settings.load_profile("server")

STATUSES = {"400", "414", "417", "431", "501", "505"}
Outcome = list[tuple[Request, bytes]]  # requests with their bodies, in order


class Reader:
    """Read requests and bodies from one growing buffer, as a connection does."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.outcome: Outcome = []
        self.refused = False
        self.request: Request | None = None
        self.body = b""

    def feed(self, data: bytes) -> None:
        self.buffer += data
        try:
            while not self.refused and self.step():
                pass
        except BadRequest as error:
            self.refused = error.status[:3] in STATUSES
            if not self.refused:
                raise

    def step(self) -> bool:
        """One head or one body further; False when bytes are missing."""
        if self.request is None:
            self.request = take_head(self.buffer)
            if self.request is None:
                return False
            self.pieces = read_body(self.request, self.buffer)
        for piece in self.pieces:
            if piece is None:
                return False
            self.body += piece
        self.outcome.append((self.request, self.body))
        self.request, self.body = None, b""
        return True


def read(data: bytes, cuts: list[int]) -> tuple[Outcome, bool, bytes | None]:
    """(whole requests, refused?, what is left over) for one way to cut the data."""
    reader = Reader()
    edges = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        reader.feed(data[start:end])
    return reader.outcome, reader.refused, None if reader.refused else bytes(reader.buffer)


token = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=12).map(str.encode)
value = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30).map(
    lambda text: text.encode("latin-1").strip(b" \t")
)
path = st.lists(
    st.sampled_from([b"/", b"a", b"%20", b"..", b"@", b":", b"//", b"%C3%A9", b"~", b"\\"])
).map(lambda parts: b"/" + b"".join(parts))
reserved = {b"host", b"content-length", b"transfer-encoding", b"connection", b"expect"}


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, tuple[bytes, bytes, bytes, list, bytes]]:
    """The bytes of a valid request, and what must be read from them."""
    method = draw(token.filter(lambda m: m != b"CONNECT"))
    target, query = draw(path), draw(st.sampled_from([b"", b"x=1", b"a?b&%zz", b"/"]))
    fields = draw(st.lists(st.tuples(token, value), max_size=5))
    fields = [(b"Host", b"h:1"), *(f for f in fields if f[0].lower() not in reserved)]
    body = draw(st.binary(max_size=60))
    if draw(st.booleans()):
        fields.append((b"Transfer-Encoding", b"Chunked"))
        wire = b""
        for start in range(0, len(body), 17):
            piece = body[start : start + 17]
            wire += b"%X%b\r\n%b\r\n" % (
                len(piece),
                draw(st.sampled_from([b"", b";a", b' ; a="\\" ;"', b";a=b;c"])),
                piece,
            )
        wire += b"0\r\n" + draw(st.sampled_from([b"", b"X: y\r\n", b"A:\r\nB: c\r\n"])) + b"\r\n"
    else:
        fields.append((b"Content-Length", b"%d" % len(body)))
        wire = body
    line = method + b" " + target + (b"?" + query if query else b"") + b" HTTP/1.1"
    gap = draw(st.sampled_from([b"", b" ", b"\t "]))
    head = b"\r\n".join([line, *(n + b":" + gap + v for n, v in fields), b"", b""])
    expected = [(name.lower(), text) for name, text in fields]
    return head + wire, (method, target, query, expected, body)


@given(requests(), st.lists(st.integers(0, 400)))
def test_a_valid_request_is_read_as_it_was_meant(generated: tuple, cuts: list[int]) -> None:
    data, (method, target, query, fields, body) = generated
    [(request, received)], refused, rest = read(data, cuts)
    assert (refused, rest, received) == (False, b"", body)
    assert request.method.encode() == method
    assert (request.path, request.query, request.headers) == (target, query, fields)


@given(st.lists(requests(), min_size=1, max_size=4), st.integers(0, 200), st.lists(st.integers(0)))
def test_requests_in_a_row_do_not_touch_each_other(
    generated: list[tuple], missing: int, cuts: list[int]
) -> None:
    data = b"".join(wire for wire, _ in generated)
    outcome, refused, rest = read(data, cuts)
    assert not refused
    assert rest == b""
    assert [body for _, body in outcome] == [parts[-1] for _, parts in generated]
    short = data[: len(data) - missing]  # nothing is ever read ahead of its bytes
    assert read(short, cuts)[0] == outcome[: len(read(short, [])[0])]


pieces = st.sampled_from(
    [b"GET", b"POST", b" ", b"/", b"*", b"http://a/", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\r\n",
     b"\r\n\r\n", b"\n", b"\r", b"Host: a", b"host:", b"Content-Length: 3", b"Content-Length: 0",
     b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"Connection: close", b":", b"X",
     b"\t", b"3\r\nabc\r\n", b"0\r\n\r\n", b"3;a=b", b'"', b"\x00",
     b"\xff", b"#", b"%", b"abc", b"1"]
)  # fmt: skip
soup = st.one_of(st.binary(max_size=80), st.lists(pieces, max_size=25).map(b"".join))
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"


@given(soup, st.lists(st.integers(0, 200)), st.booleans())
@example(b"\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", [], False)
@example(b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\rX0\r\n\r\n", [], True)
def test_where_the_bytes_are_cut_makes_no_difference(
    data: bytes, cuts: list[int], headed: bool
) -> None:
    data = HEAD + data if headed else data
    at_once = read(data, [])
    assert read(data, cuts) == at_once
    assert read(data, list(range(len(data)))) == at_once


@given(requests(), st.data())
def test_a_mutated_request_is_read_or_refused(generated: tuple, data: st.DataObject) -> None:
    wire = bytearray(generated[0])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(wire)))
        wire[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b"\r", b"\n", b" ", b"\x00", b":", b"\xff", b"0", b"\r\n", b","])
        )
    outcome, _, _ = read(bytes(wire), [])  # anything but BadRequest would be raised here
    assert read(bytes(wire), list(range(len(wire)))) == read(bytes(wire), [])
    for request, _ in outcome:
        check_invariants(request)


def check_invariants(request: Request) -> None:
    """What the application may rely on, whatever the client sent."""
    names = [name for name, _ in request.headers]
    for name, text in request.headers:
        assert http11.is_token(name)
        assert name == name.lower()
        assert not set(text) & set(b"\r\n\x00\x0b\x7f")
        assert text == text.strip(b" \t")
    assert names.count(b"host") == 1 or request.minor == 0
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
    assert request.path == b"*" or request.path.startswith(b"/")
    assert not set(request.path + request.query) & set(b" #\r\n\x00")


N = 60_000
ADVERSARIAL = [
    b"A" * 8000,
    b"GET /" + b"%" * 8000,
    b"GET http://" + b"a" * 8000,
    b"GET http://" + b"a:" * 4000 + b"/ HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: " + b"a" * N + b"@\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: " + b"a:" * (N // 2) + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: [" + b":" * N + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a:b\r\n" * 9000 + b"x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX:" + b" " * N + b"\x00\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X" * N + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: " + b"," * N + b"\r\n\r\n",
    HEAD + b"Content-Length: " + b"1" * N + b"\r\n\r\n",
    HEAD + b"Transfer-Encoding: " + b"chunked," * (N // 8) + b"\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n1" + b";a" * 500 + b"!\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;a=" + b'"\\"' * 330 + b"\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"\t " * 500 + b"\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n1" + b"; a = b" * 140 + b" \r\n",
    b"\r\n" * N,
]


@pytest.mark.parametrize("number", range(len(ADVERSARIAL)))
@pytest.mark.timeout(20)
def test_no_input_costs_more_than_its_length(number: int) -> None:
    """An expression that backtracks would need years here; the bound is only there to end it."""
    data = ADVERSARIAL[number]
    start = time.process_time()
    read(data, [])
    read(data, list(range(0, len(data), 1 + len(data) // 200)))
    assert time.process_time() - start < 10
