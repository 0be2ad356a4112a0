"""A pure ASGI middleware: an app to the server, a server to the app.

It needs no base class and no framework: an `async def` around another one, and a `send` around
another one. What it does not understand it hands on.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def timed(app: App, clock: Callable[[], float]) -> App:
    """Return an ASGI app that does what `app` does and adds the header server-timing.

    app = timed(app, time.perf_counter)

    If the app sends its http.response.start 0.25 seconds after it was called, the server gets that
    message with the header (b"server-timing", b"app;dur=250.0") after the app's own: milliseconds,
    one decimal. The clock is read when the app is called and when it sends the start, in seconds.

    - The app's message and its list of headers stay as they are: it may use them again. The message
      may come without "headers" (ASGI HTTP, Response Start: the default is no headers), and headers
      may be any iterable of pairs.
    - Every other message goes on as it is and at once, body by body: the app's `await send(…)` ends
      when the server's does, and raises what the server's raises.
    - The app gets the same scope and the same receive. What it raises is raised.
    - For any scope but "http" (ASGI, Connection Scope: "websocket", "lifespan", and what will come)
      the app gets the server's own send, and the clock is not read.
    - Two requests at the same time do not mix.
    """
    raise NotImplementedError("your code")
