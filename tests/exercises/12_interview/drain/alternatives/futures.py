"""A future for each call; the drain waits for the futures."""

import asyncio

START = {
    "type": "http.response.start",
    "status": 503,
    "headers": [(b"content-type", b"text/plain"), (b"connection", b"close")],
}
BODY = {"type": "http.response.body", "body": b"503 Service Unavailable\n"}


class Drain:
    def __init__(self, app):
        self.app, self.calls, self.open = app, {}, True

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if not self.open:
            for message in (START, BODY):
                await send(message)
            return None
        over = asyncio.get_running_loop().create_future()
        self.calls[over] = asyncio.current_task()
        try:
            return await self.app(scope, receive, send)
        finally:
            del self.calls[over]
            over.set_result(None)

    async def drain(self, seconds):
        self.open = False
        if not self.calls:
            return 0
        _, late = await asyncio.wait(list(self.calls), timeout=seconds)
        for over in late:
            self.calls[over].cancel()
        await asyncio.gather(*late)
        return len(late)
