"""FastAPI, Starlette and Django run unchanged on the ASGI server, seen by real clients."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from itertools import product

import aiohttp
import httpx
import pytest
from websockets.sync.client import connect

from tests.minimal_servers.serving import PATIENCE, Process, eventually, serving

FILE = bytes(range(256)) * 20_000  # 5 MB
LOOPS = ["asyncio", "uvloop"]


@pytest.fixture(scope="module", params=LOOPS)
def fastapi(request: pytest.FixtureRequest) -> Iterator[Process]:
    yield from site("fastapi_app:app", request.param)


@pytest.fixture(scope="module", params=LOOPS)
def django(request: pytest.FixtureRequest) -> Iterator[Process]:
    yield from site("django_asgi_app:app", request.param)


@pytest.fixture(scope="module", params=product(["fastapi_app", "django_asgi_app"], LOOPS))
def either(request: pytest.FixtureRequest) -> Iterator[Process]:
    """For what both of them answer alike."""
    app, loop = request.param
    yield from site(f"{app}:app", loop)


def site(app: str, loop: str) -> Iterator[Process]:
    with serving(app, "--loop", loop, interface="asgi") as server:
        yield server
        assert server.end() == 0
        for word in ("Task was destroyed", "never retrieved", "without completing"):
            assert word not in server.log()


def client_of(server: Process) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE)


def done(client: httpx.Client) -> list[str]:
    return client.get("/done").json()


# --- both ----------------------------------------------------------------------------------------


def test_a_page(either: Process) -> None:
    with client_of(either) as client:
        reply = client.get("/", params={"name": "Grüße & mehr"})
    assert reply.text == f"hello Grüße & mehr at 127.0.0.1:{either.port}"
    assert reply.headers["content-length"] == str(len(reply.content))


def test_a_chunked_body(either: Process) -> None:
    with client_of(either) as client:
        pieces = iter([b'{"a": [1, ', b'2], "b"', b": null}"])
        fields = {"Content-Type": "application/json"}
        reply = client.post("/json", content=pieces, headers=fields)
    assert reply.json() == {"got": {"a": [1, 2], "b": None}}


def test_a_stream(either: Process) -> None:
    with client_of(either) as client, client.stream("GET", "/stream") as reply:
        assert reply.headers["transfer-encoding"] == "chunked"
        assert list(reply.iter_lines()) == [f"/stream {number}" for number in range(5)]


def test_redirects_and_errors(either: Process) -> None:
    with client_of(either) as client:
        assert client.get("/away", follow_redirects=True).text.startswith("hello redirected")
        assert client.get("/teapot").status_code == 418
        assert client.get("/nowhere").status_code == 404
        assert client.get("/fails").status_code == 500
        assert client.get("/").status_code == 200


def test_a_path_beyond_ascii(either: Process) -> None:
    with client_of(either) as client:
        assert client.get("/café/Füße").text == "Füße"


def test_many_at_once(either: Process) -> None:
    async def visit() -> list[str]:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{either.port}") as session:

            async def page(number: int) -> str:
                async with session.get("/", params={"name": str(number)}) as reply:
                    return (await reply.text()).split()[1]

            return await asyncio.gather(*map(page, range(100)))

    assert asyncio.run(visit()) == [str(number) for number in range(100)]


# --- FastAPI -------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [True, False])
def test_an_upload(fastapi: Process, chunked: bool) -> None:
    content = iter([FILE[:100_000], FILE[100_000:]]) if chunked else FILE
    with client_of(fastapi) as client:
        reply = client.post("/upload", content=content)
    assert reply.json() == {"sha256": hashlib.sha256(FILE).hexdigest(), "size": len(FILE)}


def test_a_function_that_is_not_async(fastapi: Process) -> None:
    with client_of(fastapi) as client:
        assert client.get("/thread", params={"name": "x"}).text == "x"
        assert client.post("/json", json={}).status_code == 201


def test_background_tasks(fastapi: Process) -> None:
    with client_of(fastapi) as client:
        assert client.post("/background?name=cleanup").json() == "later"
        eventually(lambda: "cleanup" in done(client), "the background task did not run")


def test_events_end_when_the_client_goes(fastapi: Process) -> None:
    with client_of(fastapi) as client:
        with client.stream("GET", "/events") as reply:
            lines = reply.iter_lines()
            assert [next(lines) for _ in range(4)] == ["data: 0", "", "data: 1", ""]
        eventually(lambda: "events" in done(client), "the stream was never let go")
    assert "ClientDisconnect\n" not in fastapi.log()  # no failure: no traceback


def test_a_websocket(fastapi: Process) -> None:
    with connect(f"ws://127.0.0.1:{fastapi.port}/chat", proxy=None) as socket:
        for text in ("hello", "κόσμε", "x" * 100_000):
            socket.send(text)
            assert json.loads(socket.recv(timeout=PATIENCE)) == {"heard": text}
    with client_of(fastapi) as client:
        eventually(lambda: "chat 1000" in done(client), "the end was not noticed")


# --- Django --------------------------------------------------------------------------------------


def test_a_form(django: Process) -> None:
    data = {"a": "1 & 2", "ü": "ß"}
    with client_of(django) as client:
        assert client.post("/form", data=data).json() == data


@pytest.mark.parametrize("content", [FILE, b"", b"\r\n--x\r\n"])
def test_a_file(django: Process, content: bytes) -> None:
    with client_of(django) as client:
        reply = client.post("/file", files={"upload": ("a b.bin", content)}, data={"note": "n"})
    digest = hashlib.sha256(content).hexdigest()
    assert reply.json() == {"name": "a b.bin", "sha256": digest, "note": "n"}


def test_a_session(django: Process) -> None:
    with client_of(django) as client:
        assert [client.get("/count").text for _ in range(3)] == ["1", "2", "3"]


def test_an_async_stream(django: Process) -> None:
    with client_of(django) as client, client.stream("GET", "/async-stream") as reply:
        assert list(reply.iter_lines()) == [f"/async-stream {number}" for number in range(5)]
