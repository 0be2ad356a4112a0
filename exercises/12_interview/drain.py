"""Whiteboard: stop without losing anybody, as an ASGI middleware that counts who is inside.

A process shall end: a deploy, a node that goes away. The order is always the same: say that you
are not ready, refuse who is new, wait for who is inside, but not for ever.
"""

from collections.abc import Awaitable, Callable
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]

START = {
    "type": "http.response.start",
    "status": 503,
    "headers": [(b"content-type", b"text/plain"), (b"connection", b"close")],
}
BODY = {"type": "http.response.body", "body": b"503 Service Unavailable\n"}


class Drain:
    """Wrap an ASGI application, so that it can be emptied.

        app = Drain(app)
        late = await app.drain(30.0)    # at SIGTERM: nobody new; returns when nobody is inside

    - Before the drain, every call is handed on as it is; what the app raises is raised.
    - A request (scope type "http") is inside from its call until the call of the app is over,
      however it ends. Other scopes are handed on, at all times, and do not count.
    - From the call of `drain` on, a new request gets START and BODY; the app is not called.
    - `drain(seconds)` returns 0 as soon as nobody is inside, at once if nobody is. When `seconds`
      have passed, it cancels the calls that are still inside (CancelledError, where they wait),
      waits until all of them are over, which may take its time, and returns how many these were.
    - The cancellation goes on to the server, whose call it is; no 503 then.
    - A server may make several calls one after the other in one task, and that task may live on:
      wait for the calls, not for their tasks.
    - You create no task that is left when `drain` has returned.
    """

    def __init__(self, app: App) -> None:
        raise NotImplementedError("your code")

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        raise NotImplementedError("your code")

    async def drain(self, seconds: float) -> int:
        """Refuse who is new, wait for who is inside; return how many had to be cancelled."""
        raise NotImplementedError("your code")
