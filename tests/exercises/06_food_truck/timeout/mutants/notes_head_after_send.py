# The head counts only when send has come back.
# Message: send waits
# Message: Note the head before you await send.

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
        begun = False

        async def watched(message: dict[str, Any]) -> None:
            nonlocal begun
            await send(message)
            if message["type"] == "http.response.start":
                begun = True
                if not clock.expired():
                    clock.reschedule(None)

        clock = asyncio.timeout(seconds)
        try:
            async with clock:
                await app(scope, receive, watched)
        except TimeoutError:
            if not clock.expired():
                raise
        if clock.expired() and not begun:
            await send(START)
            await send(BODY)

    return timed
