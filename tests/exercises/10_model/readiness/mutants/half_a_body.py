# Takes the first message for the body.
# Message: the model got half a body

"""Alive, but not ready: 503 until the model is there."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Model = Callable[[bytes], bytes]


def make_app(load: Callable[[], Model]) -> Any:
    """Return the application. `load` is called once in a lifespan, and not before."""
    loading: asyncio.Task[Model] | None = None

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif scope["type"] == "http":
            await http(scope["path"], receive, send)
        else:
            raise ValueError(f"no {scope['type']} here")

    async def lifespan(receive: Any, send: Any) -> None:
        nonlocal loading
        await receive()
        loading = asyncio.create_task(asyncio.to_thread(load))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        with suppress(Exception):
            await loading
        await send({"type": "lifespan.shutdown.complete"})

    async def http(path: str, receive: Any, send: Any) -> None:
        status, text = state()
        if path == "/health":
            await answer(send, 200, b"alive")
        elif path not in ("/ready", "/predict"):
            await answer(send, 404, b"no such path")
        elif status != 200 or path == "/ready":
            await answer(send, status, text)
        else:
            body = await whole(receive)
            assert loading is not None
            await answer(send, 200, await asyncio.to_thread(loading.result(), body))

    def state() -> tuple[int, bytes]:
        if loading is None or not loading.done():
            return 503, b"loading"
        error = loading.exception()
        if error is not None:
            return 503, f"failed: {type(error).__name__}".encode()
        return 200, b"ready"

    return app


async def whole(receive: Any) -> bytes:
    """The body of a request, from all of its messages."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = False
    return body


async def answer(send: Any, status: int, body: bytes) -> None:
    """A whole response."""
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
    ]
    if body == b"loading" and status == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
