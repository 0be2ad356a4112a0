"""ASGI over real sockets: what clients see of asgi_app.py, and what it is told about them."""

import http.client
import json
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest

from minimal_servers.http11 import CONTINUE
from tests.minimal_servers.serving import (
    PATIENCE,
    Client,
    Gate,
    Process,
    eventually,
    request,
    serving,
)

APP = "asgi_app:app"
LOOPS = ["asyncio", "uvloop"]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    gate = Gate(tmp_path_factory.mktemp("asgi") / "gate")
    yield gate
    gate.close()


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest, gate: Gate) -> Iterator[Process]:
    """One process, shared by the tests of this module; it must survive all of them."""
    with serving(APP, "--loop", request.param, gate=gate, interface="asgi") as server:
        worker = server.get("/pid").body
        yield server
        assert server.get("/pid").body == worker, f"the worker was replaced: {server.log()}"
        for word in ("Task was destroyed", "never retrieved", "Exception in callback"):
            assert word not in server.log()


def known(server: Process) -> dict[str, Any]:
    return json.loads(server.get("/known").body)


def told(server: Process, name: str) -> list[Any]:
    """What the application noted under ``name`` (a query of one test), once it has ended."""
    notes = lambda: known(server)["seen"].get(name, [])  # noqa: E731
    eventually(lambda: "end" in notes(), f"the application did not end: {notes()}")
    taken = notes()[:-1]
    assert server.get(f"/forget?{name}").body == b"forgotten"
    return taken


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x;n=v\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\nX: y\r\n\r\n"


CHUNKED = "Transfer-Encoding: chunked"


# --- the scope -----------------------------------------------------------------------------------


def test_the_whole_scope(server: Process) -> None:
    with server.client() as client:
        path = "/scope/caf%C3%A9%2Fa%20b/%ff?x=%20y&z=1"
        client.send(request(path, "X-Test: One", "x-test:  two\t", "COOKIE: a=b", method="PATCH"))
        scope = json.loads(client.reply().body)
        host, port = client.sock.getsockname()
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "PATCH",
        "scheme": "http",
        "path": "/scope/café/a b/\N{REPLACEMENT CHARACTER}",
        "raw_path": "b:/scope/caf%C3%A9%2Fa%20b/%ff",
        "query_string": "b:x=%20y&z=1",
        "root_path": "",
        "headers": [
            ["b:host", "b:test"],
            ["b:x-test", "b:One"],
            ["b:x-test", "b:two"],
            ["b:cookie", "b:a=b"],
        ],
        "client": [host, port],
        "server": ["127.0.0.1", server.port],
        "state": {"own": 0, "shared": scope["state"]["shared"]},
    }


def test_a_scope_of_http_1_0(server: Process) -> None:
    with server.client() as client:
        scope = json.loads(client.send(b"GET /scope HTTP/1.0\r\n\r\n").reply().body)
    assert (scope["http_version"], scope["headers"]) == ("1.0", [])


@pytest.mark.parametrize("target", ["http://test/scope//x?y", "/scope//x?y"])
def test_both_forms_of_a_target_give_one_path(server: Process, target: str) -> None:
    scope = json.loads(server.get(target).body)
    assert (scope["path"], scope["raw_path"]) == ("/scope//x", "b:/scope//x")
    assert scope["query_string"] == "b:y"


def test_state_is_copied_for_each_request(server: Process) -> None:
    """The copy is shallow: what the copies refer to is shared (ASGI, Lifespan State)."""
    first, second = (json.loads(server.get("/state").body) for _ in range(2))
    assert first["own"] == second["own"] == 1
    assert len(second["shared"]) == len(first["shared"]) + 1


