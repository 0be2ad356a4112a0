"""What chapter 06 says of FastAPI's pool of threads, held against what is installed."""

import asyncio
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/async")
async def on_the_loop() -> str:
    return "soup"


@app.get("/bare")
def without():
    return "soup"


@app.get("/annotated")
def annotated() -> str:
    return "soup"


@app.get("/unchecked", response_model=None)
def unchecked() -> str:
    return "soup"


@app.get("/response")
def response() -> PlainTextResponse:
    return PlainTextResponse("soup")


@pytest.mark.parametrize(
    ("path", "jobs"),
    [("/async", 0), ("/bare", 1), ("/annotated", 2), ("/unchecked", 1), ("/response", 1)],
)
def test_a_def_with_a_return_annotation_needs_the_pool_twice(
    path: str, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for the endpoint, once to check what it returned."""
    given: list[Callable[..., Any]] = []
    run_sync = anyio.to_thread.run_sync

    def counting(function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        given.append(function)
        return run_sync(function, *args, **named)

    monkeypatch.setattr(anyio.to_thread, "run_sync", counting)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

    assert "soup" in asyncio.run(ask()).text
    assert len(given) == jobs
