"""WebSockets through the real server: raw bytes, and the client of another library."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from minimal_servers.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_frame
from tests.minimal_servers.client_frames import closing, masked
from tests.minimal_servers.serving import PATIENCE, Client, Process, eventually, request, serving

APP = "websocket_app:app"
FIELDS = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def server(request: pytest.FixtureRequest) -> Iterator[Process]:
    with serving(APP, "--loop", request.param, "--grace", "2", interface="asgi") as server:
        yield server
        assert "Task was destroyed" not in server.log()


def opened(server: Process, path: str = "/echo", more: bytes = b"", *fields: str) -> Client:
    """A connection after its handshake; ``more`` travels in the same packet."""
    client = server.client()
    client.send(request(path, *FIELDS, *fields) + more)
    assert client.reader.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
    while client.reader.readline() != b"\r\n":
        pass
    return client


def take(client: Client) -> tuple[int, bytes]:
    """(opcode, payload) of the next frame, which must be whole and not masked."""
    start, length = client.reader.read(2)
    assert start & 0xF0 == 0x80
    assert length < 0x80
    if length >= 126:
        length = int.from_bytes(client.reader.read(2 if length == 126 else 8), "big")
    return start & 0x0F, client.reader.read(length)


def close_code(client: Client) -> int:
    opcode, payload = take(client)
    assert opcode == CLOSE
    return int.from_bytes(payload[:2], "big") if payload else 1005


def told(server: Process, name: str) -> list:
    """What the application noted under ``name``, once it has ended."""
    state = lambda: json.loads(server.get("/").body)["seen"].get(name, [])  # noqa: E731
    eventually(lambda: "end" in state(), f"the application did not end: {state()}")
    return state()[:-1]


def talking(server: Process, path: str, **options: object) -> ClientConnection:
    url = f"ws://127.0.0.1:{server.port}{path}"
    return connect(url, proxy=None, compression=None, **options)  # type: ignore[arg-type]


# --- the handshake -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (FIELDS[:3], b"426"),
        ((*FIELDS[:3], "Sec-WebSocket-Version: 8"), b"426"),
        ((*FIELDS[:2], FIELDS[3]), b"400"),
        ((*FIELDS[:2], "Sec-WebSocket-Key: short", FIELDS[3]), b"400"),
        ((*FIELDS, "Content-Length: 1"), b"400"),
        ((*FIELDS, "Sec-WebSocket-Protocol: a b"), b"400"),
    ],
)
def test_bad_handshakes(server: Process, fields: tuple[str, ...], status: bytes) -> None:
    with server.client() as client:
        answer = client.send(request("/echo", *fields)).rest()
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert (b"sec-websocket-version: 13\r\n" in answer.lower()) == (status == b"426")


def test_subprotocol_and_fields(server: Process) -> None:
    offered = [Subprotocol("a"), Subprotocol("b")]
    with talking(server, "/subprotocol?sub", subprotocols=offered) as client:
        assert client.subprotocol == "b"
        assert client.response is not None
        assert client.response.headers["X-Extra"] == "1"
        assert client.response.headers["Set-Cookie"] == "a=b"
    assert told(server, "sub")[0] == ["a", "b"]


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/reject", 403, b"Forbidden\n"),
        ("/deny", 401, b"go away"),
        ("/raises_first", 500, None),
        ("/returns_first", 500, None),
    ],
)
def test_never_accepted(server: Process, path: str, status: int, body: bytes | None) -> None:
    with pytest.raises(InvalidStatus) as caught:
        talking(server, path)
    assert caught.value.response.status_code == status
    assert body is None or caught.value.response.body == body


def test_frames_in_the_packet_of_the_handshake(server: Process) -> None:
    with opened(server, "/echo?early", masked(TEXT, b"early") + masked(PING)) as client:
        assert sorted([take(client), take(client)]) == [(TEXT, b"early"), (PONG, b"")]
        client.send(closing(1000))
        assert close_code(client) == 1000
        assert client.ended()
    assert told(server, "early") == [[1000, None]]


def test_a_message_and_a_close_at_once(server: Process) -> None:
    """The close is answered at once (§5.5.1); the message is still read, its echo has no way."""
    with opened(server, "/echo?hasty", masked(TEXT, b"last") + closing(1000)) as client:
        assert close_code(client) == 1000
        assert client.ended()
    assert told(server, "hasty") == ["ClientGone"]


# --- messages ------------------------------------------------------------------------------------


def test_echo(server: Process) -> None:
    with talking(server, "/echo?plain") as client:
        for message in ["", "κόσμε 😀", b"", bytes(range(256)), "a" * 70_000, bytes(1_000_000)]:
            client.send(message)
            assert client.recv(timeout=PATIENCE) == message
        client.send(["frag", "", "ments"])
        assert client.recv(timeout=PATIENCE) == "fragments"
        assert client.ping("x").wait(PATIENCE)
    assert told(server, "plain") == [[1000, None]]


def test_pings_between_fragments_are_answered_first(server: Process) -> None:
    with opened(server) as client:
        client.send(masked(TEXT, b"a", False) + masked(PING, b"1") + masked(PONG, b"x"))
        assert take(client) == (PONG, b"1")
        client.send(masked(CONTINUATION, b"b"))
        assert take(client) == (TEXT, b"ab")


def test_every_byte_alone(server: Process) -> None:
    with opened(server) as client:
        for byte in masked(TEXT, "€".encode()) + masked(BINARY, b"b"):
            client.send(bytes([byte]))
        assert [take(client), take(client)] == [(TEXT, "€".encode()), (BINARY, b"b")]


def test_pings_are_answered_while_the_application_is_busy(server: Process) -> None:
    with opened(server, "/deaf", masked(PING, b"1")) as client:
        assert take(client) == (PONG, b"1")
        client.send(closing(1000))
        assert close_code(client) == 1000
        assert client.ended()


# --- the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "echoed", "noted"),
    [
        (closing(1000, b"bye"), 1000, [1000, "bye"]),
        (closing(4000), 4000, [4000, None]),
        (masked(CLOSE), 1005, [1005, None]),
    ],
)
def test_the_client_closes(server: Process, sent: bytes, echoed: int, noted: list) -> None:
    name = f"close{echoed}"
    with opened(server, f"/echo?{name}") as client:
        client.send(sent)
        assert close_code(client) == echoed
        assert client.ended()
    assert told(server, name) == [noted]


def test_the_application_closes(server: Process) -> None:
    with opened(server, "/close?closes") as client:
        assert take(client) == (CLOSE, close_frame(4321, "enough")[2:])
        client.send(masked(TEXT, b"crossing") + closing(4321))
        assert client.ended()
    assert told(server, "closes") == ["RuntimeError", 4321]


@pytest.mark.parametrize(("path", "code"), [("/returns", 1000), ("/raises", 1011)])
def test_the_application_ends(server: Process, path: str, code: int) -> None:
    with opened(server, path) as client:
        assert close_code(client) == code
        client.send(closing(code))
        assert client.ended()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (masked(TEXT, b"a", key=None), 1002),
        (masked(TEXT, b"a", reserved=4), 1002),
        (masked(3, b"a"), 1002),
        (masked(PING, b"a", False), 1002),
        (masked(CONTINUATION, b"a"), 1002),
        (masked(TEXT, b"a", size=2), 1002),
        (closing(1005), 1002),
        (masked(TEXT, b"\xff"), 1007),
        (masked(TEXT, b"a\xffb")[:-1], 1007),
        (masked(BINARY, announced=16 * 1024 * 1024 + 1), 1009),
        (masked(BINARY, announced=2**62), 1009),
    ],
)
def test_broken_rules_are_named(server: Process, wrong: bytes, code: int) -> None:
    name = f"broken{wrong[:12].hex()}"
    with opened(server, f"/echo?{name}", wrong) as client:
        assert close_code(client) == code
        assert client.ended()
    assert told(server, name)[0][0] == code


def test_an_abnormal_end_is_1006(server: Process) -> None:
    opened(server, "/echo?fin").__exit__()
    assert told(server, "fin") == [[1006, None]]
    opened(server, "/echo?half", masked(TEXT, b"abc")[:-1]).__exit__()
    assert told(server, "half") == [[1006, None]]
    opened(server, "/echo?rst").reset()
    assert told(server, "rst") == [[1006, None]]


def test_wrong_messages_raise_into_the_application(server: Process) -> None:
    with opened(server, "/wrong?wrong") as client:
        assert take(client) == (TEXT, b"still here")
    assert told(server, "wrong") == ["RuntimeError"] * 6 + ["ValueError"] * 5


# --- backpressure, shutdown, leaks ---------------------------------------------------------------


def flooded(server: Process, name: str) -> int:
    """Blocks of 64 KiB that the application has sent, once that number stands still."""
    counts = [-1]

    def still() -> bool:
        notes = json.loads(server.get("/").body)["seen"].get(name, [0])
        counts.append(notes[0])
        return len(counts) > 20 and len(set(counts[-20:])) == 1 and counts[-1] > 0

    eventually(still, "the application never stops")
    return counts[-1]


def test_a_slow_reader_stops_the_application(server: Process) -> None:
    with server.client(receive_buffer=8192) as client:
        client.send(request("/flood?flood", *FIELDS))
        assert flooded(server, "flood") < 512  # half of it would be 32 MiB
        client.reset()
    told(server, "flood")


def test_a_slow_application_stops_the_client(server: Process) -> None:
    with opened(server, "/deaf") as client:
        client.sock.settimeout(1.0)
        block = masked(BINARY, bytes(60_000), key=bytes(4))
        with pytest.raises(socket.timeout):
            client.sock.sendall(block * 1100)  # 64 MiB
        client.reset()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_two_hundred_come_and_go_and_nothing_is_left(loop: str) -> None:
    with serving(APP, "--loop", loop, interface="asgi") as server, ExitStack() as stack:
        with opened(server) as client:  # whatever is made once is made now
            client.send(closing(1000))
            assert close_code(client) == 1000
        eventually(lambda: alive(server)[0] == 2, "more than the server and this request")
        before = alive(server)
        clients = [stack.enter_context(opened(server)) for _ in range(200)]
        for client in clients:
            client.send(masked(TEXT, b"hello"))
        assert [take(client) for client in clients] == [(TEXT, b"hello")] * 200
        assert alive(server) == (before[0] + 200, before[1] + 200)
        halves = [b"", masked(TEXT, b"abc")[:-1], masked(TEXT, b"a", final=False), b"\x81"]
        leave = [lambda c: c.send(closing(1000)), Client.reset, Client.__exit__]
        for number, client in enumerate(clients):
            client.send(halves[number % 4] if number % 3 else b"")
            leave[number % 3](client)
        for number in range(20):  # in the middle of the handshake, and before its answer
            client = server.client().send(request("/echo", *FIELDS)[: -2 * (number % 2) or None])
            leave[1 + number // 2 % 2](client)
        eventually(lambda: alive(server) == before, f"left: {alive(server)}, before: {before}")


def alive(server: Process) -> tuple[int, int]:
    """(tasks, open files) in the server process."""
    known = json.loads(server.get("/").body)
    return known["tasks"], known["files"]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_sigterm_closes_with_1012(loop: str) -> None:
    with serving(APP, "--loop", loop, interface="asgi") as server, ExitStack() as stack:
        clients = [stack.enter_context(opened(server)) for _ in range(3)]
        server.send(signal.SIGTERM)
        for client in clients:
            assert close_code(client) == 1012
            client.send(closing(1012))
            assert client.ended()
        assert server.popen.wait(PATIENCE) == 0
        assert not re.search("Traceback", server.log()), server.log()


def test_the_python_client_sees_1012() -> None:
    with serving(APP, interface="asgi") as server, talking(server, "/echo") as client:
        server.send(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=PATIENCE)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1012
