"""The opening handshake, byte for byte (RFC 6455 §4): who is let in, and with which words."""

import base64
import email.parser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.datastructures import Headers
from websockets.http11 import Request as TheirRequest
from websockets.server import ServerProtocol
from websockets.utils import accept_key

from minimal_servers import http11
from minimal_servers.http11 import BadRequest, Request
from minimal_servers.websocket import Handshake, accept_head, check_handshake, wants_websocket

settings.register_profile("server", deadline=None, max_examples=150, derandomize=True)
settings.load_profile("server")

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of the RFC, §1.3
FIELDS = {
    "Host": "h",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


def wire(line: str = "GET /ws?x=1 HTTP/1.1", **changed: str | list[str] | None) -> bytes:
    """A handshake; ``Sec_WebSocket_Key=None`` leaves a field out, a list repeats it."""
    fields: dict[str, str | list[str] | None] = {**FIELDS}
    fields |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [line]
    for name, value in fields.items():
        values = [] if value is None else [value] if isinstance(value, str) else value
        lines += [f"{name}: {value}" for value in values]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def asked(data: bytes) -> Request:
    request = http11.take_head(bytearray(data))
    assert request is not None
    return request


def refusal(data: bytes) -> str:
    request = asked(data)
    assert wants_websocket(request)
    with pytest.raises(BadRequest) as caught:
        check_handshake(request)
    assert str(caught.value)
    return caught.value.status


# --- who wants a WebSocket -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"Upgrade": "WebSocket"},
        {"Upgrade": "WEBSOCKET"},
        {"Upgrade": "h2c, websocket"},
        {"Upgrade": ["h2c", "websocket"]},
        {"Connection": "upgrade"},
        {"Connection": "keep-alive, Upgrade"},  # Firefox
        {"Connection": "keep-alive ,\tUPGRADE , x"},
        {"Connection": ["keep-alive", "Upgrade"]},
        {"Origin": "http://elsewhere"},
        {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"},
    ],
    ids=str,
)
def test_handshakes_that_are_read(changed: dict) -> None:
    request = asked(wire(**changed))
    assert wants_websocket(request)
    assert check_handshake(request) == Handshake(KEY.encode(), [])


@pytest.mark.parametrize(
    "data",
    [
        wire("POST / HTTP/1.1"),
        wire("HEAD / HTTP/1.1"),
        wire("get / HTTP/1.1"),
        wire("GET / HTTP/1.0"),
        wire(Upgrade=None),
        wire(Upgrade=""),
        wire(Upgrade="h2c"),
        wire(Upgrade="websocket/13"),
        wire(Upgrade="websockets"),
        wire(Upgrade='"websocket"'),
        wire(Upgrade="web socket"),
        wire(Connection=None),
        wire(Connection="keep-alive"),
        wire(Connection="close"),
        wire(Connection="upgrades"),
        wire(Connection="keep-alive; upgrade"),
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
)
def test_requests_like_any_other(data: bytes) -> None:
    assert wants_websocket(asked(data)) is False


def test_one_that_is_broken_still_wants_one() -> None:
    """It is told what is wrong, instead of reaching an HTTP application."""
    assert wants_websocket(asked(wire(Sec_WebSocket_Key=None, Sec_WebSocket_Version="8")))


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "version", [None, "", "0", "8", "12", "14", "013", "+13", "13.0", "13, 8", ["13", "13"], "²"]
)
def test_there_is_one_version(version: str | list[str] | None) -> None:
    assert refusal(wire(Sec_WebSocket_Version=version)) == "426 Upgrade Required"


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZQ==x",
        "dGhlIHNhbXBsZSBub25j",  # 15 bytes
        "dGhlIHNhbXBsZSBub25jZXM=",  # 17
        "dGhlIHNhbXBsZSBub25jZXMx",  # 18
        "dGhlIHNhbXBsZSBub2 jZQ==",
        "dGhlIHNhbXBsZSBub2-_ZQ==",  # the alphabet of URLs
        "dGhlIHNhbXBsZSBub2\xe9jZQ==",
        f"{KEY}, {KEY}",
        [KEY, KEY],
        [KEY, "x"],
    ],
)
def test_a_key_is_16_bytes(key: str | list[str] | None) -> None:
    assert refusal(wire(Sec_WebSocket_Key=key)) == "400 Bad Request"


