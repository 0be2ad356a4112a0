# The task that calls the model ends with its first exception.
# Message: and the model raised ValueError: status None
# Message: What becomes of the futures when the model raises?

"""The capstone: a slow service, brought under its objective by micro-batches in a thread."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

MOST = 64


def make_app(model: Callable[[list[int]], list[int]]) -> Any:
    """Return the application."""
    waiting: list[tuple[int, asyncio.Future[int]]] = []
    news = asyncio.Event()

    async def work() -> None:
        """Whoever came during the last call is in the next one: a batch needs no patience."""
        while True:
            await news.wait()
            batch = waiting[:MOST]
            del waiting[:MOST]
            if not waiting:
                news.clear()
            if batch:
                await answer(batch)

    async def answer(batch: list[tuple[int, asyncio.Future[int]]]) -> None:
        scores = await asyncio.to_thread(model, [row for row, _ in batch])
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
