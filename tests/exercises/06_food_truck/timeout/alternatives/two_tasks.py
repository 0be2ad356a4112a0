"""A time-out for every endpoint: an ASGI middleware that answers 504 and cleans up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]

START = {
    "type": "http.response.start",
    "status": 504,
    "headers": [(b"content-type", b"text/plain")],
}
BODY = {"type": "http.response.body", "body": b"504 Gateway Timeout\n"}


def with_timeout(app: App, seconds: float) -> App:
    """Return an ASGI app that gives `app` so many seconds to begin its answer, or says 504."""

    async def timed(
        scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        begun = asyncio.Event()

        async def watched(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                begun.set()
            await send(message)

        work = asyncio.create_task(app(scope, receive, watched))
        answer = asyncio.create_task(begun.wait())
        late = False
        try:
            await asyncio.wait([work, answer], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            late = not work.done() and not begun.is_set()
            if late:
                work.cancel()
                await asyncio.wait([work])
            if not (late and work.cancelled()):
                await work
        finally:
            answer.cancel()
            work.cancel()
            await asyncio.wait([work, answer])
        if late and not begun.is_set():
            await send(START)
            await send(BODY)

    return timed
