# Returns before the cancelled calls have cleaned up.
# Message: it was over: returned 2
# Message: After cancel(), wait again.

"""Whiteboard: stop without losing anybody, as an ASGI middleware that counts who is inside."""

import asyncio
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
    """Wrap an ASGI application, so that it can be emptied."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.draining = False
        self.inside: set[asyncio.Task[Any] | None] = set()
        self.empty = asyncio.Event()

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        """Hand on, count, or refuse."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self.draining:
            await send(START)
            await send(BODY)
        else:
            task = asyncio.current_task()
            self.inside.add(task)
            try:
                await self.app(scope, receive, send)
            finally:
                self.inside.remove(task)
                if not self.inside:
                    self.empty.set()

    async def drain(self, seconds: float) -> int:
        """Refuse who is new, wait for who is inside; return how many had to be cancelled."""
        self.draining = True
        if not self.inside:
            return 0
        self.empty.clear()
        try:
            await asyncio.wait_for(self.empty.wait(), seconds)
        except TimeoutError:
            late = list(self.inside)
            for task in late:
                task.cancel()
            return len(late)
        return 0
