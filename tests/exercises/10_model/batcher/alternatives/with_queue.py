"""With a queue, and a word that ends it."""

import asyncio

END = object()


class Batcher:
    def __init__(self, model, most, patience):
        self.model, self.most, self.patience = model, most, patience
        self.queue = asyncio.Queue()
        self.closed = False

    async def ask(self, row):
        if self.closed:
            raise RuntimeError("closed")
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        self.queue.put_nowait((row, answer, loop.time() + self.patience))
        return await answer

    def close(self):
        if not self.closed:
            self.closed = True
            self.queue.put_nowait(END)

    async def run(self):
        over = False
        while not over:
            first = await self.queue.get()
            if first is END:
                return
            batch, over = await self.fill([first], first[2])
            batch = [one for one in batch if not one[1].done()]
            for one, value in zip(batch, await self.outcomes(batch), strict=True):
                if one[1].done():
                    continue
                if isinstance(value, BaseException):
                    one[1].set_exception(value)
                else:
                    one[1].set_result(value)

    async def fill(self, batch, deadline):
        try:
            async with asyncio.timeout_at(deadline):
                while len(batch) < self.most:
                    one = await self.queue.get()
                    if one is END:
                        return batch, True
                    batch.append(one)
        except TimeoutError:
            pass
        return batch, False

    async def outcomes(self, batch):
        try:
            return await self.call([row for row, _, _ in batch]) if batch else []
        except Exception as error:
            if len(batch) == 1:
                return [error]
        found = []
        for row, answer, _ in batch:
            try:
                found.append(None if answer.done() else (await self.call([row]))[0])
            except Exception as error:
                found.append(error)
        return found

    async def call(self, rows):
        found = await asyncio.to_thread(self.model, rows)
        if len(found) != len(rows):
            raise ValueError("another number of answers")
        return found
