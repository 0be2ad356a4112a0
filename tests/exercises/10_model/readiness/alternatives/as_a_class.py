"""A class whose instance is the application, with a queue of states."""

import asyncio
import threading

HEADERS = [(b"content-type", b"text/plain; charset=utf-8")]


def make_app(load):
    return App(load)


class App:
    def __init__(self, load):
        self.load = load
        self.model = None
        self.problem = "loading"

    async def __call__(self, scope, receive, send):
        await {"lifespan": self.lifespan, "http": self.http}.get(scope["type"], self.other)(
            scope, receive, send
        )

    async def other(self, scope, receive, send):
        raise ValueError(scope["type"])

    async def lifespan(self, scope, receive, send):
        over = asyncio.Event()
        loop = asyncio.get_running_loop()

        def work():
            try:
                self.model = self.load()
            except Exception as error:
                self.problem = f"failed: {type(error).__name__}"
            loop.call_soon_threadsafe(over.set)

        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                threading.Thread(target=work).start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await over.wait()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def http(self, scope, receive, send):
        path = scope["path"]
        extra = []
        if path == "/health":
            status, body = 200, b"alive"
        elif path not in {"/ready", "/predict"}:
            status, body = 404, b"no such path"
        elif self.model is None:
            status, body = 503, self.problem.encode()
            extra = [(b"retry-after", b"1")] if self.problem == "loading" else []
        elif path == "/ready":
            status, body = 200, b"ready"
        else:
            parts = []
            while True:
                message = await receive()
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    break
            status, body = 200, await asyncio.to_thread(self.model, b"".join(parts))
        length = (b"content-length", str(len(body)).encode())
        await send(
            {"type": "http.response.start", "status": status, "headers": [*HEADERS, length, *extra]}
        )
        await send({"type": "http.response.body", "body": body})
