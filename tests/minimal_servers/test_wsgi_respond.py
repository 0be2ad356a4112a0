"""PEP 3333 without a socket: one application call, and what was transmitted, in order."""

import gc
import io
import sys
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

from minimal_servers.http11 import read_body, take_head
from minimal_servers.response import ClientGone
from minimal_servers.wsgi import WSGIResponse, base_environ, build_environ, respond
from tests.minimal_servers.apps import TEXT, Body

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
GET_10 = b"GET / HTTP/1.0\r\n\r\n"
HEAD = GET.replace(b"GET", b"HEAD")


def environ_of(data: bytes, **server: Any) -> dict[str, Any]:
    buffer = bytearray(data)
    request = take_head(buffer)
    assert request is not None
    body = io.BytesIO(b"".join(piece or b"" for piece in read_body(request, buffer)))
    base = base_environ("127.0.0.1", 8000, **{"multithread": False, "multiprocess": False} | server)
    return build_environ(base, request, body, ("127.0.0.2", 4321))


class Call:
    """Run one application and keep everything that happened."""

    def __init__(self, app: Callable[..., Any], data: bytes = GET, gone_after: int = 99) -> None:
        self.sent: list[tuple[bytes, bool]] = []
        self.gone_after = gone_after
        self.broken = False
        request = take_head(bytearray(data))
        assert request is not None
        self.response = WSGIResponse(request, self.transmit)
        try:
            respond(app, environ_of(data), self.response)
        except ClientGone:
            self.broken = True

    def transmit(self, data: bytes, wait: bool) -> None:
        if len(self.sent) >= self.gone_after:
            raise ClientGone("hung up")
        self.sent.append((data, wait))

    @property
    def wire(self) -> bytes:
        return b"".join(data for data, _ in self.sent)

    @property
    def head(self) -> list[bytes]:
        return self.wire.partition(b"\r\n\r\n")[0].split(b"\r\n")

    @property
    def body(self) -> bytes:
        return self.wire.partition(b"\r\n\r\n")[2]

    @property
    def keep_alive(self) -> bool:
        return self.response.keep_alive and not self.broken


def answering(
    blocks: Any, status: str = "200 OK", headers: list | None = None
) -> Callable[..., Any]:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        start_response(status, TEXT if headers is None else headers)
        return blocks

    return app


class Counted:
    """An iterable of blocks; an exception among them is raised. Counts the calls of close()."""

    def __init__(self, *blocks: Any) -> None:
        self.blocks = blocks
        self.closed = 0
        self.asked = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self.blocks:
            self.asked += 1
            if isinstance(block, BaseException):
                raise block
            yield block
        self.asked += 1

    def close(self) -> None:
        self.closed += 1


def test_environ_is_complete_and_has_the_right_types() -> None:
    data = (
        b"POST /caf%C3%A9/%2F?q=%20+&\xe9 HTTP/1.1\r\n".replace(b"\xe9", b"e")
        + b"Host: h:1\r\nContent-Type: a/b\r\nContent-Length: 3\r\nX-Two: a\r\nx-two: b\r\n"
        + b"Cookie: c=1\r\nCookie: d=2\r\nX-Latin: \xe9\r\nContent_Length: 9\r\nX_Y: z\r\n\r\nabc"
    )
    environ = environ_of(data, multithread=True)
    body, errors = environ.pop("wsgi.input"), environ.pop("wsgi.errors")
    assert type(environ) is dict
    assert body.read() == b"abc"
    assert errors is sys.stderr
    assert callable(environ.pop("wsgi.file_wrapper"))
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/caf\xc3\xa9//",
        "QUERY_STRING": "q=%20+&e",
        "CONTENT_TYPE": "a/b",
        "CONTENT_LENGTH": "3",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "minimal-wsgi",
        "REMOTE_ADDR": "127.0.0.2",
        "REMOTE_PORT": "4321",
        "HTTP_HOST": "h:1",
        "HTTP_X_TWO": "a,b",
        "HTTP_COOKIE": "c=1; d=2",
        "HTTP_X_LATIN": "\xe9",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    assert all(type(k) is str for k in environ)
    assert all(type(v) in (str, bool, tuple) for v in environ.values())


