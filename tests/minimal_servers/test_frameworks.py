"""Flask and Django run unchanged: the same visits, by real clients, to the same small site."""

import asyncio
import hashlib
from collections.abc import Iterator

import aiohttp
import httpx
import pytest

from tests.minimal_servers.serving import Process, serving

FILE = bytes(range(256)) * 2000  # 512,000 bytes, more than is kept in memory


@pytest.fixture(
    scope="module", params=["flask_app", "django_app", "flask_app threads", "django_app workers"]
)
def site(request: pytest.FixtureRequest) -> Iterator[Process]:
    module, _, option = request.param.partition(" ")
    with serving(f"{module}:app", *([f"--{option}", "3"] if option else [])) as server:
        yield server


@pytest.fixture
def client(site: Process) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{site.port}", timeout=30) as client:
        yield client


def test_a_page(client: httpx.Client, site: Process) -> None:
    reply = client.get("/", params={"name": "Grüße & mehr"})
    assert reply.text == f"hello Grüße & mehr at 127.0.0.1:{site.port}"
    assert reply.headers["content-length"] == str(len(reply.content))
    assert client.head("/").headers["content-type"] == reply.headers["content-type"]


def test_a_form(client: httpx.Client) -> None:
    data = {"a": "1 & 2", "ü": "ß"}
    assert client.post("/form", data=data).json() == data


@pytest.mark.parametrize("content", [FILE, b"", b"\r\n--x\r\n"])
def test_a_file(client: httpx.Client, content: bytes) -> None:
    reply = client.post("/file", files={"upload": ("a b.bin", content)}, data={"note": "n"})
    digest = hashlib.sha256(content).hexdigest()
    assert reply.json() == {"name": "a b.bin", "sha256": digest, "note": "n"}


def test_a_chunked_body(client: httpx.Client) -> None:
    pieces = iter([b'{"a": [1, ', b'2], "b"', b": null}"])
    reply = client.post("/json", content=pieces, headers={"Content-Type": "application/json"})
    assert reply.json() == {"got": {"a": [1, 2], "b": None}}


def test_a_stream(client: httpx.Client) -> None:
    with client.stream("GET", "/stream") as reply:
        assert reply.headers["transfer-encoding"] == "chunked"
        assert list(reply.iter_lines()) == [f"/stream {number}" for number in range(5)]


def test_a_session(client: httpx.Client) -> None:
    assert [client.get("/count").text for _ in range(3)] == ["1", "2", "3"]


def test_redirects_and_errors(client: httpx.Client) -> None:
    assert client.get("/away", follow_redirects=True).text.startswith("hello redirected")
    assert client.get("/teapot").status_code == 418
    assert client.get("/nowhere").status_code == 404
    assert client.get("/fails").status_code == 500
    assert client.get("/").status_code == 200


def test_a_path_beyond_ascii(client: httpx.Client) -> None:
    assert client.get("/café/Füße").text == "Füße"


def test_many_at_once(site: Process) -> None:
    async def visit() -> list[str]:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{site.port}") as session:

            async def page(number: int) -> str:
                async with session.get("/", params={"name": str(number)}) as reply:
                    return (await reply.text()).split()[1]

            return await asyncio.gather(*map(page, range(100)))

    assert asyncio.run(visit()) == [str(number) for number in range(100)]
