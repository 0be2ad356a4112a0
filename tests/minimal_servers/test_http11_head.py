"""Request heads, byte for byte: what is read, what is refused, and with which status."""

import pytest

from minimal_servers import http11
from minimal_servers.http11 import BadRequest, Request, take_head

OK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def head(line: bytes = b"GET / HTTP/1.1", *fields: bytes) -> bytes:
    return b"\r\n".join([line, *(fields or (b"Host: a",)), b"", b""])


def read(data: bytes) -> Request:
    """The request at the front of ``data``, all of which must be used up."""
    buffer = bytearray(data)
    request = take_head(buffer)
    assert request is not None, "still incomplete"
    assert not buffer, f"left over: {bytes(buffer)!r}"
    return request


def refusal(data: bytes) -> str:
    """The three digits with which ``data`` is refused."""
    with pytest.raises(BadRequest) as caught:
        take_head(bytearray(data))
    assert str(caught.value)  # there is a sentence, too
    return caught.value.status[:3]


@pytest.mark.parametrize(
    ("line", "method", "path", "query", "minor"),
    [
        (b"GET / HTTP/1.1", "GET", b"/", b"", 1),
        (b"GET / HTTP/1.0", "GET", b"/", b"", 0),
        (b"GET / HTTP/1.2", "GET", b"/", b"", 1),
        (b"M-SEARCH / HTTP/1.1", "M-SEARCH", b"/", b"", 1),
        (b"!#$%&'*+-.^_`|~ / HTTP/1.1", "!#$%&'*+-.^_`|~", b"/", b"", 1),
        (b"get / HTTP/1.1", "get", b"/", b"", 1),
        (b"GET /a%20b?x=%41&y HTTP/1.1", "GET", b"/a%20b", b"x=%41&y", 1),
        (b"GET /? HTTP/1.1", "GET", b"/", b"", 1),
        (b"GET /a?b?c HTTP/1.1", "GET", b"/a", b"b?c", 1),
        (b"GET //x/y HTTP/1.1", "GET", b"//x/y", b"", 1),
        (b"GET //x:80@y/ HTTP/1.1", "GET", b"//x:80@y/", b"", 1),
        (b"GET /a/../b/./c HTTP/1.1", "GET", b"/a/../b/./c", b"", 1),
        (b"GET /:@!$&'()*+,;=-._~ HTTP/1.1", "GET", b"/:@!$&'()*+,;=-._~", b"", 1),
        (b"GET /http://b/ HTTP/1.1", "GET", b"/http://b/", b"", 1),
        (b"GET http://a HTTP/1.1", "GET", b"/", b"", 1),
        (b"GET http://a/ HTTP/1.1", "GET", b"/", b"", 1),
        (b"GET HTTP://A/x?y HTTP/1.1", "GET", b"/x", b"y", 1),
        (b"GET http://a?y HTTP/1.1", "GET", b"/", b"y", 1),
        (b"GET http://a/@b/c HTTP/1.1", "GET", b"/@b/c", b"", 1),
        (b"OPTIONS * HTTP/1.1", "OPTIONS", b"*", b"", 1),
    ],
)
def test_request_lines_that_are_read(
    line: bytes, method: str, path: bytes, query: bytes, minor: int
) -> None:
    request = read(head(line))
    assert (request.method, request.path, request.query, request.minor) == (
        method,
        path,
        query,
        minor,
    )
    assert request.length == 0
    assert request.keep_alive is (minor == 1)
    assert request.expects_continue is False


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"", "400"),
        (b"GET", "400"),
        (b"GET /", "400"),
        (b"GET  / HTTP/1.1", "400"),
        (b"GET /  HTTP/1.1", "400"),
        (b"GET / HTTP/1.1 ", "400"),
        (b" GET / HTTP/1.1", "400"),
        (b"GET\t/ HTTP/1.1", "400"),
        (b"GET /\tHTTP/1.1", "400"),
        (b"GET /\x0bHTTP/1.1", "400"),
        (b"GET\xa0/ HTTP/1.1", "400"),
        (b"GET / http/1.1", "400"),
        (b"GET / HTTP/1", "400"),
        (b"GET / HTTP/1.", "400"),
        (b"GET / HTTP/1.11", "400"),
        (b"GET / HTTP/01.1", "400"),
        (b"GET / HTTP/+1.1", "400"),
        (b"GET / HTTP/1,1", "400"),
        (b"GET / HTTP /1.1", "400"),
        (b"GET / HTTP/\xb2.1", "400"),
        (b"GET / HTTP/1.1\x00", "400"),
        (b"GET / HTTP/1.1\r", "400"),
        (b"GET / HTTP/0.9", "505"),
        (b"GET / HTTP/2.0", "505"),
        (b"PRI * HTTP/2.0", "505"),
        (b"G(T / HTTP/1.1", "400"),
        (b"G:T / HTTP/1.1", "400"),
        (b"GE\xc9T / HTTP/1.1", "400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),
        (b"GET x HTTP/1.1", "400"),
        (b"GET ? HTTP/1.1", "400"),
        (b"GET a:80 HTTP/1.1", "400"),
        (b"GET * HTTP/1.1", "400"),
        (b"OPTIONS ** HTTP/1.1", "400"),
        (b"OPTIONS *?x HTTP/1.1", "400"),
        (b"GET /a#b HTTP/1.1", "400"),
        (b"GET http://a/#b HTTP/1.1", "400"),
        (b"GET /a b HTTP/1.1", "400"),
        (b"GET /\xc3\xa9 HTTP/1.1", "400"),
        (b"GET /a?\xe9 HTTP/1.1", "400"),
        (b"GET /\x00 HTTP/1.1", "400"),
        (b"GET /\x7f HTTP/1.1", "400"),
        (b"GET /a\rb HTTP/1.1", "400"),
        (b"GET /% HTTP/1.1", "400"),
        (b"GET /%2 HTTP/1.1", "400"),
        (b"GET /%zz HTTP/1.1", "400"),
        (b"GET /%2\xb2 HTTP/1.1", "400"),
        (b"GET /%+1 HTTP/1.1", "400"),
        (b"GET http://a/%zz HTTP/1.1", "400"),
        (b"GET http:// HTTP/1.1", "400"),
        (b"GET http:/// HTTP/1.1", "400"),
        (b"GET http:/a HTTP/1.1", "400"),
        (b"GET http://?x HTTP/1.1", "400"),
        (b"GET ftp://a/ HTTP/1.1", "400"),
        (b"GET a://a/ HTTP/1.1", "400"),
        (b"GET https://a/ HTTP/1.1", "400"),  # RFC 9110 §7.4: this connection is not secured
        (b"GET http://u@a/ HTTP/1.1", "400"),  # RFC 9110 §4.2.4: no userinfo
        (b"GET http://a@b/ HTTP/1.1", "400"),  # host "a" followed by a path would be fatal
        (b"GET http://a:b@a/ HTTP/1.1", "400"),
        (b"GET http://b/ HTTP/1.1", "400"),  # Host says a
        (b"GET http://a:80/ HTTP/1.1", "400"),
        (b"GET http://a\\b/ HTTP/1.1", "400"),
        (b"CONNECT a:80 HTTP/1.1", "501"),
        (b"CONNECT / HTTP/1.1", "501"),
    ],
)
def test_request_lines_that_are_refused(line: bytes, status: str) -> None:
    assert refusal(head(line)) == status


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        (b"X: y", b"x", b"y"),
        (b"X:y", b"x", b"y"),
        (b"X:", b"x", b""),
        (b"X: \t ", b"x", b""),
        (b"X: \t y \t", b"x", b"y"),
        (b"X: a b\tc", b"x", b"a b\tc"),
        (b"X: a:b", b"x", b"a:b"),
        (b"x-Y_z: 1", b"x-y_z", b"1"),
        (b"X: \xe9\xff\x80", b"x", b"\xe9\xff\x80"),
        (b"X: \xa0a\x85", b"x", b"\xa0a\x85"),  # strip() would eat them
        (b"!#$%&'*+-.^_`|~: 1", b"!#$%&'*+-.^_`|~", b"1"),
    ],
)
def test_fields_that_are_read(field: bytes, name: bytes, value: bytes) -> None:
    assert read(head(b"GET / HTTP/1.1", b"Host: a", field)).headers == [
        (b"host", b"a"),
        (name, value),
    ]