@pytest.mark.parametrize("changed", [{"Content_Length": "3"}, {"Transfer_Encoding": "chunked"}])
def test_there_is_no_body(changed: dict) -> None:
    assert refusal(wire(**changed)) == "400 Bad Request"
    assert check_handshake(asked(wire(Content_Length="0")))


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("chat", ["chat"]),
        ("chat, superchat", ["chat", "superchat"]),
        ("b,a", ["b", "a"]),
        (["b", "a, c"], ["b", "a", "c"]),
        (" chat\t,  v2.chat ", ["chat", "v2.chat"]),
        ("Chat, chat", ["Chat", "chat"]),  # case counts
        ("!#$%&'*+-.^_`|~", ["!#$%&'*+-.^_`|~"]),
    ],
)
def test_subprotocols_in_order(field: str | list[str], names: list[str]) -> None:
    assert check_handshake(asked(wire(Sec_WebSocket_Protocol=field))).subprotocols == names


@pytest.mark.parametrize(
    "field",
    ["", ",", "chat,", "a, , b", "a b", "a;b", '"a"', "a/b", "caf\xe9", "a, a", ["a", "a"], "a\tb"],
)
def test_subprotocols_that_are_none(field: str | list[str]) -> None:
    assert refusal(wire(Sec_WebSocket_Protocol=field)) == "400 Bad Request"


# --- the answer ----------------------------------------------------------------------------------


def answer(head: bytes) -> tuple[str, list[tuple[str, str]]]:
    """(status line, fields) as a mail parser reads them."""
    line, _, block = head.decode("latin-1").partition("\r\n")
    assert block.endswith("\r\n\r\n")
    assert block.count("\r\n\r\n") == 1
    return line, email.parser.HeaderParser().parsestr(block).items()


OWN = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),  # of the RFC, §1.3
]


def test_the_example_of_the_rfc() -> None:
    assert answer(accept_head(KEY.encode(), None, [])) == ("HTTP/1.1 101 Switching Protocols", OWN)


def test_a_subprotocol_and_fields_of_the_application() -> None:
    fields = [(b"set-cookie", b"a=b"), (b"set-cookie", b"c=d"), (b"X-Empty", b"")]
    line, sent = answer(accept_head(KEY.encode(), "chat", iter(fields)))
    assert line == "HTTP/1.1 101 Switching Protocols"
    assert sent == [
        *OWN,
        ("Sec-WebSocket-Protocol", "chat"),
        ("set-cookie", "a=b"),
        ("set-cookie", "c=d"),
        ("X-Empty", ""),
    ]


@pytest.mark.parametrize("subprotocol", ["", "a b", "a,b", "a\r\nX: y", "caf\xe9", "\ud800", " a"])
def test_subprotocols_that_cannot_be_sent(subprotocol: str) -> None:
    with pytest.raises(ValueError, match=r"subprotocol|surrogates"):
        accept_head(KEY.encode(), subprotocol, [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"", b"a"),
        (b"a b", b"c"),
        (b"a:", b"c"),
        (b"a\r\nb", b"c"),
        (b"a", b"c\r\nd: e"),
        (b"a", b"c\nd"),
        (b"a", b"\x00"),
        (b"a", b"\t"),
        (b"caf\xe9", b"c"),
    ],
)
def test_fields_that_would_split_the_answer(name: bytes, value: bytes) -> None:
    with pytest.raises(ValueError, match="illegal header field"):
        accept_head(KEY.encode(), None, [(name, value)])


@pytest.mark.parametrize(
    "name",
    [
        b"upgrade",
        b"Connection",
        b"sec-websocket-accept",
        b"Sec-WebSocket-Accept",
        b"sec-websocket-protocol",
        b"sec-websocket-extensions",
        b"content-length",
        b"Transfer-Encoding",
    ],
)
def test_fields_that_are_the_handshakes_own(name: bytes) -> None:
    with pytest.raises(ValueError, match="own"):
        accept_head(KEY.encode(), None, [(b"x", b"y"), (name, b"0")])


