"""Connections over time: order, ends, limits, and clients that are slow, rude or gone."""

import collections
import itertools
import resource
import socket

import pytest

from minimal_servers import connection, http11
from tests.minimal_servers.serving import Client, Gate, Process, eventually, request, serving

BIG = connection.MAX_BODY + 1


def test_a_connection_is_kept(server: Process) -> None:
    with server.client() as client:
        for number in range(20):
            assert client.get(f"/query?{number}").body == str(number).encode()


def test_connection_close_is_kept_too(server: Process) -> None:
    with server.client() as client:
        reply = client.get("/hello", "Connection: close")
        assert (reply.body, reply.getheader("Connection")) == (b"hello", "close")
        assert client.ended()


@pytest.mark.parametrize("threads", [1, 4])
def test_pipelined_requests_are_answered_in_order(threads: int) -> None:
    with serving("apps:app", "--threads", str(threads)) as server, server.client() as client:
        paths = [f"/query?{n}" if n % 3 else "/status?200" for n in range(500)]
        client.send(b"".join(map(request, paths)))
        for path in paths:
            expected = path.partition("?")[2] if path.startswith("/query") else "a body"
            assert client.reply().body == expected.encode()


def test_pipelining_mixes_bodies_and_cuts(server: Process) -> None:
    wire = (
        request("/echo", method="POST", body=b"one")
        + b"\r\n"  # old clients send one too many
        + request("/echo", "Transfer-Encoding: chunked", method="POST")
        + b"3\r\ntwo\r\n0\r\n\r\n"
        + request("/query?three")
    )
    for step in (1, 7, 50, len(wire)):
        with server.client() as client:
            for start in range(0, len(wire), step):
                client.send(wire[start : start + step])
            assert [client.reply().body for _ in range(3)] == [b"one", b"two", b"three"]


def test_after_a_close_no_pipelined_request_is_answered(server: Process) -> None:
    with server.client() as client:
        client.send(request("/hello", "Connection: close") + request("/hello"))
        assert client.reply().body == b"hello"
        assert client.ended()


def test_after_a_refusal_no_pipelined_request_is_answered(server: Process) -> None:
    with server.client() as client:
        client.send(request("/query?1") + b"BAD\r\n\r\n" + request("/query?2"))
        assert client.reply().body == b"1"
        reply = client.reply()
        assert (reply.status, reply.getheader("Connection")) == (400, "close")
        assert client.ended()


def test_a_pipeline_that_nobody_reads_is_not_lost(gate: Gate) -> None:
    """The answers do not fit into the kernel: the rest waits, in order, at no thread's expense."""
    with serving() as server, server.client(receive_buffer=4096) as client:
        client.send(request("/large") + request("/query?after"))
        assert server.get("/hello").body == b"hello"
        assert len(client.reply().body) == 50_000_000
        assert client.reply().body == b"after"


@pytest.mark.parametrize("framing", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_expect_100_continue(server: Process, framing: str) -> None:
    body = b"hello" if "Length" in framing else b"5\r\nhello\r\n0\r\n\r\n"
    with server.client() as client:
        client.send(request("/echo", "Expect: 100-continue", framing, method="POST"))
        assert client.reader.read(len(http11.CONTINUE)) == http11.CONTINUE
        client.send(body)
        assert client.reply().body == b"hello"
        client.send(request("/echo", "Expect: 100-continue", framing, method="POST") + body)
        assert client.reader.peek(12)[:12] == b"HTTP/1.1 200"  # the body was there already


def test_100_continue_only_where_it_is_due(server: Process) -> None:
    with server.client() as client:
        client.send(request("/hello", "Expect: 100-continue"))
        assert client.reader.peek(12)[:12] == b"HTTP/1.1 200"
    with server.client() as client:
        client.send(b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        client.send(b"ok")
        assert client.reply().body == b"ok"
    with server.client() as client:
        client.send(request("/", "Expect: 100-continue", f"Content-Length: {BIG}", method="POST"))
        assert client.reply().status == 413


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\n", 400),
        (b"GET / HTTP/3.0\r\n\r\n", 505),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501),
        (request("/", "Transfer-Encoding: gzip, chunked"), 501),
        (request("/", "Transfer-Encoding: chunked", "Content-Length: 5"), 400),
        (request("/", "Expect: tea", "Content-Length: 1"), 417),
        (request("/", f"Content-Length: {BIG}"), 413),
        (b"GET /" + b"a" * 9000, 414),
        (request("/", "X: " + "a" * 70_000), 431),
        (request("/", *["X: y"] * 101), 431),
        (request("/", "Transfer-Encoding: chunked") + b"x\r\n", 400),
        (request("/", "Transfer-Encoding: chunked") + b"1\r\nabc", 400),
    ],
)
def test_refusals(server: Process, data: bytes, status: int) -> None:
    with server.client() as client:
        reply = client.send(data).reply()
        assert (reply.status, reply.getheader("Connection")) == (status, "close")
        assert reply.body
        assert reply.getheader("Date")
        assert client.ended()


