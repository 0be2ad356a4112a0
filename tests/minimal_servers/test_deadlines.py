"""Clients that are too slow, against a server in this process whose patience is short."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from minimal_servers import connection, threads
from minimal_servers.http11 import CONTINUE
from tests.minimal_servers.apps import app
from tests.minimal_servers.serving import PATIENCE, Client, eventually, request

Start = Callable[..., Any]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a server with some deadlines shortened to 0.2 seconds, the others being endless.

    With ``sent`` it is a client that is returned, who has said that before the server looks.
    """
    running: list[tuple[threads.Server, threading.Thread]] = []

    def start(*short: str, application: Any = app, sent: bytes = b"") -> Any:
        for name in ("HEAD_SECONDS", "BODY_SECONDS", "SEND_SECONDS"):
            monkeypatch.setattr(connection, name, 0.2 if name in short else 1000.0)
        for name in ("IDLE_SECONDS", "SEND_SECONDS", "LINGER_SECONDS"):
            monkeypatch.setattr(threads, name, 0.2 if name in short else 1000.0)
        monkeypatch.setattr(threads, "TICK_SECONDS", 0.02)
        server = threads.Server(socket.create_server(("127.0.0.1", 0)), application, threads=2)
        server.port = server.listener.getsockname()[1]  # type: ignore[attr-defined]
        client = client_of(server).send(sent) if sent else None
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        return client or server

    yield start
    monkeypatch.setattr(threads, "LINGER_SECONDS", 0.2)
    for server, thread in running:
        server.stop()
        thread.join(30)
        assert not thread.is_alive()
        assert not server.connections


def client_of(server: Any, **options: Any) -> Client:
    return Client(server.port, **options)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HT",
        request()[:-1],
        request("/echo", "Content-Length: 5") + b"half",
        request("/echo", "Transfer-Encoding: chunked") + b"5\r\nhal",
    ],
)
def test_a_request_that_does_not_go_on_gets_408(start: Start, data: bytes) -> None:
    with start("HEAD_SECONDS", sent=data) as client:
        check_408(client)


def test_a_body_that_does_not_go_on_gets_408(start: Start) -> None:
    with client_of(start("BODY_SECONDS")) as client:
        client.send(request("/echo", "Content-Length: 5", "Expect: 100-continue"))
        assert client.reader.read(len(CONTINUE)) == CONTINUE  # now the body is awaited
        client.send(b"half")
        check_408(client)


def check_408(client: Client) -> None:
    reply = client.reply()
    assert (reply.status, reply.getheader("Connection")) == (408, "close")
    assert client.ended()


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


def test_a_connection_that_never_says_anything_is_closed(start: Start) -> None:
    with client_of(start("HEAD_SECONDS")) as client:
        assert client.ended()


def test_an_idle_connection_is_closed_without_a_word(start: Start) -> None:
    with client_of(start("IDLE_SECONDS")) as client:
        assert client.get().body == b"hello"
        assert client.ended()


def test_an_unsent_answer_is_not_idleness(start: Start) -> None:
    server = start("IDLE_SECONDS")
    with client_of(server, receive_buffer=4096) as slow:
        slow.send(request("/large"))
        with client_of(server) as idle:
            assert idle.get().body == b"hello"
            assert idle.ended()  # idle for long enough to be closed
        assert len(slow.reply().body) == 50_000_000


@pytest.mark.parametrize("path", ["/large", "/endless"])
def test_a_reader_that_does_not_read_is_dropped(start: Start, path: str) -> None:
    server = start("SEND_SECONDS")
    with client_of(server, receive_buffer=4096) as slow:
        slow.send(request(path))
        eventually(slow.was_reset, "still waited for")
        eventually(lambda: not server.connections, "still there")


def test_a_last_answer_reaches_a_slow_reader(start: Start) -> None:
    """The kernel has all of it, and the server has closed: that must not take it back."""

    asked = threading.Event()

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        asked.set()
        start_response("200 OK", [])
        return [b"x" * 300_000]

    server = start("LINGER_SECONDS", application=answer)
    with client_of(server, receive_buffer=4096) as slow:
        slow.send(request("/", "Connection: close"))
        assert asked.wait(PATIENCE)
        eventually(lambda: not server.connections, "still there")
        assert len(slow.reply().body) == 300_000