# --- request bodies ------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_537, 3_000_000])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_arrives_whole(server: Process, size: int, chunked: bool) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with server.client() as client:
        if chunked:
            client.send(request("/echo", CHUNKED, method="POST"))
            client.send(chunks(*(body[i : i + 10_000] for i in range(0, size, 10_000))))
        else:
            client.send(request("/echo", method="POST", body=body))
        assert client.reply().body == body
        assert client.get("/hello").body == b"hello"


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_is_passed_on_as_it_arrives(server: Process, chunked: bool) -> None:
    """The client sends a piece only when the last one has come back."""
    field = CHUNKED if chunked else "Content-Length: 15"
    with server.client() as client:
        client.send(request("/mirror", field, method="POST"))
        client.send(b"5\r\npart0\r\n" if chunked else b"part0")
        reply = client.reply(read=False)
        assert reply.read(5) == b"part0"
        for piece in (b"part1", b"part2"):
            client.send(b"5\r\n%b\r\n" % piece if chunked else piece)
            assert reply.read(5) == piece
        client.send(b"0\r\n\r\n" if chunked else b"")
        assert reply.read() == b""
        assert client.get("/hello").body == b"hello"


def test_a_request_byte_by_byte(server: Process) -> None:
    with server.client() as client:
        for byte in request("/echo", CHUNKED, method="POST") + chunks(b"abc", b"d"):
            client.send(bytes([byte]))
        assert client.reply().body == b"abcd"


@pytest.mark.parametrize(
    "bad", [b"x\r\n", b"3\r\nabcd\r\n", b"+3\r\n", b"0\r\nbad trailer\r\n\r\n"]
)
def test_a_malformed_chunk_is_a_400_and_a_disconnect(server: Process, bad: bytes) -> None:
    name = f"malformed{bad.hex()}"
    with server.client() as client:
        client.send(request(f"/echo?{name}", CHUNKED, method="POST") + b"2\r\nok\r\n" + bad)
        reply = client.reply()
        assert (reply.status, reply.getheader("Connection")) == (400, "close")
        assert client.ended()
    assert told(server, name)[-2:] == ["http.disconnect", "OSError"]


def test_a_malformed_chunk_after_the_start_looks_broken(server: Process) -> None:
    with server.client() as client:
        client.send(request("/mirror?started", CHUNKED, method="POST") + b"2\r\nok\r\n")
        reply = client.reply(read=False)
        assert reply.read(2) == b"ok"
        client.send(b"nonsense\r\n")
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            reply.read()
    assert told(server, "started") == ["http.disconnect"]


@pytest.mark.parametrize("field", ["Content-Length: 5", CHUNKED])
def test_100_continue_when_the_application_asks(server: Process, gate: Gate, field: str) -> None:
    with server.client() as client:
        client.send(request("/gate_echo", "Expect: 100-continue", field, method="POST"))
        stopped = gate.arrival()
        client.sock.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has asked
            client.sock.recv(1)
        client.sock.settimeout(30)
        stopped.go()
        assert client.reader.read(len(CONTINUE)) == CONTINUE
        client.send(b"hello" if "5" in field else chunks(b"hello"))
        assert client.reply().body == b"hello"
        assert client.get("/hello").body == b"hello"


