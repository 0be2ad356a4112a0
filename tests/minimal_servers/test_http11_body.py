"""Bodies: Content-Length and chunked (RFC 9112 §6 and §7), and the bytes that follow them."""

import itertools
from dataclasses import replace

import pytest

from minimal_servers import http11
from minimal_servers.http11 import BadRequest, Request, read_body

PLAIN = Request("POST", b"/", b"", 1, [], 0, True, False)
CHUNKED = replace(PLAIN, length=None)


def body(request: Request, data: bytes) -> tuple[bytes, bytes]:
    """(body, what stays in the buffer); the body must be complete."""
    buffer = bytearray(data)
    pieces = list(read_body(request, buffer))
    assert None not in pieces, "still incomplete"
    return b"".join(pieces), bytes(buffer)


def refusal(data: bytes) -> str:
    pieces = itertools.takewhile(lambda p: p is not None, read_body(CHUNKED, bytearray(data)))
    with pytest.raises(BadRequest) as caught:
        list(pieces)  # neither complete nor waiting for more
    return caught.value.status[:3]


@pytest.mark.parametrize(
    ("length", "data", "expected"),
    [
        (0, b"next", (b"", b"next")),
        (4, b"bodynext", (b"body", b"next")),
        (4, b"body", (b"body", b"")),
        (2, b"\r\n\r\n", (b"\r\n", b"\r\n")),
    ],
)
def test_a_length_is_kept_to_the_byte(
    length: int, data: bytes, expected: tuple[bytes, bytes]
) -> None:
    assert body(replace(PLAIN, length=length), data) == expected


END = b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (END, b""),
        (b"3\r\nabc\r\n" + END, b"abc"),
        (b"3\r\nabc\r\n2\r\nde\r\n" + END, b"abcde"),
        (b"A\r\n0123456789\r\n" + END, b"0123456789"),
        (b"a\r\n0123456789\r\n" + END, b"0123456789"),
        (b"003\r\nabc\r\n000\r\n\r\n", b"abc"),
        (b"0" * 14 + b"3\r\nabc\r\n" + END, b"abc"),
        (b"4\r\n\r\n\r\n\r\n" + END, b"\r\n\r\n"),
        (b"3;x\r\nabc\r\n" + END, b"abc"),
        (b"3;x=y\r\nabc\r\n" + END, b"abc"),
        (b"3 ; x = y\r\nabc\r\n" + END, b"abc"),
        (b'3;x="y z;\\"\\\\"\r\nabc\r\n' + END, b"abc"),
        (b'3;a=b;c;d=""\r\nabc\r\n0;e\r\n\r\n', b"abc"),
        (b"3\r\nabc\r\n0\r\nX: y\r\n\r\n", b"abc"),
        (b"3\r\nabc\r\n0\r\nX: y\r\nContent-Length: 9\r\n\r\n", b"abc"),
    ],
)
def test_chunks_that_are_read(data: bytes, expected: bytes) -> None:
    assert body(CHUNKED, data + b"GET /next") == (expected, b"GET /next")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ", b"g", b"0x3", b"+3", b"-3", b"3_0", b" 3", b"3 ", b"3\t", b"\xb2", b"3.0", b"3,3",
        b"3;", b"3;;x", b"3;=y", b"3;x=", b"3;x y", b"3;x=y z", b'3;x="y', b'3;x="y"z', b"3;x=y;",
        b'3;x="a\x00b"', b"3;x\x00", b"3\r", b"3;x\ry", b"3\x0b", b"3\x85", b"1" * 16, b"3;x\xe9",
        b"3x", b"3 x",
    ],
)  # fmt: skip
def test_chunk_lines_that_are_refused(line: bytes) -> None:
    assert refusal(line + b"\r\nabc\r\n" + END) == "400"
    assert refusal(b"1\r\nz\r\n" + line + b"\r\nabc\r\n" + END) == "400"