@pytest.mark.parametrize(
    "field",
    [
        b" X: folded",
        b"\tX: folded",
        b"X: a\r\n b",
        b"X : y",
        b"X\t: y",
        b" : y",
        b": y",
        b"X",
        b"X y",
        b"X y: z",
        b"X\x00: y",
        b"X(: y",
        b"X\xe9: y",
        b"X\x0b: y",
        b"X: a\x00b",
        b"X: a\x01b",
        b"X: a\x7fb",
        b"X: a\x0bb",
        b"X: a\rb",
        b"X: a\nY: b",
        b"X: a\r\rY: b",
        b"X: a\n",
        b"X: a\r",
        b"\rX: a",
        b"\x00",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_fields_that_are_refused(field: bytes, first: bool) -> None:
    fields = (field, b"Host: a") if first else (b"Host: a", field)
    assert refusal(head(b"GET / HTTP/1.1", *fields)) == "400"


@pytest.mark.parametrize(
    "data",
    [
        OK.replace(b"\r\n", b"\n"),
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\n",
        b"GET / HTTP/1.1\n",
        b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_a_bare_line_feed_ends_nothing(data: bytes) -> None:
    assert refusal(data) == "400"


@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_empty_lines_before_a_request_are_ignored(count: int) -> None:
    assert read(b"\r\n" * count + OK) == read(OK)


@pytest.mark.parametrize("cut", range(len(OK)))
def test_an_unfinished_head_is_waited_for(cut: int) -> None:
    buffer = bytearray(OK[:cut])
    assert take_head(buffer) is None
    assert buffer == OK[:cut]


def test_what_follows_the_head_stays() -> None:
    buffer = bytearray(OK + b"the next bytes\r\n\r\n")
    assert take_head(buffer) == read(OK)
    assert buffer == b"the next bytes\r\n\r\n"


HOSTS = [
    b"a",
    b"a:80",
    b"a:",
    b"A.Example",
    b"127.0.0.1:8000",
    b"[::1]",
    b"[::1]:80",
    b"xn--bcher-kva.example",
    b"a_b",
    b"a.",
]
BAD_HOSTS = [
    b"",
    b":80",
    b"a b",
    b"a/b",
    b"a?b",
    b"a#b",
    b"u@a",
    b"a:b",
    b"a:80:80",
    b"a:-1",
    b"a:+80",
    b"a:8 0",
    b"a:123456",
    b"a:\xb2",
    b"[::1",
    b"::1",
    b"[]",
    b"[a]b",
    b"a\\b",
    b"a\xe9",
    b"a\tb",
    b'"a"',
    b"http://a",
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("minor", [b"0", b"1"])
def test_hosts_that_are_read(host: bytes, minor: bytes) -> None:
    assert read(head(b"GET / HTTP/1." + minor, b"Host: " + host)).headers == [(b"host", host)]
    read(head(b"GET http://%b/ HTTP/1.%b" % (host, minor), b"Host: " + host))


@pytest.mark.parametrize("host", BAD_HOSTS)
@pytest.mark.parametrize("minor", [b"0", b"1"])
def test_hosts_that_are_refused(host: bytes, minor: bytes) -> None:
    assert refusal(head(b"GET / HTTP/1." + minor, b"Host: " + host)) == "400"


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (b"GET / HTTP/1.1", [b"X: no host"]),
        (b"GET http://a/ HTTP/1.1", [b"X: no host"]),
        (b"GET / HTTP/1.1", [b"Host: a", b"Host: a"]),
        (b"GET / HTTP/1.1", [b"Host: a", b"host: b"]),
        (b"GET / HTTP/1.1", [b"Host: a, b", b"X: y"]),
        (b"GET / HTTP/1.0", [b"Host: a", b"Host: a"]),
    ],
)
def test_one_host_exactly(line: bytes, fields: list[bytes]) -> None:
    assert refusal(head(line, *fields)) == "400"


def test_http_1_0_may_leave_the_host_out() -> None:
    assert read(b"GET / HTTP/1.0\r\n\r\n").headers == []
    assert read(head(b"GET http://a/ HTTP/1.0", b"X: y")).path == b"/"


@pytest.mark.parametrize(
    ("value", "length"), [(b"0", 0), (b"1", 1), (b"007", 7), (b" 5 ", 5), (b"9" * 18, 10**18 - 1)]
)
def test_lengths_that_are_read(value: bytes, length: int) -> None:
    fields = (b"Host: a", b"Content-Length:" + value)
    assert read(head(b"POST / HTTP/1.1", *fields)).length == length
    assert read(head(b"GET / HTTP/1.0", *fields)).length == length


@pytest.mark.parametrize(
    "value",
    [
        b"", b"+1", b"-1", b"-0", b"1_0", b"1 0", b"1,0", b"1, 1", b"1;1", b"0x1", b"1.0", b"1e1",
        b"a", b"\xb2", b"\xd9\xa1", b"\x0b1", b"1\x0b", b"\xa01", b"1\x85", b"1" * 19, b"9" * 5000,
        b'"1"', b"1\t1", b"chunked",
    ],
)  # fmt: skip
def test_lengths_that_are_refused(value: bytes) -> None:
    assert refusal(head(b"POST / HTTP/1.1", b"Host: a", b"Content-Length: " + value)) == "400"


@pytest.mark.parametrize("pair", [(b"5", b"5"), (b"5", b"6"), (b"0", b"0"), (b"", b"5")])
def test_a_repeated_length_is_refused(pair: tuple[bytes, bytes]) -> None:
    fields = [b"content-length: " + value for value in pair]
    assert refusal(head(b"POST / HTTP/1.1", b"Host: a", *fields)) == "400"


@pytest.mark.parametrize("value", [b"chunked", b"Chunked", b"CHUNKED", b"\t chunked "])
def test_chunked_is_read(value: bytes) -> None:
    request = read(head(b"POST / HTTP/1.1", b"Host: a", b"Transfer-Encoding:" + value))
    assert request.length is None


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([b""], "400"),
        ([b"identity"], "400"),
        ([b"gzip"], "400"),
        ([b"chunked, gzip"], "400"),
        ([b"chunked, identity"], "400"),
        ([b"chunked;q=1"], "400"),
        ([b"chunked,"], "400"),
        ([b'"chunked"'], "400"),
        ([b"chunke"], "400"),
        ([b"chunked\x0b"], "400"),
        ([b"chunked\xa0"], "400"),
        ([b"\x00chunked"], "400"),
        ([b"chunked", b"chunked"], "400"),
        ([b"chunked", b"identity"], "400"),
        ([b"identity", b"chunked"], "501"),
        ([b"gzip, chunked"], "501"),
        ([b"xchunked"], "501"),
        ([b"chunked, chunked"], "400"),
        ([b",chunked"], "501"),
        ([b"\x85chunked"], "501"),
    ],
)
def test_other_codings_are_refused(values: list[bytes], status: str) -> None:
    fields = [b"Transfer-Encoding: " + value for value in values]
    assert refusal(head(b"POST / HTTP/1.1", b"Host: a", *fields)) == status


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("length", [b"0", b"5"])
@pytest.mark.parametrize("coding", [b"chunked", b"identity", b"gzip, chunked"])
def test_both_framings_together_are_refused(order: int, length: bytes, coding: bytes) -> None:
    fields = [b"Content-Length: " + length, b"Transfer-Encoding: " + coding][::order]
    assert refusal(head(b"POST / HTTP/1.1", b"Host: a", *fields)) == "400"


def test_http_1_0_has_no_chunks() -> None:
    assert refusal(head(b"POST / HTTP/1.0", b"Transfer-Encoding: chunked")) == "400"


@pytest.mark.parametrize(
    ("minor", "values", "keep_alive"),
    [
        (b"1", [], True),
        (b"1", [b"close"], False),
        (b"1", [b"Close"], False),
        (b"1", [b"keep-alive"], True),
        (b"1", [b"keep-alive, close"], False),
        (b"1", [b"x,\tclose ,y"], False),
        (b"1", [b"closed"], True),
        (b"1", [b"x", b"close"], False),
        (b"1", [b""], True),
        (b"1", [b"\x85close"], True),
        (b"0", [], False),
        (b"0", [b"keep-alive"], True),
        (b"0", [b"Keep-Alive"], True),
        (b"0", [b"foo, Keep-Alive"], True),
        (b"0", [b"keep-alive, close"], False),
        (b"0", [b"foo"], False),
    ],
)
def test_connection_lists(minor: bytes, values: list[bytes], keep_alive: bool) -> None:
    fields = [b"Connection: " + value for value in values]
    assert read(head(b"GET / HTTP/1." + minor, b"Host: a", *fields)).keep_alive is keep_alive


@pytest.mark.parametrize(
    ("minor", "expect", "framing", "expects"),
    [
        (b"1", b"100-continue", b"Content-Length: 1", True),
        (b"1", b"100-Continue", b"Transfer-Encoding: chunked", True),
        (b"1", b"100-continue", b"Content-Length: 0", False),
        (b"1", b"100-continue", b"X: y", False),
        (b"0", b"100-continue", b"Content-Length: 1", False),
        (b"0", b"anything", b"Content-Length: 1", False),
    ],
)
def test_expect(minor: bytes, expect: bytes, framing: bytes, expects: bool) -> None:
    line = b"POST / HTTP/1." + minor
    request = read(head(line, b"Host: a", b"Expect: " + expect, framing))
    assert request.expects_continue is expects


@pytest.mark.parametrize("expect", [b"", b"200-ok", b"100-continue, x", b"100-continue; x=y"])
def test_other_expectations_are_refused(expect: bytes) -> None:
    assert refusal(head(b"POST / HTTP/1.1", b"Host: a", b"Expect: " + expect)) == "417"


def sized_line(size: int) -> bytes:
    return b"GET /" + b"a" * (size - len(b"GET / HTTP/1.1")) + b" HTTP/1.1"


def sized_head(size: int) -> bytes:
    start = head(sized_line(100), b"Host: a")[:-2]
    end = b"\r\n\r\n"
    return start + b"X: " + b"a" * (size - len(start) - 3 - len(end)) + end


def test_limits_are_exact() -> None:
    assert len(read(head(sized_line(http11.MAX_LINE))).path) == http11.MAX_LINE - 13
    assert refusal(head(sized_line(http11.MAX_LINE + 1))) == "414"
    assert len(sized_head(http11.MAX_HEAD)) == http11.MAX_HEAD
    read(sized_head(http11.MAX_HEAD))
    assert refusal(sized_head(http11.MAX_HEAD + 1)) == "431"
    fields = [b"Host: a", *[b"X: y"] * (http11.MAX_FIELDS - 1)]
    assert len(read(head(b"GET / HTTP/1.1", *fields)).headers) == http11.MAX_FIELDS
    assert refusal(head(b"GET / HTTP/1.1", *fields, b"X: y")) == "431"


@pytest.mark.parametrize(
    ("flood", "status", "bound"),
    [
        (b"A", "414", http11.MAX_LINE + 2),
        (OK[:-2] + b"A" * http11.MAX_HEAD, "431", http11.MAX_HEAD),
        (OK[:-2] + b"a:b\r\n" * http11.MAX_HEAD, "431", http11.MAX_HEAD),
    ],
)
def test_a_head_without_end_is_refused_early(flood: bytes, status: str, bound: int) -> None:
    data = (flood * (bound // len(flood) + 1))[:bound]
    buffer = bytearray()
    for index in range(0, bound - 1, 999):
        buffer[:] = data[:index]
        assert take_head(buffer) is None
    assert refusal(data) == status