def test_100_continue_only_where_it_is_due(server: Process) -> None:
    expect = ("Expect: 100-continue", "Content-Length: 5")
    with server.client() as client:
        client.send(request("/ignore", *expect, method="POST"))
        assert client.reader.peek(12)[:12] == b"HTTP/1.1 200"
        assert client.reply().getheader("Connection") == "close"
        assert client.ended()
    with server.client() as client:
        client.send(request("/echo", *expect, method="POST") + b"hello")
        assert client.reader.peek(12)[:12] == b"HTTP/1.1 200"  # the body was there already
    with server.client() as client:
        client.send(b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok")
        assert client.reply().body == b"ok"


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_a_small_body_that_nobody_reads_is_never_a_request(
    server: Process, chunked: bool, late: bool
) -> None:
    smuggled = request("/broken/call") * 20
    head = request("/ignore", CHUNKED if chunked else f"Content-Length: {len(smuggled)}")
    rest = (chunks(smuggled) if chunked else smuggled) + request("/hello")
    with server.client() as client:
        client.send(head if late else head + rest)
        assert client.reply().body == b"GET"
        client.send(rest if late else b"")
        assert client.reply().body == b"hello"


def test_a_large_body_that_nobody_reads_ends_the_connection(server: Process) -> None:
    smuggled = request("/broken/call") * 100_000
    with server.client() as client:
        client.send(request("/ignore", f"Content-Length: {len(smuggled)}", method="POST"))
        assert client.reply().body == b"POST"
        try:
            client.send(smuggled)
            assert client.rest() == b""
        except (ConnectionResetError, BrokenPipeError):
            pass  # the server does not listen for ever


def test_reading_goes_on_after_an_unread_body(server: Process, gate: Gate) -> None:
    """It had stopped, with more than the limit in the buffer, in the middle of the next head."""
    body = b"x" * 65_000
    following = request("/query?after", f"X: {'x' * 4000}")
    with server.client() as client:
        client.send(request("/gate?full", f"Content-Length: {len(body)}", method="POST"))
        stopped = gate.arrival()
        client.send(body + following[:-10])
        for _ in range(5):  # rounds of the loop, in which all of it has arrived
            server.get("/hello")
        stopped.go()
        assert client.reply().body == b"full"
        client.send(following[-10:])
        reply = client.reply()
        assert (reply.status, reply.body) == (200, b"after")


# --- several requests on one connection ----------------------------------------------------------


def test_pipelined_requests_are_answered_in_order(server: Process) -> None:
    paths = [f"/query?{n}" if n % 3 else "/say/chunked" for n in range(2000)]
    with server.client() as client:
        client.send(b"".join(map(request, paths)))
        for path in paths:
            expected = path.partition("?")[2] or "a body"
            assert client.reply().body == expected.encode()


def test_one_request_of_a_connection_runs_at_a_time(server: Process, gate: Gate) -> None:
    with server.client() as client:
        client.send(request("/gate?1") + request("/gate?2"))
        first = gate.arrival()
        assert server.get("/hello").body == b"hello"
        assert gate.nobody()
        first.go()
        second = gate.arrival()
        second.go()
        assert [client.reply().body, client.reply().body] == [b"1", b"2"]


def test_pipelining_mixes_bodies_and_cuts(server: Process) -> None:
    wire = (
        request("/echo", method="POST", body=b"one")
        + b"\r\n"  # old clients send one too many
        + request("/echo", CHUNKED, method="POST")
        + chunks(b"two")
        + request("/ignore", method="PUT", body=b"four")
        + request("/query?three")
    )
    for step in (1, 7, 50, len(wire)):
        with server.client() as client:
            for start in range(0, len(wire), step):
                client.send(wire[start : start + step])
            answers = [client.reply().body for _ in range(4)]
            assert answers == [b"one", b"two", b"PUT", b"three"]


@pytest.mark.parametrize("path", ["/hello", "/say/close"])
def test_after_a_close_no_pipelined_request_is_answered(server: Process, path: str) -> None:
    fields = ["Connection: close"] if path == "/hello" else []
    with server.client() as client:
        client.send(request(path, *fields) + request("/hello"))
        assert client.reply().getheader("Connection") == "close"
        assert client.ended()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\n", 400),
        (b"GET /" + b"a" * 1_000_000, 414),
        (request("/", "X: " + "a" * 70_000), 431),
        (request("/", *["X: y"] * 101), 431),
        (request("/", CHUNKED, "Content-Length: 5"), 400),
        (request("/", "Expect: tea", "Content-Length: 1"), 417),
    ],
)
def test_refusals(server: Process, data: bytes, status: int) -> None:
    with server.client() as client:
        client.send(request("/query?1") + data + request("/query?2"))
        assert client.reply().body == b"1"
        reply = client.reply()
        assert (reply.status, reply.getheader("Connection")) == (status, "close")
        assert client.ended()


