"""WebSocket clients that fall silent, against a server in this process whose clock is ours."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop

from minimal_servers import protocol, session, tasks
from minimal_servers.websocket import PING, PONG, TEXT
from tests.minimal_servers.client_frames import closing, masked
from tests.minimal_servers.serving import Client, eventually
from tests.minimal_servers.test_websocket_sockets import close_code, opened, take


class House:
    """An echo server in a thread. ``codes`` are those that its application was told.

    "/deaf" receives nothing before ``heed`` is set, "/close" closes with 4000.
    """

    def __init__(self, new_loop: Any) -> None:
        self.codes: list[int] = []
        self.heed = threading.Event()
        self.now = 0.0  # seconds; its clock stands still unless a test moves it
        listener, ready = socket.create_server(("127.0.0.1", 0)), threading.Event()
        self.port = listener.getsockname()[1]
        self.server = tasks.Server(listener, self.app, grace=5.0)

        def serve() -> None:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(self.server.run(ready.set))

        self.thread = threading.Thread(target=serve)
        self.thread.start()
        assert ready.wait(30)

    def client(self) -> Client:
        return Client(self.port)

    def stop(self) -> None:
        self.server.loop.call_soon_threadsafe(self.server.stop)
        self.thread.join(30)
        assert not self.thread.is_alive()
        assert not self.server.connections
        assert not self.server.tasks

    def connection(self) -> protocol.Connection:
        [connection] = self.server.connections
        return connection

    def session(self) -> session.Session:
        exchange = self.connection().exchange
        assert isinstance(exchange, session.Session)
        return exchange

    def later(self, seconds: float) -> None:
        """Move its clock, as soon as it has decided until when to wait."""
        eventually(lambda: self.connection().deadline > self.now, "it does not look at its clock")
        self.now += seconds

    def told(self, *codes: int) -> None:
        eventually(lambda: self.codes == list(codes), f"the application was told {self.codes}")

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept"})
        while scope["path"] == "/deaf" and not self.heed.is_set():
            await asyncio.sleep(0.01)
        if scope["path"] == "/close":
            await send({"type": "websocket.close", "code": 4000})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        self.codes.append(message["code"])


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(tasks, "TICK_SECONDS", 0.02)
    house = House(request.param)
    clock = SimpleNamespace(monotonic=lambda: house.now)
    for module in (protocol, tasks):
        monkeypatch.setattr(module, "time", clock)
    yield house
    house.stop()


def gone(client: Client) -> bool:
    """Whether the server ends the connection, without a close frame."""
    try:
        return client.reader.read(1) == b""
    except ConnectionResetError:
        return True


def test_who_is_silent_is_pinged_and_gone_if_it_stays_so(server: House) -> None:
    with opened(server) as client:
        server.later(session.PING_SECONDS)
        assert take(client) == (PING, b"")
        server.later(session.PING_SECONDS)
        assert gone(client)
    server.told(1006)


WORDS = {
    "pong": masked(PONG),
    "text": masked(TEXT, b"x"),
    "ping": masked(PING),
    "one byte": b"\x81",
}


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_whoever_says_anything_lives(server: House, word: bytes) -> None:
    with opened(server) as client:
        for byte in masked(TEXT, b"yes"):
            server.later(session.PING_SECONDS)
            while take(client) != (PING, b""):
                pass  # the answer to the last word
            eventually(lambda: server.session().pinged, "it is not waited for")
            client.send(word if len(word) > 1 else bytes([byte]))
            eventually(lambda: not server.session().pinged, "it is not heard")
        client.send(masked(TEXT, b"end"))
        while take(client) != (TEXT, b"end"):
            pass
        client.send(closing(1000))
        assert close_code(client) == 1000
        assert client.ended()
    server.told(1000)


def test_who_is_not_listened_to_is_not_gone(server: House) -> None:
    """Its pongs wait behind what the application does not take."""
    much = b"a" * (session.MAX_INBOX + 1)
    with opened(server, "/deaf") as client:
        client.send(masked(TEXT, much))
        eventually(lambda: server.session().size == len(much), "it has not arrived")
        for _ in range(4):
            server.later(session.PING_SECONDS)
            assert take(client) == (PING, b"")  # nobody answers them
        server.heed.set()
        assert take(client) == (TEXT, much)
        client.send(closing(1000))
        assert close_code(client) == 1000
    server.told(1000)


def test_who_speaks_is_not_pinged(server: House) -> None:
    with opened(server) as client:
        for number in range(5):
            server.later(session.PING_SECONDS / 2)
            client.send(masked(TEXT, b"%d" % number))
            assert take(client) == (TEXT, b"%d" % number)
        client.send(closing(1000))
        assert close_code(client) == 1000


@pytest.mark.parametrize("word", [b"", masked(TEXT, b"what?"), masked(PING), b"\x81"])
def test_who_never_says_close_is_not_waited_for(server: House, word: bytes) -> None:
    with opened(server, "/close") as client:
        assert close_code(client) == 4000
        for _ in range(4):
            if word:
                client.send(word)
            server.later(session.CLOSE_SECONDS / 4)
        assert gone(client)
    server.told(4000)
