"""The task of the load is the state; guests are a set."""

import asyncio
from typing import Any


class Ready:
    def __init__(self, app: Any, load: Any, limit: int) -> None:
        self.app, self.load, self.limit = app, load, limit
        self.task: asyncio.Task[None] | None = None
        self.guests: set[object] = set()

    def word(self) -> str:
        if self.task is None or not self.task.done():
            return "loading"
        return "failed" if self.task.cancelled() or self.task.exception() else "ready"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        word = self.word()
        path = scope.get("path") if scope["type"] == "http" else None
        if scope["type"] == "lifespan":
            await receive()
            self.task = asyncio.create_task(self.load())
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.task.cancel()
            await asyncio.wait([self.task])
            await send({"type": "lifespan.shutdown.complete"})
        elif path == "/live":
            word = "failed" if word == "failed" else "alive"
            await self.say(send, word, word == "alive")
        elif path == "/ready":
            if word == "ready" and len(self.guests) >= self.limit:
                word = "busy"
            await self.say(send, word, word == "ready")
        elif word != "ready":
            if path is None:
                raise RuntimeError(word)
            await self.say(send, word, False)
        else:
            guest = object()
            self.guests.add(guest)
            try:
                await self.app(scope, receive, send)
            finally:
                self.guests.remove(guest)

    async def say(self, send: Any, word: str, good: bool) -> None:
        status = 200 if good else 503
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": word.encode()})