# --- the client goes, or does not keep up --------------------------------------------------------


@pytest.mark.parametrize("how", ["quietly", "reset"])
@pytest.mark.parametrize("body", ["GET", "half"])
def test_a_client_that_goes_is_a_disconnect(
    server: Process, gate: Gate, how: str, body: str
) -> None:
    """What had arrived is passed on before; sending to it raises OSError."""
    name = f"gone-{how}-{body}"
    fields = ["Content-Length: 10"] if body == "half" else []
    client = server.client()
    client.send(request(f"/disconnect?{name}", *fields) + b"12345" * bool(fields))
    gate.arrival().go()
    client.reset() if how == "reset" else client.__exit__()
    assert told(server, name) == [5 * bool(fields), "http.disconnect", "OSError"]


def test_a_client_that_goes_while_the_application_sends(server: Process) -> None:
    client = server.client()
    client.send(request("/flood?leaves"))
    assert client.reply(read=False).read(50_000)
    client.reset()
    assert told(server, "leaves")[1:] == ["OSError"]


def test_after_the_response_there_is_nobody(server: Process) -> None:
    with server.client() as client:
        client.send(request("/after?over"))
        assert client.reply().body == b"done"
        expected = ["http.disconnect"] * 2 + ["RuntimeError"] * 2
        assert told(server, "over") == expected
        assert client.get("/hello").body == b"hello"


def test_a_client_may_close_its_half_early(server: Process) -> None:
    for path, size in (("/hello", 5), ("/say/chunked", 6), ("/large", 50_000_000)):
        with server.client() as client:
            client.send(request(path))
            client.sock.shutdown(socket.SHUT_WR)
            assert len(client.reply().body) == size
            assert client.ended()


def test_a_client_that_was_gone_before_it_was_accepted(server: Process, gate: Gate) -> None:
    """Its address cannot be asked of the socket any more."""
    with server.client() as client:
        client.send(request("/block_loop"))
        blocked = gate.arrival()
        for _ in range(3):
            server.client().send(request("/hello")).reset()
        blocked.go()
        assert client.reply().body == b"free"
    assert server.get("/hello").body == b"hello"
    assert "connection_made" not in server.log()  # no traceback of it


def test_a_slow_reader_stops_the_application(server: Process) -> None:
    counts = [-1]

    def still() -> bool:
        counts.append(known(server)["seen"].get("flood", [0])[0])
        return len(counts) > 20 and len(set(counts[-20:])) == 1 and counts[-1] > 0

    with server.client(receive_buffer=8192) as client:
        client.send(request("/flood?flood"))
        eventually(still, "the application never stops")
        assert counts[-1] < 512  # blocks of 64 KiB: 32 MiB, most of it in the kernel
        before = counts[-1]
        reply = client.reply(read=False)
        assert len(reply.read((before + 10) * 65536)) == (before + 10) * 65536  # it goes on
        client.reset()
    assert told(server, "flood")[1:] == ["OSError"]


def test_a_slow_application_stops_the_client(server: Process, gate: Gate) -> None:
    """64 MiB do not fit into kernel and server; when the application reads, all of it arrives."""
    size = 64 * 1024 * 1024
    [worker] = server.workers()
    before = worker.memory_info().rss
    with server.client() as client:
        client.send(request("/gate_echo", f"Content-Length: {size}", method="POST"))
        stopped = gate.arrival()
        sent = send_until_stuck(client, size)
        assert sent < size // 2
        assert worker.memory_info().rss - before < size // 4
        client.reset()
        stopped.go()


def send_until_stuck(client: Client, size: int) -> int:
    """How many of ``size`` bytes are taken; the time only ends what would wait for ever."""
    client.sock.settimeout(1.0)
    sent = 0
    try:
        while sent < size:
            sent += client.sock.send(bytes(65536))
    except TimeoutError:
        pass
    return sent


