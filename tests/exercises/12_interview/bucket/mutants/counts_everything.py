# Limits the lifespan and WebSockets as well.
# Message: limited(app, 1.0, 1, clock); websocket
# Message: only http is limited

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
        client = scope.get("client")
        host, now = client and client[0], clock()
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