@given(st.binary(min_size=16, max_size=16))
def test_the_accept_of_any_key(raw: bytes) -> None:
    key = base64.b64encode(raw)
    request = asked(wire(Sec_WebSocket_Key=key.decode()))
    assert check_handshake(request).key == key
    _, fields = answer(accept_head(key, None, []))
    assert ("Sec-WebSocket-Accept", accept_key(key.decode())) in fields


# --- the same bytes to another library -----------------------------------------------------------

ORDINARY = "ordinary request"  # it reaches the HTTP application


def ours(data: bytes) -> str:
    request = asked(data)
    if not wants_websocket(request):
        return ORDINARY
    try:
        handshake = check_handshake(request)
    except BadRequest as error:
        return error.status[:3]
    return f"101 {answer(accept_head(handshake.key, None, []))[1][2][1]}"


def theirs(data: bytes) -> str:
    protocol = ServerProtocol(max_size=None)
    protocol.receive_data(data)
    found = protocol.events_received()
    if not found:
        return "400"  # could not be read at all
    assert isinstance(found[0], TheirRequest)
    response = protocol.accept(found[0])
    accept: Headers = response.headers
    return f"{response.status_code} {accept.get('Sec-WebSocket-Accept', '')}".strip()


PARITY = {
    "plain": wire(),
    "upper case": wire(Upgrade="WEBSOCKET", Connection="UPGRADE"),
    "keep-alive, Upgrade": wire(Connection="keep-alive, Upgrade"),
    "two Connection fields": wire(Connection=["keep-alive", "Upgrade"]),
    "subprotocols": wire(Sec_WebSocket_Protocol="a, b"),
    "extensions": wire(Sec_WebSocket_Extensions="permessage-deflate"),
    "another key": wire(Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAA=="),
    "key with loose last bits": wire(Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAB=="),
    "no key": wire(Sec_WebSocket_Key=None),
    "short key": wire(Sec_WebSocket_Key="AAAA"),
    "two keys": wire(Sec_WebSocket_Key=[KEY, KEY]),
    # see DIFFERENT
    "version 8": wire(Sec_WebSocket_Version="8"),
    "no version": wire(Sec_WebSocket_Version=None),
    "two versions": wire(Sec_WebSocket_Version=["13", "13"]),
    "no upgrade": wire(Upgrade=None),
    "upgrade to h2c": wire(Upgrade="h2c"),
    "h2c or websocket": wire(Upgrade="h2c, websocket"),
    "no connection": wire(Connection=None),
    "post": wire("POST / HTTP/1.1"),
    "body": wire(Content_Length="1") + b"a",
    "subprotocol twice": wire(Sec_WebSocket_Protocol="a, a"),
    "empty subprotocol": wire(Sec_WebSocket_Protocol="a, , b"),
}
ACCEPTED = "101 s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
APPLICATION = "a server for HTTP as well: the application answers what asks for no WebSocket"
# our verdict, theirs, and why
DIFFERENT = {
    "version 8": ("426", "400", "§4.2.2: 426 tells the client which version to try"),
    "no version": ("426", "400", "§4.2.2: 426 tells the client which version to try"),
    "two versions": ("426", "400", "§4.2.2: 426 tells the client which version to try"),
    "no upgrade": (ORDINARY, "426", APPLICATION),
    "upgrade to h2c": (ORDINARY, "426", APPLICATION),
    "no connection": (ORDINARY, "426", APPLICATION),
    "post": (ORDINARY, "405", APPLICATION),
    "h2c or websocket": (ACCEPTED, "426", "RFC 9110 §7.8: the client lists what it can do"),
    "subprotocol twice": ("400", ACCEPTED, "§4.1: the elements must be unique"),
    "empty subprotocol": ("400", ACCEPTED, "§4.1: the elements must not be empty"),
}


@pytest.mark.parametrize("name", [name for name in PARITY if name not in DIFFERENT])
def test_the_same_verdict_as_websockets(name: str) -> None:
    """Written against websockets 17.4."""
    assert ours(PARITY[name]) == theirs(PARITY[name])


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_differences_are_still_there(name: str) -> None:
    verdict, other, reason = DIFFERENT[name]
    assert reason
    assert (ours(PARITY[name]), theirs(PARITY[name])) == (verdict, other)
