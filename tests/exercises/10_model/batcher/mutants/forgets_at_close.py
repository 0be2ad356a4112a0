# Ends at once when it is closed.
# Message: in the model now: nothing

"""A micro-batcher: single questions in, one call of the model for several of them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(eq=False)  # rows may be arrays, which one does not compare by ==
class Question:
    """A row, when it came, and where its answer goes."""

    row: Any
    came: float
    answer: asyncio.Future[Any]


class Batcher:
    """Put questions together for `model`: at most `most`, within `patience` seconds."""

    def __init__(self, model: Callable[[list[Any]], list[Any]], most: int, patience: float) -> None:
        self.model, self.most, self.patience = model, most, patience
        self.waiting: list[Question] = []
        self.news = asyncio.Event()
        self.closed = False

    async def ask(self, row: Any) -> Any:
        """The model's answer for this row."""
        if self.closed:
            raise RuntimeError("the batcher is closed")
        loop = asyncio.get_running_loop()
        question = Question(row, loop.time(), loop.create_future())
        self.waiting.append(question)
        self.news.set()
        try:
            return await question.answer
        finally:
            if question in self.waiting:
                self.waiting.remove(question)

    def close(self) -> None:
        """Take no more questions, and hurry."""
        self.closed = True
        self.news.set()

    async def run(self) -> None:
        """Ask the model, batch by batch."""
        while await self.batch_is_due() and not self.closed:
            batch, self.waiting = self.waiting[: self.most], self.waiting[self.most :]
            await self.answer(batch)

    async def batch_is_due(self) -> bool:
        """Wait until a batch is to go; False if there will be none."""
        while not self.closed and len(self.waiting) < self.most:
            self.news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.left()):
                    await self.news.wait()
                continue
            if self.waiting:
                break
        return bool(self.waiting)

    def left(self) -> float | None:
        """The seconds until patience is over; None if nobody waits."""
        if not self.waiting:
            return None
        return self.waiting[0].came + self.patience - asyncio.get_running_loop().time()

    async def answer(self, batch: list[Question]) -> None:
        """Ask the model, and give everybody what is theirs."""
        rows = [question.row for question in batch]
        try:
            found = await asyncio.to_thread(self.model, rows)
            if len(found) != len(rows):
                raise ValueError(f"{len(found)} answers for {len(rows)} rows")
        except Exception as error:
            if len(batch) == 1:
                if not batch[0].answer.done():
                    batch[0].answer.set_exception(error)
                return
            for question in batch:
                if not question.answer.done():
                    await self.answer([question])
            return
        for question, answer in zip(batch, found, strict=True):
            if not question.answer.done():  # it may have been cancelled
                question.answer.set_result(answer)
