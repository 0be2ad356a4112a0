# Remembers one start for all requests.
# Message: why two requests at once
# Message: nudge What belongs to one request

"""A pure ASGI middleware: an app to the server, a server to the app."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


def timed(app: App, clock: Callable[[], float]) -> App:
    """Return an ASGI app that does what `app` does and adds the header server-timing."""

    started = 0.0

    async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        nonlocal started
        started = clock()

        async def timing(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = (b"server-timing", b"app;dur=%.1f" % ((clock() - started) * 1000))
                message = {**message, "headers": [*message.get("headers", ()), own]}
            await send(message)

        await app(scope, receive, timing)

    return application
