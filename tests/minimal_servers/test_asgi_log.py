"""What the log has to say of applications and clients that misbehave: one thing, once."""

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.minimal_servers.client_frames import closing, masked
from tests.minimal_servers.serving import Process, eventually, request, serving
from tests.minimal_servers.test_websocket_sockets import close_code, opened

OF_TRACEBACKS = r"Traceback|The above|During|\s|[\w.]+(Error|Exit|Interrupt|Gone)\b|$"
RECORD = re.compile(rf"^(?!{OF_TRACEBACKS}).+$", re.MULTILINE)
LOOPS = ["asyncio", "uvloop"]


@pytest.fixture(scope="module", params=LOOPS)
def http(request: pytest.FixtureRequest) -> Iterator[Process]:
    with serving("asgi_app:app", "--loop", request.param, interface="asgi") as server:
        yield server


@pytest.fixture(scope="module", params=LOOPS)
def sockets(request: pytest.FixtureRequest) -> Iterator[Process]:
    with serving("websocket_app:app", "--loop", request.param, interface="asgi") as server:
        yield server


def records(log: str) -> list[str]:
    """The messages, without what belongs to their tracebacks."""
    return [match[0] for match in RECORD.finditer(log)]


FAILED = "the application failed"
SILENT = "the application returned without completing its response"
APPLICATIONS = {
    "/say/bad-str": FAILED,
    "/say/bad-headers": FAILED,
    "/say/bad-status-none": FAILED,
    "/say/bad-body-none": FAILED,
    "/say/long": "the body is longer than its Content-Length of 4: cut",
    "/say/short": "the body ended after 5 of 9 bytes: closing",
    "/broken/call": FAILED,
    "/broken/exit": FAILED,
    "/broken/silent": SILENT,
    "/broken/started": FAILED,
    "/broken/started-silent": SILENT,
    "/broken/middle": FAILED,
    "/broken/exit-middle": FAILED,
    "/broken/returns": SILENT,
    "/broken/middle-length": FAILED,
    "/broken/returns-length": SILENT,
}


@pytest.mark.parametrize("path", APPLICATIONS)
def test_an_application_that_misbehaves_is_told_once(http: Process, path: str) -> None:
    before = len(http.log())
    with http.client() as client:
        client.send(request(path, "Connection: close"))
        with suppress(ConnectionResetError):  # so it looks broken, as it should
            assert client.rest().startswith(b"HTTP/1.1 ")
    eventually(lambda: records(http.log()[before:]), "not a word")
    assert http.get("/hello").body == b"hello"
    assert records(http.log()[before:]) == [APPLICATIONS[path]]


@pytest.mark.parametrize(("path", "told"), [("/raises", [FAILED]), ("/returns", [])])
def test_an_application_that_leaves_a_websocket(
    sockets: Process, path: str, told: list[str]
) -> None:
    before = len(sockets.log())
    with opened(sockets, path) as client:
        code = close_code(client)
        client.send(closing(code))
        assert client.ended()
    assert sockets.get("/").status == 200
    assert records(sockets.log()[before:]) == told


@pytest.mark.parametrize("path", ["/raises_first", "/returns_first"])
def test_an_application_that_never_accepts(sockets: Process, path: str) -> None:
    before = len(sockets.log())
    fields = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    with sockets.client() as client:
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        client.send(request(path, *fields, key))
        assert client.rest().startswith(b"HTTP/1.1 500 ")
    told = FAILED if "raises" in path else SILENT
    assert records(sockets.log()[before:]) == [told]


CLIENTS = {
    "nonsense": b"nonsense\r\n\r\n",
    "a long target": b"GET /" + b"a" * 1_000_000,
    "many fields": request("/", *["X: y"] * 101),
    "a bad chunk": request("/echo", "Transfer-Encoding: chunked") + b"zz\r\n",
    "half a head": b"GET / HT",
    "half a body": request("/echo", "Content-Length: 10") + b"half",
    "half an answer": request("/flood?halfway"),
}


@pytest.mark.parametrize("what", CLIENTS)
def test_a_client_that_misbehaves_fills_no_log(http: Process, what: str) -> None:
    """It is told itself, with a status, and so is the log. Who only leaves is not worth a line."""
    before = len(http.log())
    with http.client() as client:
        client.send(CLIENTS[what])
        if "half" not in what:
            assert client.sock.recv(9) == b"HTTP/1.1 "
        client.reset()
    for _ in range(3):
        assert http.get("/hello").body == b"hello"
    told = http.log()[before:].splitlines()
    assert ["is refused: 4" in line for line in told] == ([] if "half" in what else [True])


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (masked(3), 1002),
        (masked(2, announced=2**62), 1009),
        (masked(1, b"\xff"), 1007),
        (masked(1, b"abc")[:-1], None),
        (masked(1, b"a", final=False), None),
    ],
)
def test_frames_that_break_the_rules_fill_no_log(
    sockets: Process, sent: bytes, code: int | None
) -> None:
    before = len(sockets.log())
    with opened(sockets, "/echo", sent) as client:
        if code:
            assert close_code(client) == code
        client.reset()
    for _ in range(3):
        assert sockets.get("/").status == 200
    told = sockets.log()[before:].splitlines()
    assert [f"is closed with {code}: " in line for line in told] == ([True] if code else [])