def test_environ_of_a_request_without_anything() -> None:
    environ = environ_of(GET_10)
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert environ["QUERY_STRING"] == ""
    assert environ["wsgi.input"].read() == b""
    assert not {"CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_HOST"} & set(environ)


def test_two_requests_share_no_environ() -> None:
    base = base_environ("h", 1, False, False)
    request = take_head(bytearray(GET))
    assert request is not None
    build_environ(base, request, io.BytesIO(), ("p", 1))["mine"] = 1
    assert "mine" not in build_environ(base, request, io.BytesIO(), ("p", 1))


@pytest.mark.parametrize("target", [b"/a", b"//a", b"/a%2Fb", b"/%00", b"/%FF", b"*"])
def test_path_info(target: bytes) -> None:
    environ = environ_of(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    expected = {b"/a%2Fb": "/a/b", b"/%00": "/\0", b"/%FF": "/\xff"}
    assert environ["PATH_INFO"] == expected.get(target, target.decode())


def test_a_chunked_body_has_a_length_and_no_coding() -> None:
    data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    environ = environ_of(data + b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: no\r\n\r\nnext")
    assert environ["CONTENT_LENGTH"] == "5"
    assert environ["wsgi.input"].read() == b"abcde"
    assert not {"HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_LENGTH", "HTTP_X_TRAILER"} & set(environ)


READS: list[tuple[Callable[[Any], Any], Any]] = [
    (lambda i: i.read(), b"ab\ncd\nef"),
    (lambda i: i.read(-1), b"ab\ncd\nef"),
    (lambda i: i.read(4), b"ab\nc"),
    (lambda i: i.read(10_000), b"ab\ncd\nef"),
    (lambda i: (i.read(8), i.read(1), i.read(), i.readline()), (b"ab\ncd\nef", b"", b"", b"")),
    (lambda i: i.read(0), b""),
    (lambda i: i.readline(), b"ab\n"),
    (lambda i: (i.readline(1), i.readline(9)), (b"a", b"b\n")),
    (lambda i: i.readlines(), [b"ab\n", b"cd\n", b"ef"]),
    (lambda i: i.readlines(1), [b"ab\n"]),
    (lambda i: list(i), [b"ab\n", b"cd\n", b"ef"]),
    (lambda i: [i.readline(), *i], [b"ab\n", b"cd\n", b"ef"]),
]


@pytest.mark.parametrize("number", range(len(READS)))
def test_input_ends_with_the_body(number: int) -> None:
    data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nab\ncd\nefNEXT\nREQUEST"
    read, expected = READS[number]
    assert read(environ_of(data)["wsgi.input"]) == expected


@pytest.mark.parametrize(
    ("blocks", "data", "fields", "body", "keep_alive"),
    [
        ([b"abc"], GET, {b"Content-Length: 3"}, b"abc", True),
        ((b"a", b"", b"bc"), GET, {b"Content-Length: 3"}, b"abc", True),
        ([], GET, {b"Content-Length: 0"}, b"", True),
        ([b""], GET, {b"Content-Length: 0"}, b"", True),
        ([b"abc"], GET_10, {b"Content-Length: 3", b"Connection: close"}, b"abc", False),
        (iter([b"abc"]), GET, {b"Transfer-Encoding: chunked"}, b"3\r\nabc\r\n0\r\n\r\n", True),
        (iter([b"", b"a", b"", b"b"]), GET, {b"Transfer-Encoding: chunked"},
         b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", True),
        (iter([]), GET, {b"Transfer-Encoding: chunked"}, b"0\r\n\r\n", True),
        (iter([b"abc"]), GET_10, {b"Connection: close"}, b"abc", False),
        (iter([b"abc"]), HEAD, set(), b"", True),
        ([b"abc"], HEAD, {b"Content-Length: 3"}, b"", True),
        ([], HEAD, set(), b"", True),
    ],
)  # fmt: skip
def test_how_the_body_is_delimited(
    blocks: Any, data: bytes, fields: set[bytes], body: bytes, keep_alive: bool
) -> None:
    call = Call(answering(blocks), data)
    framing = [f for f in call.head if f.split(b":")[0] in FRAMING]
    assert call.head[0] == b"HTTP/1.1 200 OK"
    assert (set(framing), len(framing)) == (fields, len(fields))
    assert (call.body, call.keep_alive) == (body, keep_alive)
    assert [f[:5] for f in call.head].count(b"Date:") == 1


FRAMING = {b"Content-Length", b"Transfer-Encoding", b"Connection"}


def test_http_1_0_may_keep_the_connection() -> None:
    data = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    call = Call(answering([b"abc"]), data)
    assert b"Connection: keep-alive" in call.head
    assert call.keep_alive
    lazy = Call(answering(iter([b"abc"])), data)
    assert b"Connection: close" in lazy.head
    assert not lazy.keep_alive


@pytest.mark.parametrize("code", ["204", "304"])
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("blocks", [[], [b"abc"], iter([b"abc"])])
def test_204_and_304_have_no_body(code: str, declared: bool, blocks: Any) -> None:
    headers = [("Content-Length", "3")] if declared else []
    call = Call(answering(blocks, f"{code} X", headers))
    assert call.body == b""
    assert call.keep_alive
    assert not any(f.startswith(b"Transfer-Encoding") for f in call.head)
    if code == "204":  # RFC 9110 §8.6
        assert not any(f.startswith(b"Content-Length") for f in call.head)


def test_an_application_may_set_the_date_and_repeat_fields() -> None:
    headers = [("date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("Set-Cookie", "a"), ("Set-Cookie", "b")]
    call = Call(answering([b""], headers=headers))
    names = [f.split(b":")[0].lower() for f in call.head]
    assert names.count(b"date") == 1
    assert [f for f in call.head if f.startswith(b"Set-")] == [b"Set-Cookie: a", b"Set-Cookie: b"]


def test_every_block_is_sent_before_the_next_is_made() -> None:
    seen: list[int] = []
    call: list[Call] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        transmitted = start_response.__self__.transmit.__self__.sent  # type: ignore[attr-defined]
        start_response("200 OK", TEXT)
        seen.append(len(transmitted))
        yield b""
        seen.append(len(transmitted))  # the head waits for the first block that is not empty
        yield b"a"
        seen.append(len(transmitted))
        yield b"b"
        seen.append(len(transmitted))

    call.append(Call(app))
    assert seen == [0, 0, 1, 2]
    assert [wait for _, wait in call[0].sent[:2]] == [True, True]
    assert call[0].sent[0][0].endswith(b"\r\n\r\n1\r\na\r\n")


def test_the_code_after_the_last_block_runs() -> None:
    blocks = Counted(b"abc")
    Call(answering(blocks, headers=[("Content-Length", "3")]))
    assert (blocks.asked, blocks.closed) == (2, 1)


def test_write() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        write = start_response("200 OK", TEXT)
        write(b"")
        write(b"a")
        write(b"b")
        return [b"c"]

    call = Call(app)
    assert call.body == b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"
    assert [wait for _, wait in call.sent[:2]] == [True, True]


def test_a_length_is_kept_when_the_body_is_longer() -> None:
    blocks = Counted(b"12", b"345", b"678")
    call = Call(answering(blocks, headers=[("Content-Length", "4")]))
    assert call.body == b"1234"
    assert (blocks.asked, blocks.closed) == (2, 1)
    assert call.keep_alive


@pytest.mark.parametrize("blocks", [[b"12"], [], iter([b"12"]), iter([])])
def test_a_body_that_is_too_short_ends_the_connection(blocks: Any) -> None:
    call = Call(answering(blocks, headers=[("Content-Length", "4")]))
    assert b"Content-Length: 4" in call.head
    assert not call.keep_alive


def test_an_endless_answer_to_head_ends() -> None:
    blocks = Counted(*[b"x"] * 1000)
    call = Call(answering(blocks), HEAD)
    assert call.body == b""
    assert (blocks.asked, blocks.closed) == (1, 1)


BAD_HEADERS = [
    ("X", "a\r\nY: b"), ("X", "a\n"), ("X", "a\r"), ("X", "\x00"), ("X", "a\tb"), ("X", "\x7f"),
    ("X", "€"), ("X", 1), ("X", b"bytes"), ("X", None), ("", "y"), ("X Y", "z"), ("X:", "y"),
    ("X\r\n", "y"), ("é", "y"), (b"X", "y"), (1, "y"), ("Content-Length", "+1"),
    ("Content-Length", "1_0"), ("Content-Length", ""), ("Content-Length", "²"),
    ("Connection", "close"), ("Keep-Alive", "x"), ("transfer-encoding", "chunked"), ("TE", "x"),
    ("Trailers", "x"), ("Upgrade", "x"), ("Proxy-Authenticate", "x"), ("Proxy-Authorization", "x"),
]  # fmt: skip
BAD_STARTS: list[tuple[Any, Any]] = [
    *[("200 OK", [header]) for header in BAD_HEADERS],
    ("200 OK", [("Content-Length", "1"), ("Content-Length", "1")]),
    ("200 OK", (("X", "y"),)),
    ("200 OK", {"X": "y"}),
    ("200 OK", "X: y"),
    ("200 OK", [("X",)]),
    (b"200 OK", []),
    (200, []),
    ("200", []),
    ("OK", []),
    ("100 Continue", []),
    ("99 x", []),
    ("200 a\r\nX: y", []),
    ("200 €", []),
]


@pytest.mark.parametrize("number", range(len(BAD_STARTS)))
def test_what_http_forbids_becomes_a_500(number: int) -> None:
    status, headers = BAD_STARTS[number]
    blocks = Counted(b"never")
    call = Call(answering(blocks, status, headers))
    assert call.head[0] == b"HTTP/1.1 500 Internal Server Error"
    assert b"Connection: close" in call.head
    assert b"never" not in call.wire
    assert not call.keep_alive


def test_a_refused_start_can_be_repeated_with_another_one() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        with pytest.raises(ValueError, match="X"):
            start_response("200 OK", [("X", "\n")])
        start_response("201 Created", [])
        return [b"x"]

    assert Call(app).head[0] == b"HTTP/1.1 201 Created"


def test_start_response_may_come_late() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("202 Accepted", TEXT)
        yield b"x"

    assert Call(app).head[0] == b"HTTP/1.1 202 Accepted"


def test_a_second_start_response_needs_exc_info() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", TEXT)
        start_response("201 OK", TEXT)
        return [b"x"]

    assert Call(app).head[0] == b"HTTP/1.1 500 Internal Server Error"


def failing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    """Fail, and try to say so; ?late fails after the head."""
    start_response("200 OK", [("X-First", "1"), ("Content-Length", "50")])
    if environ["QUERY_STRING"]:
        yield b"begun"
    try:
        raise KeyError("oh")
    except KeyError:
        start_response("503 Oh", [("X-Second", "2")], sys.exc_info())
    yield b"sorry"


def test_exc_info_before_the_head_replaces_it() -> None:
    call = Call(failing)
    assert call.head[0] == b"HTTP/1.1 503 Oh"
    assert b"X-Second: 2" in call.head
    assert not any(f.startswith((b"X-First", b"Content-Length")) for f in call.head)
    assert call.body == b"5\r\nsorry\r\n0\r\n\r\n"


def test_exc_info_after_the_head_raises_the_error_again() -> None:
    raised: list[BaseException] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        try:
            yield from failing(environ | {"QUERY_STRING": "late"}, start_response)
        except BaseException as error:
            raised.append(error)
            raise

    call = Call(app)
    assert [type(error) for error in raised] == [KeyError]
    assert call.broken
    assert call.body == b"begun"  # no error page in the middle of another one, no end either


def test_exc_info_leaves_no_reference_cycle() -> None:
    class Marker:
        alive = 0

        def __init__(self) -> None:
            Marker.alive += 1

        def __del__(self) -> None:
            Marker.alive -= 1

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        try:
            marker = Marker()
            raise KeyError(marker)
        except KeyError:
            start_response("503 Oh", [], sys.exc_info())
        return []

    gc.collect()
    gc.disable()
    try:
        Call(app)
        assert Marker.alive == 0
    finally:
        gc.enable()


class Odd(BaseException):
    """Neither Exception nor SystemExit."""


@pytest.mark.parametrize("error", [RuntimeError(), SystemExit(3), KeyboardInterrupt(), Odd()])
class TestErrors:
    def test_in_the_call(self, error: BaseException) -> None:
        def app(*_: Any) -> Any:
            raise error

        call = Call(app)
        assert call.head[0] == b"HTTP/1.1 500 Internal Server Error"
        assert not call.broken
        assert not call.keep_alive

    def test_before_the_first_block(self, error: BaseException) -> None:
        blocks = Counted(b"", error)
        call = Call(answering(blocks))
        assert call.head[0] == b"HTTP/1.1 500 Internal Server Error"
        assert blocks.closed == 1

    def test_in_the_middle(self, error: BaseException) -> None:
        blocks = Counted(b"abc", error)
        call = Call(answering(blocks))
        assert call.broken
        assert call.body == b"3\r\nabc\r\n"
        assert blocks.closed == 1

    def test_in_close(self, error: BaseException) -> None:
        class Failing(Counted):
            def close(self) -> None:
                super().close()
                raise error

        blocks = Failing(b"abc")
        call = Call(answering(blocks))
        assert call.body == b"3\r\nabc\r\n0\r\n\r\n"
        assert blocks.closed == 1
        assert call.keep_alive


@pytest.mark.parametrize("result", [None, 5, [None], ["text"], [b"ok", "text"], "text", [5]])
def test_what_is_no_body_becomes_a_500_or_a_broken_answer(result: Any) -> None:
    call = Call(answering(result))
    assert call.broken or call.head[0] == b"HTTP/1.1 500 Internal Server Error"
    assert not call.keep_alive


@pytest.mark.parametrize("result", [[b"x"], [], [b""], iter([b"x"]), iter([]), None])
def test_an_application_that_never_starts_a_response(result: Any) -> None:
    call = Call(lambda environ, start_response: result)
    assert call.head[0] == b"HTTP/1.1 500 Internal Server Error"


def test_a_broken_application_says_so_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    Call(answering(Counted(ZeroDivisionError("my mistake"))))
    assert "my mistake" in caplog.text


@pytest.mark.parametrize("gone_after", [0, 1, 2])
def test_close_runs_once_when_the_client_is_gone(gone_after: int) -> None:
    blocks = Counted(b"a", b"b")
    call = Call(answering(blocks), gone_after=gone_after)
    assert call.broken
    assert blocks.closed == 1
    assert len(call.sent) == gone_after


def test_close_runs_once_when_all_goes_well() -> None:
    for data in (GET, HEAD, GET_10):
        for headers in ([], [("Content-Length", "2")], [("Content-Length", "9")]):
            blocks = Counted(b"a", b"b")
            Call(answering(blocks, headers=headers), data)
            assert blocks.closed == 1


def test_close_of_a_generator_runs_its_finally() -> None:
    seen: list[str] = []

    def blocks() -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            seen.append("finally")

    Call(answering(blocks()), gone_after=1)
    assert seen == ["finally"]


def test_file_wrapper() -> None:
    file = io.BytesIO(b"x" * 25)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        start_response("200 OK", [("Content-Length", "25")])
        return environ["wsgi.file_wrapper"](file, 10)

    call = Call(app)
    assert call.body == b"x" * 25
    assert len(call.sent) == 3
    assert file.closed


@pytest.mark.parametrize("data", [GET, HEAD, GET_10])
def test_the_validator_of_the_standard_library_is_content(data: bytes) -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Body:
        environ["wsgi.input"].read(1)
        environ["wsgi.errors"].write("")
        start_response("200 OK", TEXT)
        return Body("x", iter([b"a", b"b"]))

    call = Call(validator(app), data)
    assert call.head[0] == b"HTTP/1.1 200 OK"
    assert not call.broken


def test_nothing_can_be_sent_after_the_end() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        write = start_response("200 OK", TEXT)

        class Late(Counted):
            def close(self) -> None:
                write(b"smuggled")

        return Late(b"abc")

    assert Call(app).body == b"3\r\nabc\r\n0\r\n\r\n"


def test_header_names_are_checked_every_time() -> None:
    for _ in range(2):  # names are remembered once they passed
        assert b"500" in Call(answering([], headers=[("Connection", "x")])).head[0]
        assert b"500" in Call(answering([], headers=[("X", "\n")])).head[0]
        assert b"200" in Call(answering([], headers=[("X", "y")])).head[0]
