# One lock around everything, and a look into a cache behind it: one key waits for the other.
# Message: calls of make: under way
# Message: two keys, two calls

import asyncio


class Once:
    def __init__(self, make):
        self.make, self.lock, self.tasks = make, asyncio.Lock(), {}

    async def get(self, key):
        if key in self.tasks:
            return await asyncio.shield(self.tasks[key])
        self.tasks[key] = asyncio.ensure_future(self.work(key))
        return await asyncio.shield(self.tasks[key])

    async def work(self, key):
        async with self.lock:
            try:
                return await self.make(key)
            finally:
                del self.tasks[key]
