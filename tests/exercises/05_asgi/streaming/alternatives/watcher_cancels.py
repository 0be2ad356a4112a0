"""The stream runs in the app's own task; only the watcher is a second one."""

import asyncio
import contextlib


class Stream:
    def __init__(self, take, release):
        self.take, self.release = take, release

    async def __call__(self, scope, receive, send):
        left = asyncio.Event()
        watcher = asyncio.create_task(self.watch(receive, left, asyncio.current_task()))
        try:
            await self.run(send)
        except OSError:
            pass
        except asyncio.CancelledError:
            if not left.is_set():
                raise
            asyncio.current_task().uncancel()
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
            await self.release()

    async def run(self, send):
        head = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        while block := await self.take():
            await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def watch(self, receive, left, task):
        message = await receive()
        while message["type"] != "http.disconnect":
            message = await receive()
        left.set()
        task.cancel()


def streaming(take, release):
    return Stream(take, release)