# --- responses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["status-204", "status-304", "status-200", "204-length", "length"])
def test_the_connection_is_in_step_after_answers_without_body(
    server: Process, method: str, path: str
) -> None:
    with server.client() as client:
        client.send(request(f"/say/{path}", method=method))
        reply = client.reply(method)
        full = "204" not in path and "304" not in path
        assert reply.body == (b"a body" if method == "GET" and full else b"")
        assert full or reply.getheader("Transfer-Encoding") is None
        assert "204" not in path or reply.getheader("Content-Length") is None
        assert client.get("/hello").body == b"hello"


def test_a_status_may_be_named(server: Process) -> None:
    """Frameworks pass HTTPStatus on, which is an int."""
    reply = server.get("/say/status-enum")
    assert (reply.status, reply.reason, reply.body) == (201, "Created", b"a body")


def test_a_body_in_one_block_has_a_length_and_others_are_chunked(server: Process) -> None:
    with server.client() as client:
        reply = client.get("/say/status-200")
        assert reply.getheader("Content-Length") == "6"
        for name in ("chunked", "coding", "buffers"):
            reply = client.get(f"/say/{name}")
            assert (reply.body, reply.getheader("Transfer-Encoding")) == (b"a body", "chunked")
            assert reply.getheader("Content-Length") is None
            assert reply.getheader("Date")


def test_a_block_arrives_before_the_next_is_made(server: Process, gate: Gate) -> None:
    with server.client() as client:
        client.send(request("/lazy"))
        stopped = gate.arrival()
        reply = client.reply(read=False)
        assert reply.read(5) == b"first"
        stopped.go()
        assert reply.read() == b"secnd"


