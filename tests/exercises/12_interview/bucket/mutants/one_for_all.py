# One bucket for all clients.
# Message: at 1 s a request of 10.0.0.2
# Message: one client must not use up what another one has

"""Whiteboard: a rate limit, as an ASGI middleware with a bucket of tokens for each client."""

import math
from collections.abc import Awaitable, Callable
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]

BODY = {"type": "http.response.body", "body": b"429 Too Many Requests\n"}


def limited(app: App, rate: float, burst: int, clock: Callable[[], float]) -> App:
    """Return an ASGI app that hands a request on to `app` if its client has a token left."""
    buckets: dict[str | None, tuple[float, float]] = {}  # tokens, and when that was

    async def application(
        scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        host, now = None, clock()
        tokens, since = buckets.get(host, (burst, now))
        tokens = min(burst, tokens + (now - since) * rate)
        if tokens >= 1:
            buckets[host] = (tokens - 1, now)
            await app(scope, receive, send)
            return
        seconds = math.ceil((1 - tokens) / rate)
        headers = [(b"content-type", b"text/plain"), (b"retry-after", b"%d" % seconds)]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send(BODY)

    return application