def test_chunks_are_counted_against_the_limit(server: Process) -> None:
    """Whoever says nothing about the length is stopped on the way."""
    million = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with server.client() as client:
        client.send(request("/", "Transfer-Encoding: chunked", method="POST"))
        for _ in range(BIG // 0x100000 + 1):
            client.send(million)
        assert client.reply().status == 413


@pytest.mark.parametrize(
    "head",
    [
        request("/", f"Content-Length: {BIG}", method="POST"),
        b"nonsense\r\n\r\n",
        request("/", "Transfer-Encoding: chunked", method="POST") + b"nonsense\r\n",
    ],
)
def test_a_refusal_reaches_a_client_that_is_still_sending(head: bytes) -> None:
    """Closing at once would send RST, and RST throws away what the client has not read yet."""
    with serving(LINGER="3600") as server, server.client() as client:
        client.send(head)
        for _ in range(30):
            client.send(b"x" * 1_000_000)
        assert client.reply().status in (400, 413)
        assert client.ended()


def test_a_refused_client_cannot_send_for_ever(server: Process) -> None:
    with server.client() as client:
        client.send(b"nonsense\r\n\r\n")
        flood = itertools.repeat(b"x" * 1000)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            collections.deque(map(client.send, flood), maxlen=0)


CUTS = [
    b"",
    b"G",
    request("/hello")[:-2],
    request("/hello", "Content-Length: 5") + b"1234",
    request("/hello", "Transfer-Encoding: chunked") + b"5\r\nab",
    request("/hello", "Transfer-Encoding: chunked") + b"5\r\nabcde\r\n0\r\n",
]


@pytest.mark.parametrize("data", CUTS)
@pytest.mark.parametrize("how", ["half", "quietly", "reset"])
def test_a_request_that_ends_in_the_middle(server: Process, data: bytes, how: str) -> None:
    """It never reaches the application (which would leave a trace), and harms nobody."""
    data = data.replace(b"/hello", b"/broken?cut")
    with server.client() as client:
        client.send(data)
        if how == "half":
            client.sock.shutdown(socket.SHUT_WR)
            assert client.rest() == b""
        elif how == "reset":
            client.reset()
    assert server.get("/hello").body == b"hello"
    assert "broken cut" not in server.get("/closed").body.decode()


def test_a_client_may_close_its_half_early(server: Process) -> None:
    for path, size in (("/hello", 5), ("/status?200", 6), ("/large", 50_000_000)):
        with server.client() as client:
            client.send(request(path))
            client.sock.shutdown(socket.SHUT_WR)
            assert len(client.reply().body) == size
            assert client.ended()


def test_a_request_byte_by_byte(server: Process) -> None:
    wire = request("/echo", "Transfer-Encoding: chunked", method="POST")
    wire += b"3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n"
    with server.client() as client:
        for byte in wire:
            client.send(bytes([byte]))
        assert client.reply().body == b"abc"


def test_slow_and_idle_clients_hold_no_thread(server: Process) -> None:
    """200 half-sent requests and 50 idle connections; the only thread answers all others."""
    clients: list[Client] = []
    try:
        for number in range(200):
            data = [b"G", request()[:-2], request("/", "Content-Length: 9") + b"x"][number % 3]
            clients.append(server.client().send(data))
        for _ in range(50):
            clients.append(server.client())
            assert clients[-1].get().status == 200
        for _ in range(20):
            assert server.get().body == b"hello"
        assert clients[-1].get().body == b"hello"  # an idle one wakes up
        assert clients[0].send(request()[1:]).reply().body == b"hello"  # a half one is completed
        assert clients[1].send(b"\r\n").reply().body == b"hello"
        assert clients[2].send(b"x" * 8).reply().body == b"hello"
    finally:
        for client in clients:
            client.__exit__()


def test_slow_readers_hold_no_thread(server: Process) -> None:
    clients = [server.client(receive_buffer=4096).send(request("/large")) for _ in range(3)]
    for client in clients:
        assert client.reply(read=False).read(10) == b"x" * 10
    for _ in range(10):
        assert server.get().body == b"hello"
    for client in clients:
        assert len(client.reader.read(49_999_990)) == 49_999_990
        assert client.get("/query?next").body == b"next"
        client.__exit__()


def test_a_thousand_idle_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with serving() as server:
        clients: list[Client] = []
        try:
            for _ in range(1000):
                clients.append(server.client())
                clients[-1].send(request())
            for client in clients:
                assert client.reply().body == b"hello"
            assert server.get().body == b"hello"
            assert clients[500].get("/query?500").body == b"500"
        finally:
            for client in clients:
                client.__exit__()


def test_a_worker_gives_files_and_memory_back(server: Process) -> None:
    """Clients of every kind come and go; nothing is left of them."""
    [worker] = server.workers()
    server.get()
    before = worker.num_fds()
    for number in range(60):
        client = server.client()
        client.send([b"GET", b"nonsense\r\n\r\n", request(), request("/endless")][number % 4])
        if number % 2:
            client.reset()
        client.__exit__()
    body = b"x" * (2 * connection.MAX_IN_MEMORY)
    with server.client() as client:
        assert client.send(request("/echo", method="POST", body=body)).reply().body == body
    with server.client() as client:  # the last word of all of them has been said
        client.send(request("/hello", "Connection: close"))
        client.rest()
    eventually(lambda: worker.num_fds() <= before, f"{worker.num_fds()} files, {before} before")
