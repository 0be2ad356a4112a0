"""The learner's server, judged as a client sees it; concurrency by structure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.grading import Failed, Gate, Learner, Server, render
from playground.grading.verdict import Message
from playground.grading.wire import command

SOURCE = """
import os, socket, threading

OK = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"

def read_head(connection):
    head = b""
    while b"\\r\\n\\r\\n" not in head:
        data = connection.recv(1000)
        if not data:
            break
        head += data
    return head

def answer(connection, handler):
    with connection:
        handler(read_head(connection))
        connection.sendall(OK)

def one_by_one(listener, handler):
    while True:
        answer(listener.accept()[0], handler)

def threads(listener, handler):
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0], handler)).start()

def forks(listener, handler):
    for _ in range(3):
        if os.fork() == 0:
            one_by_one(listener, handler)
    os.wait()

kept = []
def leaks(listener, handler):
    while True:
        connection = listener.accept()[0]
        kept.append(connection)
        connection.sendall(OK)

def silent(listener, handler):
    connection = listener.accept()[0]
    read_head(connection)
    threading.Event().wait()

def gives_up(listener, handler):
    listener.close()
    raise OSError("no more")

def crashes(listener, handler):
    kept.append(listener.accept()[0])
    raise KeyError("lost")

def exits(listener, handler):
    kept.append(listener.accept()[0])
    os._exit(3)

def garbage(listener, handler):
    with listener.accept()[0] as connection:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Lenght 2\\r\\n\\r\\nok")

def interim(listener, handler):
    with listener.accept()[0] as connection:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 100 Continue\\r\\n\\r\\n" + OK + OK)
"""
GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    path = tmp_path / "server.py"
    path.write_text(SOURCE)
    with Learner(path, deadline_s=10) as running:
        yield running


@pytest.mark.parametrize("function", ["threads", "forks"])
def test_requests_inside_together_are_finished_in_reverse_order(
    learner: Learner, function: str
) -> None:
    with Gate() as gate:
        server = Server(learner, function, gate.handler(learner))
        clients = [server.exchange(GET % number) for number in range(3)]
        visits = gate.wait_for(3, server, "sent 3 requests at once")
        places = {(visit.pid, visit.thread) for visit in visits}
        assert len(places) == 3
        for visit in reversed(visits):
            number = int(visit.label.partition("GET /")[2][0])
            gate.leave(visit)
            response = clients[number].response()
            assert (response.status, response.body) == (200, b"ok")
            assert response.header("CONTENT-LENGTH") == "2"
            clients[number].expect_closed()
        server.settles(server.connections, 0, "open connections", called="3 requests")
        assert len(server.children()) == (3 if function == "forks" else 0)


def test_one_by_one_is_seen_and_shown_where_it_stood(learner: Learner) -> None:
    learner.deadline_s = 0.7
    with Gate() as gate:
        server = Server(learner, "one_by_one", gate.handler(learner))
        for number in range(2):
            server.exchange(GET % number)
        message = failure(lambda: gate.wait_for(2, server, "sent 2 requests at once"))
    assert message.got == "1 at the same time inside your server"
    assert "handler(read_head(connection))" in render.message_text(message)


def test_a_connection_that_stays_open_is_counted(learner: Learner) -> None:
    server = Server(learner, "leaks", None)
    with server.exchange(GET % 1) as client:
        assert client.response().status == 200
    assert server.connections() == 1
    learner.deadline_s = 0.3
    message = failure(lambda: server.settles(server.connections, 0, "open connections", called="x"))
    assert message.got == "1 open connections"


def test_silence_is_a_message_with_stack_bytes_and_command(learner: Learner) -> None:
    learner.deadline_s = 0.7
    server = Server(learner, "silent", None)
    client = server.exchange(b"GET /'%25 HTTP/1.1\r\nHost: \xe9\r\n\r\n")
    assert client.is_silent()
    message = failure(client.response)
    text = render.message_text(message)
    assert "no bytes, then nothing for 0.7 s" in message.got
    assert "threading.Event().wait()" in text
    assert message.wire is not None
    repeats = r"printf 'GET /\047%%25 HTTP/1.1\r\nHost: \351\r\n\r\n' | nc 127.0.0.1 $PORT"
    assert message.wire.command == repeats


def test_a_server_that_ended_says_how(learner: Learner) -> None:
    server = Server(learner, "gives_up", None)
    message = failure(lambda: [server.connect() for _ in range(500)])
    assert re.search("Connection (refused|reset)", message.got)  # closed before, or while we came
    assert "OSError: no more" in message.got


@pytest.mark.parametrize(
    ("function", "how"),
    [("crashes", "crashes raised KeyError: 'lost'"), ("exits", "exited by itself with code 3")],
)
def test_nobody_waits_long_for_a_server_that_is_over(
    learner: Learner, function: str, how: str
) -> None:
    learner.deadline_s = 60  # waiting for all of it would break the time limit of the test
    server = Server(learner, function, None)
    client = server.exchange(GET % 1)
    message = failure(client.response)
    assert how in message.got
    assert how in failure(lambda: server.exchange(GET % 2).response()).got


def test_what_is_no_http_is_told(learner: Learner) -> None:
    client = Server(learner, "garbage", None).exchange(GET % 1)
    message = failure(client.response)
    assert "no HTTP response" in message.got
    assert message.wire is not None
    assert b"Content-Lenght" in (message.wire.received or b"")


def test_interim_responses_and_pipelining(learner: Learner) -> None:
    client = Server(learner, "interim", None).exchange(GET % 1)
    first, second = client.response(), client.response()
    assert first.informational == (100,)
    assert (first.body, second.body) == (b"ok", b"ok")
    client.expect_closed()


def test_a_caret_stands_under_the_first_wrong_byte(learner: Learner) -> None:
    client = Server(learner, "interim", None).exchange(GET % 1)
    message = failure(lambda: client.expect_bytes(b"HTTP/1.1 100 continue\r\n\r\n"))
    lines = render.message_text(message).splitlines()
    place = next(i for i, line in enumerate(lines) if "^ byte 13" in line)
    column = lines[place].index("^")
    assert lines[place - 2][column] == "c"
    assert lines[place - 1][column] == "C"


def test_the_command_repeats_the_bytes() -> None:
    assert command(b"a'b\\\x00%\t\xff") == r"printf 'a\047b\\\000%%\t\377' | nc 127.0.0.1 $PORT"


def failure(action: object) -> Message:
    """Return the message that `action` fails with."""
    with pytest.raises(Failed) as failed:
        action()  # type: ignore[operator]
    return failed.value.message
