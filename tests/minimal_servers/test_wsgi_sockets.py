"""PEP 3333 over real sockets: what a strict HTTP client sees of the applications in apps.py."""

import http.client
import json
from collections.abc import Callable

import pytest

from tests.minimal_servers import apps
from tests.minimal_servers.serving import Gate, Process, eventually, request, serving


def test_environ(server: Process) -> None:
    environ = json.loads(server.get("/environ?a=b", "X-Test: 1").body)
    assert environ["SERVER_PORT"] == str(server.port)
    assert environ["SERVER_NAME"] == environ["REMOTE_ADDR"] == "127.0.0.1"
    assert int(environ["REMOTE_PORT"]) > 0
    assert (environ["QUERY_STRING"], environ["HTTP_X_TEST"]) == ("a=b", "1")
    assert environ["wsgi.multithread"] is environ["wsgi.multiprocess"] is False


@pytest.mark.parametrize(
    ("arguments", "multithread", "multiprocess"),
    [([], False, False), (["--threads", "2"], True, False), (["--workers", "2"], False, True)],
)
def test_concurrency_is_declared_truthfully(
    arguments: list[str], multithread: bool, multiprocess: bool
) -> None:
    with serving("apps:app", *arguments) as server:
        environ = json.loads(server.get("/environ").body)
    assert environ["wsgi.multithread"] is multithread
    assert environ["wsgi.multiprocess"] is multiprocess


@pytest.mark.parametrize("path", ["/lazy", "/lazy?length", "/write"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_block_arrives_before_the_next_is_made(gate: Gate, path: str, version: str) -> None:
    with serving(gate=gate) as server, server.client() as client:
        client.send(request(path).replace(b"HTTP/1.1", f"HTTP/{version}".encode()))
        stopped = gate.arrival()  # the application stands between its two blocks
        reply = client.reply(read=False)
        assert reply.read(5) == b"first"
        stopped.go()
        assert reply.read() == b"secnd"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 300_000])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_arrives_whole(server: Process, size: int, chunked: bool) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with server.client() as client:
        if chunked:
            pieces = [body[i : i + 10_000] for i in range(0, size, 10_000)]
            wire = b"".join(b"%x;n=v\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
            client.send(request("/echo", "Transfer-Encoding: chunked", method="POST"))
            client.send(wire + b"0\r\nX: y\r\n\r\n")
        else:
            client.send(request("/echo", method="POST", body=body))
        assert client.reply().body == body
        assert client.get("/hello").body == b"hello"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", ["204", "304", "200"])
def test_the_connection_is_in_step_after_answers_without_body(
    server: Process, method: str, status: str
) -> None:
    with server.client() as client:
        client.send(request(f"/status?{status}", method=method))
        reply = client.reply(method)
        assert reply.status == int(status)
        assert bool(reply.body) == (method == "GET" and status == "200")
        assert client.get("/hello").body == b"hello"


def test_http_1_0_gets_no_chunks(server: Process) -> None:
    with server.client() as client:
        client.send(b"GET /status?200 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        head, _, body = client.rest().partition(b"\r\n\r\n")
        assert body == b"a body"
        assert b"connection: close" in head.lower()


def test_http_1_0_keeps_a_connection_on_request(server: Process) -> None:
    with server.client() as client:
        for _ in range(2):
            client.send(b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            reply = client.reply()
            assert (reply.body, reply.getheader("Connection")) == (b"hello", "keep-alive")
        client.send(b"GET /hello HTTP/1.0\r\n\r\n")
        assert client.reply().getheader("Connection") == "close"
        assert client.ended()


@pytest.mark.parametrize("where", ["call", "exit", "none", "silent", "str", "first"])
def test_an_error_before_the_head_is_a_500(server: Process, where: str) -> None:
    with server.client() as client:
        reply = client.get(f"/broken?{where}")
        assert (reply.status, reply.getheader("Connection")) == (500, "close")
        assert b"Traceback" not in reply.body
        assert client.ended()


@pytest.mark.parametrize("where", ["middle", "exit-middle", "late", "short-length", "late-length"])
def test_an_error_after_the_head_looks_broken(server: Process, where: str) -> None:
    with server.client() as client:
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            client.get(f"/broken?{where}")
        assert client.ended()
    assert f"broken {where}" in json.loads(server.get("/closed").body)


def test_an_error_after_the_head_looks_broken_to_http_1_0(server: Process) -> None:
    """Nothing but a reset can tell it from the end of the body."""
    with server.client() as client:
        client.send(b"GET /broken?middle HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            client.rest()


def test_a_body_that_is_too_long_is_cut(server: Process) -> None:
    with server.client() as client:
        assert client.get("/long").body == b"1234"
        assert client.get("/hello").body == b"hello"


def test_a_header_with_a_line_end_splits_nothing(server: Process) -> None:
    reply = server.get("/header")
    assert reply.status == 500
    assert reply.getheader("Set-Cookie") is None


def test_file_wrapper(server: Process) -> None:
    with open(apps.__file__, "rb") as file:
        assert server.get("/file").body == file.read()


def close_count(server: Process, name: str) -> int:
    return json.loads(server.get("/closed").body).count(name)


def vanish_reset(client: "object") -> None:
    client.reset()  # type: ignore[attr-defined]


def vanish_quietly(client: "object") -> None:
    client.__exit__()  # type: ignore[attr-defined]


@pytest.mark.parametrize("vanish", [vanish_reset, vanish_quietly])
def test_a_client_that_leaves_in_the_middle(vanish: Callable[[object], None]) -> None:
    """The application stops, close() runs once, and the only thread is free again."""
    with serving() as server:
        client = server.client()
        client.send(request("/endless"))
        assert client.reply(read=False).read(50_000)
        vanish(client)
        eventually(lambda: close_count(server, "endless"), "close() was never called")
        assert close_count(server, "endless") == 1
        assert server.get("/hello").body == b"hello"


def test_a_client_that_leaves_before_the_answer(gate: Gate) -> None:
    with serving(gate=gate) as server:
        for _ in range(3):
            client = server.client()
            client.send(request("/gate"))
            arrival = gate.arrival()
            client.reset()
            arrival.go()
        assert server.get("/hello").body == b"hello"


@pytest.mark.parametrize("chunked", [True, False])
def test_the_validator_is_content(chunked: bool) -> None:
    with serving("apps:strict") as server, server.client() as client:
        for body in (b"", b"abc", b"abcdefg\nline\nrest"):
            if chunked:
                client.send(request("/", "Transfer-Encoding: chunked", method="POST"))
                client.send((b"%x\r\n%b\r\n" % (len(body), body)) * bool(body) + b"0\r\n\r\n")
            else:
                client.send(request("/", "Content-Type: a/b", method="POST", body=body))
            reply = client.reply()
            assert (reply.status, reply.body) == (200, (body or b"nothing") + b"!")
            assert reply.getheader("X-Length") == str(len(body))
        client.send(request("/", method="HEAD"))
        assert client.reply("HEAD").status == 200
        assert "Error" not in server.log()


def test_a_request_body_that_nobody_reads_is_never_a_request(server: Process) -> None:
    smuggled = request("/broken?call")
    with server.client() as client:
        client.send(request("/ignore", method="POST", body=smuggled) + request("/hello"))
        assert client.reply().body == b"POST"
        assert client.reply().body == b"hello"
