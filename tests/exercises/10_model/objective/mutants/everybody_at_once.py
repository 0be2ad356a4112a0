# All who wait are in one call, however many they are.
# Message: 100 requests at once: status 500
# Message: the model takes at most 64 rows in a call

"""The capstone: a slow service, brought under its objective by micro-batches in a thread."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI


def make_app(model: Callable[[list[int]], list[int]]) -> Any:
    """Return the application."""
    waiting: list[tuple[int, asyncio.Future[int]]] = []
    news = asyncio.Event()

    async def work() -> None:
        """Whoever came during the last call is in the next one: a batch needs no patience."""
        while True:
            await news.wait()
            batch = waiting[:]
            del waiting[:]
            if not waiting:
                news.clear()
            if batch:
                await answer(batch)

    async def answer(batch: list[tuple[int, asyncio.Future[int]]]) -> None:
        try:
            scores = await asyncio.to_thread(model, [row for row, _ in batch])
        except Exception as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), score in zip(batch, scores, strict=True):
            if not future.done():
                future.set_result(score)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        worker = asyncio.create_task(work())
        yield
        worker.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.get("/score/{row}")
    async def score(row: int) -> dict[str, int]:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting.append((row, future))
        news.set()
        return {"row": row, "score": await future}

    @app.get("/health")
    async def health() -> str:
        return "ok"

    return app
