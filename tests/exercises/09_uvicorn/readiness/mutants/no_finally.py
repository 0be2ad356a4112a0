# Forgets to count down when the call raises.
# Message: came back 503 with b'busy'
# Message: expected 200 with b'ready'

"""A readiness check: an application that can be asked whether it is ready."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Ready:
    """Wrap an ASGI application that needs something loaded before it can serve."""

    def __init__(self, app: App, load: Callable[[], Awaitable[None]], limit: int) -> None:
        self.app, self.load, self.limit = app, load, limit
        self.state = "loading"
        self.under_way = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer the questions, hand the rest on."""
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/live":
            failed = self.state == "failed"
            await answer(send, 503 if failed else 200, "failed" if failed else "alive")
        elif scope["type"] == "http" and scope["path"] == "/ready":
            busy = self.state == "ready" and self.under_way >= self.limit
            word = "busy" if busy else self.state
            await answer(send, 200 if word == "ready" else 503, word)
        elif self.state == "ready":
            self.under_way += 1
            await self.app(scope, receive, send)
            self.under_way -= 1
        elif scope["type"] == "http":
            await answer(send, 503, self.state)
        else:
            raise RuntimeError(f"not ready for {scope['type']}: {self.state}")

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """Load beside everything else."""
        await receive()
        task = asyncio.create_task(self.begin())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def begin(self) -> None:
        """Load, and remember how it went."""
        try:
            await self.load()
        except Exception:
            self.state = "failed"
        else:
            self.state = "ready"


async def answer(send: Send, status: int, word: str) -> None:
    """Send one whole response."""
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": word.encode()})