@pytest.mark.parametrize(
    "data",
    [
        b"3\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"3\r\nabc\r\n0\n\n",
        b"3\r\nabc\r\n0\r\n\n",
        b"3\r\nabcd\r\n0\r\n\r\n",  # longer than its size
        b"3\r\nabc0\r\n\r\n",  # no CRLF after the data
        b"3\r\nabc\rX0\r\n\r\n",
        b"2\r\nabc\r\n0\r\n\r\n",
        b"0\r\nX\r\n\r\n",
        b"0\r\nX : y\r\n\r\n",
        b"0\r\n X: folded\r\n\r\n",
        b"0\r\nX: y\r\n z\r\n\r\n",
        b"0\r\n: y\r\n\r\n",
        b"0\r\nX: a\x00b\r\n\r\n",
        b"0\r\nX: a\rb\r\n\r\n",
        b"0\r\nX: a\nb\r\n\r\n",
    ],
)
def test_chunked_bodies_that_are_refused(data: bytes) -> None:
    assert refusal(data + b"X" * 20) == "400"


def test_limits_are_exact() -> None:
    longest = b"3;" + b"x" * (http11.MAX_CHUNK_LINE - 4)
    assert body(CHUNKED, longest + b"\r\nabc\r\n" + END) == (b"abc", b"")
    assert refusal(longest + b"x\r\nabc\r\n" + END) == "400"
    assert refusal(b"3;" + b"x" * http11.MAX_CHUNK_LINE) == "400"  # whether or not its end comes
    trailers = b"X: y\r\n" * http11.MAX_TRAILERS
    assert body(CHUNKED, b"0\r\n" + trailers + b"\r\n") == (b"", b"")
    assert refusal(b"0\r\n" + trailers + b"X: y\r\n\r\n") == "431"


@pytest.mark.parametrize("data", [b"3;x=y\r\nabc\r\n0;z\r\nX: y\r\n\r\n", b"0\r\n\r\n"])
def test_every_beginning_of_a_body_is_waited_for(data: bytes) -> None:
    for cut in range(len(data)):
        buffer = bytearray(data[:cut])
        pieces = read_body(CHUNKED, buffer)
        received = b""
        for piece in pieces:
            if piece is None:
                break
            received += piece
        else:
            pytest.fail(f"complete after {data[:cut]!r}")
        assert b"abc".startswith(received)


def test_a_chunk_is_passed_on_before_it_is_complete() -> None:
    buffer = bytearray(b"5\r\nab")
    pieces = read_body(CHUNKED, buffer)
    assert next(pieces) == b"ab"
    assert next(pieces) is None
    buffer += b"cde"
    assert next(pieces) == b"cde"


def test_our_chunks_are_chunks() -> None:
    wire = b"".join(map(http11.chunk, [b"a", b"b" * 300])) + http11.LAST_CHUNK
    assert body(CHUNKED, wire) == (b"a" + b"b" * 300, b"")


@pytest.mark.parametrize("status", [b"200 OK", b"299 ", b"404 Nicht gefunden \xe4", b"599 x"])
def test_statuses_that_are_sent(status: bytes) -> None:
    assert http11.status_code(status) == int(status[:3])


@pytest.mark.parametrize(
    "status",
    [b"", b"200", b"OK", b"20 OK", b"2000 OK", b"100 Continue", b"101 Switching", b"600 x",
     b"200  \r\nX: y", b"200 a\nb", b"200 a\x00", b"200 a\x1f", b"200 a\tb", b"+20 OK", b" 200 OK",
     b"2_0 OK", b"\xb200 OK"],
)  # fmt: skip
def test_statuses_that_are_not(status: bytes) -> None:
    with pytest.raises(ValueError, match="illegal status"):
        http11.status_code(status)


@pytest.mark.parametrize(("name", "value"), [(b"X-Y", b"z"), (b"X", b""), (b"X", b"\xe9 ,;=")])
def test_fields_that_are_sent(name: bytes, value: bytes) -> None:
    assert http11.field_line(name, value) == name + b": " + value + b"\r\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [(b"", b"y"), (b"X Y", b"z"), (b"X:", b"y"), (b"X: y\r\nZ", b"a"), (b"X\r\n", b"y"),
     (b":", b""),
     (b"\xe9", b"y"), (b"X", b"a\r\nb"), (b"X", b"a\nb"), (b"X", b"a\rb"), (b"X", b"a\x00"),
     (b"X", b"a\r\n"), (b"X", b"\x7f"), (b"X", b"a\x1fb"), (b"X", b"a\tb")],
)  # fmt: skip
def test_fields_that_are_not(name: bytes, value: bytes) -> None:
    with pytest.raises(ValueError, match="illegal header field"):
        http11.field_line(name, value)
