"""Clients that are too slow, against an ASGI server in this process whose patience is short."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from minimal_servers import asgi, protocol, tasks
from minimal_servers.http11 import CONTINUE
from tests.minimal_servers.serving import Client, eventually, request

Start = Callable[..., Any]


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Echo; "/large" answers with 50 MB, "/started" begins before it reads."""
    assert scope["type"] == "http"
    start = {"type": "http.response.start", "status": 200}
    if scope["path"] == "/started":
        await send(start)
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["path"] != "/started":
        await send(start)
    if scope["path"] == "/large":
        body = bytes(50_000_000)
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a server with some deadlines shortened to 0.2 seconds, the others being endless.

    Its port is returned; with ``sent``, a client who has said that before the server looks.
    """
    running: list[tuple[tasks.Server, threading.Thread]] = []

    def start(*short: str, sent: bytes = b"") -> Any:
        for name in ("HEAD_SECONDS", "IDLE_SECONDS", "SEND_SECONDS"):
            monkeypatch.setattr(protocol, name, 0.2 if name in short else 1000.0)
        monkeypatch.setattr(asgi, "BODY_SECONDS", 0.2 if "BODY_SECONDS" in short else 1000.0)
        monkeypatch.setattr(tasks, "TICK_SECONDS", 0.02)
        for module in (protocol, tasks):
            monkeypatch.setattr(module, "LINGER_SECONDS", 0.2)
        listener, ready = socket.create_server(("127.0.0.1", 0)), threading.Event()
        port = listener.getsockname()[1]
        client = Client(port).send(sent) if sent else None
        server = tasks.Server(listener, app, grace=5.0)
        thread = threading.Thread(target=asyncio.run, args=(server.run(ready.set),))
        thread.start()
        running.append((server, thread))
        assert ready.wait(30)
        return client or port

    yield start
    for server, thread in running:
        server.loop.call_soon_threadsafe(server.stop)
        thread.join(30)
        assert not thread.is_alive()
        assert not server.connections
        assert not server.tasks


def check_408(client: Client) -> None:
    reply = client.reply()
    assert (reply.status, reply.getheader("Connection")) == (408, "close")
    assert client.ended()


@pytest.mark.parametrize("data", [b"GET / HT", request()[:-1]])
@pytest.mark.parametrize("before", [False, True])
def test_a_head_that_does_not_go_on_gets_408(start: Start, data: bytes, before: bool) -> None:
    with start("HEAD_SECONDS", sent=request() if before else data) as client:
        if before:
            assert client.reply().status == 200
            client.send(data)
        check_408(client)


def test_a_head_has_one_deadline_however_often_something_comes(start: Start) -> None:
    with start("HEAD_SECONDS", sent=b"GET /") as client:
        over = threading.Event()

        def dribble() -> None:
            try:
                while not over.wait(0.03):
                    client.send(b"x")
            except OSError:
                pass

        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            assert client.reply().status == 408
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("field", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_go_on_gets_408(start: Start, field: str) -> None:
    with Client(start("BODY_SECONDS")) as client:
        client.send(request("/", field, "Expect: 100-continue"))
        assert client.reader.read(len(CONTINUE)) == CONTINUE
        client.send(b"4" if "5" in field else b"5\r\nhal")
        check_408(client)


def test_a_body_that_stops_after_the_start_looks_broken(start: Start) -> None:
    with Client(start("BODY_SECONDS")) as client:
        client.send(request("/started", "Content-Length: 5") + b"half")
        with pytest.raises(ConnectionResetError):
            client.rest()


def test_a_connection_that_never_says_anything_is_closed(start: Start) -> None:
    with Client(start("HEAD_SECONDS")) as client:
        assert client.ended()


def test_an_idle_connection_is_closed_without_a_word(start: Start) -> None:
    with Client(start("IDLE_SECONDS")) as client:
        assert client.get().status == 200
        assert client.ended()


def test_an_unsent_answer_is_not_idleness(start: Start) -> None:
    port = start("IDLE_SECONDS")
    with Client(port, receive_buffer=4096) as slow:
        slow.send(request("/large"))
        with Client(port) as idle:
            assert idle.get().status == 200
            assert idle.ended()  # idle for long enough to be closed
        assert len(slow.reply().body) == 50_000_000


def test_a_reader_that_does_not_read_is_dropped(start: Start) -> None:
    with Client(start("SEND_SECONDS"), receive_buffer=4096) as slow:
        slow.send(request("/large"))
        eventually(slow.was_reset, "still waited for")


class Pipe:
    """A transport that only remembers."""

    def __init__(self) -> None:
        self.unsent = 0
        self.closing = self.aborted = False

    def get_extra_info(self, _name: str) -> socket.socket:
        return socket.socket()

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def write(self, _data: bytes) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.aborted = True


def connection_on(pipe: Pipe) -> protocol.Connection:
    connection = protocol.Connection(None, ("127.0.0.1", 1))  # type: ignore[arg-type]
    connection.transport, connection.deadline = pipe, asgi.NEVER  # type: ignore[assignment]
    return connection


def test_patience_begins_anew_with_every_answer() -> None:
    """The same number of bytes may stay unsent by chance, long after the first time."""
    pipe = Pipe()
    connection = connection_on(pipe)
    for now, unsent in ((0.0, 500), (1.0, 0), (1000.0, 500), (1001.0, 500)):
        pipe.unsent = unsent
        connection.judge(now)
        assert not pipe.aborted
    connection.judge(1000.0 + protocol.SEND_SECONDS)
    assert pipe.aborted


def test_an_application_that_never_waits_learns_of_the_end() -> None:
    """``connection_lost`` would come in a later round of the loop."""
    pipe = Pipe()
    connection = connection_on(pipe)
    connection.transmit(b"x", True)
    assert not connection.gone
    pipe.closing = True
    connection.transmit(b"x", True)
    assert connection.gone
