"""Each one who asks has a future of its own; the task's callback answers all of them."""

import asyncio


class Once:
    def __init__(self, make):
        self.make = make
        self.shared = {}  # key: (task, futures of those who wait)

    async def get(self, key):
        if key not in self.shared:
            task = asyncio.ensure_future(self.make(key))
            futures = set()
            self.shared[key] = task, futures
            task.add_done_callback(lambda task: self.tell(key, task, futures))
        task, futures = self.shared[key]
        mine = asyncio.get_running_loop().create_future()
        futures.add(mine)
        try:
            return await mine
        except asyncio.CancelledError:
            futures.discard(mine)
            if not futures and not task.done():
                self.forget(key, task)
                task.cancel()
            raise

    def forget(self, key, task):
        if key in self.shared and self.shared[key][0] is task:
            del self.shared[key]

    def tell(self, key, task, futures):
        self.forget(key, task)
        if task.cancelled():
            return
        error = task.exception()
        for future in futures:
            if not future.done() and error is not None:
                future.set_exception(error)
            elif not future.done():
                future.set_result(task.result())
