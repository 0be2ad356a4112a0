"""The one conversation that is about the process, and not about a client.

Before a server accepts anybody, the app may open its database; after the last answer, close it.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


async def run_lifespan(app: App, serve: Callable[[dict[str, Any]], Awaitable[None]]) -> str:
    """Start the app, serve, end the app (ASGI Lifespan). Return how it went.

    await run_lifespan(app, serve) == "complete"

    Call the app once with {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"},
    "state": {}}. It runs beside `serve` all the time. Its first receive() gives
    {"type": "lifespan.startup"}; then:

    - It sends lifespan.startup.complete: await serve(state), with the dictionary of the scope, as
      the app has filled it. After that, and not before, receive() gives
      {"type": "lifespan.shutdown"}. Wait for lifespan.shutdown.complete: "complete"; or
      lifespan.shutdown.failed: "shutdown failed: " and its "message".
    - It sends lifespan.startup.failed: serve is not called; "startup failed: " and its "message",
      which is "" if there is none (ASGI Lifespan, Startup Failed).
    - It raises or returns before any of these: it does not know the lifespan. Await serve({}), and
      return "unsupported" (ASGI Lifespan, Scope).
    - It raises or returns after startup.complete, and has sent no answer to the shutdown: serve
      goes on; "complete" at its end.

    When you have the answer, wait for the end of the app; what it raises then is nobody's concern.
    If serve raises, the app gets its shutdown all the same, and the exception is raised after that.
    No task is left behind.
    """
    raise NotImplementedError("your code")
