"""Plain ASGI; whoever finds nobody at work begins to work, and patience is 2 ms."""

import asyncio
import json


def make_app(model):
    waiting = []
    workers = set()

    async def work():
        await asyncio.sleep(0.002)
        while waiting:
            batch, waiting[:] = waiting[:32], waiting[32:]
            asked = asyncio.to_thread(model, [row for row, _ in batch])
            (told,) = await asyncio.gather(asked, return_exceptions=True)
            for number, (_, future) in enumerate(batch):
                if not future.cancelled() and isinstance(told, Exception):
                    future.set_exception(told)
                elif not future.cancelled():
                    future.set_result(told[number])
        workers.clear()  # in the same step as the last look: nobody can have come in between

    async def ask(row):
        future = asyncio.get_running_loop().create_future()
        waiting.append((row, future))
        if not workers:
            workers.add(asyncio.create_task(work()))
        return await future

    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise ValueError(scope["type"])
        path = scope["path"]
        if path.startswith("/score/"):
            row = int(path.removeprefix("/score/"))
            told = {"row": row, "score": await ask(row)}
        else:
            told = "ok"
        body = json.dumps(told).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
