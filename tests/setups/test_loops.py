"""The event loop of a server, the interface of a server function, and what a server uses."""

import re
import socket

import pytest

from playground import ServeError, Usage, serve
from playground.setups import catalogue
from playground.setups.catalogue import SETUPS
from playground.setups.usage import usage_of
from tests.setups.test_serve import asgi_app, broken, fetch, refused, sizes

WITH_LOOP = [name for name, setup in SETUPS.items() if setup.loops]


async def which_loop(scope, receive, send):
    import asyncio

    if scope["type"] != "http":
        raise ValueError("http only")
    name = type(asyncio.get_running_loop()).__module__
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": name.encode()})


@pytest.mark.parametrize("name", WITH_LOOP)
@pytest.mark.parametrize("loop", [None, "asyncio", "uvloop"])
def test_the_app_runs_on_the_loop_that_was_asked_for(name, loop):
    with serve(name, which_loop, loop=loop, **sizes(name)) as server:
        assert fetch(server).split(b".")[0] == (loop or "asyncio").encode()
        assert (loop or "asyncio") in server.command
        assert server.collector.snapshot().meta["loop"] == (loop or "asyncio")


def test_a_loop_that_cannot_be_is_refused(monkeypatch):
    assert "waitress has no event loop to choose" in refused("waitress", "hello", loop="uvloop")
    assert "one of asyncio, uvloop, not 'trio'" in refused("uvicorn", "hello", loop="trio")
    monkeypatch.setattr(
        catalogue.importlib.util, "find_spec", lambda name: name != "uvloop" or None
    )
    sentence = refused("minimal-asgi", "hello", loop="uvloop")
    assert "pip install uvloop" in sentence


async def serve_once_a_time(listener, app):
    """The smallest ASGI server: GET only, one answer for each connection."""
    import asyncio

    async def talk(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
        sent = []

        async def send(message):
            sent.append(message.get("body", b""))

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        await app(scope, receive, send)
        body = b"".join(sent)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    assert not listener.getblocking()
    server = await asyncio.start_server(talk, sock=listener)
    await server.serve_forever()


@pytest.mark.parametrize("loop", [None, "uvloop"])
def test_an_async_server_function_serves_asgi(loop):
    with serve(serve_once_a_time, which_loop, loop=loop) as server:
        assert server.interface == "asgi"
        assert fetch(server).split(b".")[0] == (loop or "asyncio").encode()


def own_loop(listener, app):
    import asyncio

    listener.setblocking(False)
    asyncio.run(serve_once_a_time(listener, app))


def test_a_server_function_with_a_loop_of_its_own_speaks_what_its_app_speaks():
    with serve(own_loop, which_loop) as server:
        assert server.interface == "asgi"
        assert fetch(server).startswith(b"asyncio")
    with serve(own_loop, "hello", interface="asgi") as server:
        assert fetch(server) == b"Hello, world!"


@pytest.mark.parametrize(
    ("setup", "app", "more", "words"),
    [
        (own_loop, "hello", {"interface": "cgi"}, "interface= is 'wsgi' or 'asgi', not 'cgi'"),
        ("waitress", "hello", {"interface": "asgi"}, "waitress speaks WSGI, not ASGI"),
        (serve_once_a_time, "hello", {"interface": "wsgi"}, "speaks ASGI, not WSGI"),
        (serve_once_a_time, broken, {}, "speaks WSGI and the set-up speaks ASGI"),
        (own_loop, asgi_app, {"interface": "wsgi"}, "speaks ASGI and the set-up speaks WSGI"),
        (own_loop, "hello", {"loop": "uvloop"}, "is no `async def`"),
        (serve_once_a_time, "hello", {"loop": "trio"}, "one of asyncio, uvloop"),
    ],
)
def test_interfaces_that_do_not_fit_are_refused(setup, app, more, words):
    assert words in refused(setup, app, **more)


def test_usage_counts_processes_threads_and_connections(until):
    with serve("minimal-wsgi", "hello", workers=2, threads=3) as server:
        before = server.usage()
        assert isinstance(before, Usage)
        assert before.processes == len(server.pids()) == 3
        assert before.threads >= 2 * 3 + 1
        assert 1 < before.memory_mib < 1000
        assert before.connections == 0
        clients = [socket.create_connection((server.host, server.port)) for _ in range(4)]
        until(lambda: server.usage().connections == 4, "four accepted connections")
        for client in clients:
            client.close()
        until(lambda: server.usage().connections == 0, "their end")
        assert re.fullmatch(
            r"\d+\.\d MiB of memory, \d+ threads, 3 processes, 0 open connections", str(before)
        )
    with pytest.raises(ServeError, match="uses nothing any more"):
        server.usage()


def test_the_usage_of_a_process_that_has_ended_is_nothing():
    assert usage_of([2**22 - 1], 1) == Usage(0.0, 0, 0, 0)
    assert str(Usage(1.0, 1, 1, 1)) == ("1.0 MiB of memory, 1 thread, 1 process, 1 open connection")
