# A fixed window: all tokens come back at once.
# Message: at 1.25 s a request of 10.0.0.1
# Message: half a token is not lost

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
        client = scope.get("client")
        host, now = client and client[0], clock()
        tokens, since = buckets.get(host, (burst, now))
        tokens = burst if (now - since) * rate >= 1 else tokens
        if tokens >= 1:
            buckets[host] = (tokens - 1, now)
            await app(scope, receive, send)
            return
        seconds = math.ceil((1 - tokens) / rate)
        headers = [(b"content-type", b"text/plain"), (b"retry-after", b"%d" % seconds)]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send(BODY)

    return application
