"""A class, as most published middleware is written."""

import functools


class Timed:
    def __init__(self, app, clock):
        self.app, self.clock = app, clock

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            send = functools.partial(self.send, send, self.clock())
        await self.app(scope, receive, send)

    async def send(self, send, started, message):
        if message["type"] == "http.response.start":
            took = f"app;dur={1000 * (self.clock() - started):.1f}"
            message = dict(message)
            message["headers"] = list(message.get("headers") or [])
            message["headers"].append((b"server-timing", took.encode()))
        await send(message)


timed = Timed
