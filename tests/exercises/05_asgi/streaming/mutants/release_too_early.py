# Releases while the cancelled take is still running.
# Message: release, take cancelled
# Message: nudge Cancel the take, wait for its end, then release.

"""A stream that ends when nobody listens any more."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
HEADERS = [(b"content-type", b"text/plain")]


def streaming(take: Callable[[], Awaitable[bytes]], release: Callable[[], Awaitable[None]]) -> App:
    """Return an ASGI app that sends what take() gives until the client has gone."""

    async def stream(send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        more = True
        while more:
            block = await take()
            more = block != b""
            await send({"type": "http.response.body", "body": block, "more_body": more})

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        tasks = [asyncio.create_task(stream(send)), asyncio.create_task(gone(receive))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await release()
            await asyncio.gather(*tasks, return_exceptions=True)
        error = None if tasks[0].cancelled() else tasks[0].exception()
        if error is not None and not isinstance(error, OSError):
            raise error

    return app


async def gone(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