def test_http_1_0_gets_no_chunks(server: Process) -> None:
    with server.client() as client:
        client.send(b"GET /say/chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        head, _, body = client.rest().partition(b"\r\n\r\n")
        assert body == b"a body"
        assert b"connection: close" in head.lower()
        assert b"transfer-encoding" not in head.lower()


def test_http_1_0_keeps_a_connection_on_request(server: Process) -> None:
    with server.client() as client:
        for _ in range(2):
            client.send(b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            reply = client.reply()
            assert (reply.body, reply.getheader("Connection")) == (b"hello", "keep-alive")
        client.send(b"GET /hello HTTP/1.0\r\n\r\n")
        assert client.reply().getheader("Connection") == "close"
        assert client.ended()


@pytest.mark.parametrize("path", ["/say/long", "/say/long-at-once"])
def test_a_body_that_is_too_long_is_cut(server: Process, path: str) -> None:
    with server.client() as client:
        assert client.get(path).body == b"1234"
        assert client.get("/hello").body == b"hello"


@pytest.mark.parametrize("path", ["/say/short", "/say/short-at-once"])
def test_a_body_that_is_too_short_looks_broken(server: Process, path: str) -> None:
    with server.client() as client:
        with pytest.raises(http.client.IncompleteRead):
            client.get(path)
        assert client.ended()


BAD = ["crlf", "name", "str", "str-value", "int", "length", "two-lengths", "pairs", "headers"]
BAD += [
    "status-str",
    "status-none",
    "status-true",
    "status-float",
    "status-99",
    "status-101",
    "status-999",
]
BAD += ["body-str", "body-none"]


@pytest.mark.parametrize("path", [f"/say/bad-{bad}" for bad in BAD])
def test_what_http_forbids_is_a_500(server: Process, path: str) -> None:
    with server.client() as client:
        reply = client.get(f"{path}?{path}")
        assert (reply.status, reply.getheader("Connection")) == (500, "close")
        assert reply.getheader("Set-Cookie") is None
        assert client.ended()
    assert told(server, path) in (["TypeError"], ["ValueError"])


CALLS = ["call", "exit", "interrupt", "silent", "started", "started-silent"]


@pytest.mark.parametrize("where", CALLS)
def test_an_error_before_the_head_is_a_500(server: Process, where: str) -> None:
    with server.client() as client:
        reply = client.get(f"/broken/{where}")
        assert (reply.status, reply.getheader("Connection")) == (500, "close")
        assert b"Traceback" not in reply.body
        assert client.ended()


AFTER = ["middle", "exit-middle", "returns", "middle-length", "returns-length"]


@pytest.mark.parametrize("where", AFTER)
def test_an_error_after_the_head_looks_broken(server: Process, where: str) -> None:
    with server.client() as client:
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            client.get(f"/broken/{where}")
        assert client.ended()


@pytest.mark.parametrize("where", ["middle", "returns"])
def test_an_error_after_the_head_looks_broken_to_http_1_0(server: Process, where: str) -> None:
    """Nothing but a reset can tell it from the end of the body."""
    with server.client() as client:
        client.send(f"GET /broken/{where} HTTP/1.0\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            client.rest()


def test_wrong_messages_raise_into_the_application(server: Process) -> None:
    with server.client() as client:
        assert client.get("/wrong?wrong").body == b"still here"
        assert told(server, "wrong") == ["RuntimeError"] * 11
        assert client.get("/hello").body == b"hello"


def test_work_after_the_response_holds_nobody_up(server: Process, gate: Gate) -> None:
    with server.client() as client:
        client.send(request("/background?work") + request("/query?next"))
        assert client.reply().body == b"done"
        working = gate.arrival()
        assert client.reply().body == b"next"
        assert client.get("/hello").body == b"hello"
        assert known(server)["seen"]["work"] == []
        working.go()
        assert told(server, "work") == ["worked"]


# --- many, and the end ---------------------------------------------------------------------------


def test_a_hundred_wait_on_one_thread(server: Process, gate: Gate) -> None:
    """All are inside the application at once; the last that came is the first to leave."""
    [worker] = server.workers()
    threads = worker.num_threads()
    with ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(100)]
        for number, client in enumerate(clients):
            client.send(request(f"/gate?{number}"))
        inside = gate.arrivals(100)
        assert worker.num_threads() == threads
        assert server.get("/hello").body == b"hello"
        for arrival in reversed(inside):
            arrival.go()
        assert [client.reply().body for client in clients] == [b"%d" % n for n in range(100)]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_thousand_idle_connections(loop: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with serving(APP, "--loop", loop, interface="asgi") as server, ExitStack() as stack:
        server.get()
        before = alive(server)
        clients = [stack.enter_context(server.client()) for _ in range(1000)]
        for client in clients:
            client.send(request())
        assert {client.reply().body for client in clients} == {b"hello"}
        idle = (before[0], before[1] + 1000)  # who is idle costs no task
        eventually(lambda: alive(server) == idle, f"{alive(server)}, alone {before}")
        assert clients[500].get("/query?500").body == b"500"
        stack.close()
        eventually(lambda: alive(server) == before, f"left: {alive(server)}, before: {before}")
        assert server.log() == ""


@pytest.mark.parametrize("loop", LOOPS)
def test_clients_of_every_kind_come_and_go_and_nothing_is_left(loop: str, gate: Gate) -> None:
    with serving(APP, "--loop", loop, gate=gate, interface="asgi") as server:
        server.get("/hello")
        before = alive(server)
        openings = [b"GET", b"nonsense\r\n\r\n", request(), request("/flood"), request("/large")]
        openings.append(request("/echo", "Content-Length: 10") + b"half")
        openings.append(request("/echo", CHUNKED) + b"5\r\nab")
        openings.append(request("/after"))
        for number in range(20 * len(openings)):
            client = server.client()
            client.send(openings[number % len(openings)])
            if number % 3 == 0:
                client.sock.recv(1) if number % len(openings) in (2, 3, 4) else None
            client.reset() if number // len(openings) % 2 else client.__exit__()
        eventually(lambda: alive(server) == before, f"left: {alive(server)}, before: {before}")


def alive(server: Process) -> tuple[int, int]:
    """(tasks, open files) in the server process."""
    state = known(server)
    return state["tasks"], state["files"]


def refused(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_finishes_what_runs(gate: Gate, loop: str, workers: str) -> None:
    arguments = ["--workers", workers, "--loop", loop]
    with serving(APP, *arguments, gate=gate, interface="asgi") as server, ExitStack() as stack:
        idle = [stack.enter_context(server.client()) for _ in range(3)]
        for client in idle:
            assert client.get().body == b"hello"
        running = [stack.enter_context(server.client()) for _ in range(4)]
        for number, client in enumerate(running):
            client.send(request(f"/gate?{number}"))
        inside = gate.arrivals(4)
        server.send(signal.SIGTERM)
        for client in idle:
            assert client.ended()
        eventually(lambda: refused(server.port), "the door is still open")
        for arrival in inside:
            arrival.go()
        for number, client in enumerate(running):
            reply = client.reply()
            assert (reply.body, reply.getheader("Connection")) == (b"%d" % number, "close")
            assert client.ended()
        assert server.end() == 0
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("loop", LOOPS)
def test_idle_and_half_sent_connections_do_not_put_off_the_end(loop: str) -> None:
    """With a grace period of an hour, only the server itself can be the one that ends."""
    arguments = ["--grace", "3600", "--loop", loop]
    with serving(APP, *arguments, interface="asgi", BODY="1") as server, ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(5)]
        for client in clients[1:]:
            assert client.get().body == b"hello"
        clients[2].send(b"GET / HT")
        clients[3].send(request("/echo", "Content-Length: 10") + b"half")
        clients[4].send(request("/echo", CHUNKED))
        assert server.end() == 0
        assert clients[1].rest() == b""


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("path", ["/flood", "/gate", "/background"])
def test_sigterm_ends_what_never_ends_after_the_grace_period(
    gate: Gate, loop: str, path: str
) -> None:
    arguments = ["--grace", "0.5", "--workers", "2", "--loop", loop]
    with (
        serving(APP, *arguments, gate=gate, interface="asgi") as server,
        server.client() as client,
    ):
        client.send(request(path))
        if path == "/flood":
            assert client.reply(read=False).read(100_000)
        else:
            gate.arrival()
        assert server.end() == 0


def test_both_workers_serve(gate: Gate) -> None:
    with serving(APP, "--workers", "2", gate=gate, interface="asgi") as server:
        pids = {worker.pid for worker in server.workers()}
        assert len(pids) == 2
        seen: set[int] = set()
        eventually(lambda: seen.add(int(server.get("/pid").body)) or seen == pids, "one is idle")


def test_a_killed_worker_is_replaced() -> None:
    with serving(APP, "--workers", "2", interface="asgi") as server:
        victim = server.workers()[0]
        victim.kill()
        victim.wait(PATIENCE)  # while it dies it may still take a client with it
        assert server.get("/hello").body == b"hello"
        alive = lambda: {worker.pid for worker in server.workers()} - {victim.pid}  # noqa: E731
        eventually(lambda: len(alive()) == 2, "not replaced")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_replaced_worker_ends_with_the_parent_too(loop: str, gate: Gate) -> None:
    """Even with a blocked loop. Each loop before it has watched the same pipe for the same end."""
    arguments = ["--loop", loop, "--grace", "0.2"]
    with serving(APP, *arguments, gate=gate, interface="asgi") as server:
        [victim] = server.workers()
        victim.kill()
        victim.wait(PATIENCE)  # while it dies it may still take a client with it
        with server.client() as client:
            client.send(request("/block_loop"))
            gate.arrival()
            family = server.family()
            server.send(signal.SIGKILL)
            assert not psutil.wait_procs(family, timeout=PATIENCE)[1]
            assert client.ended()
        assert "Traceback" not in server.log()
