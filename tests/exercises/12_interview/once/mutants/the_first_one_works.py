# The first one who asks does the work itself, the others wait for a future.
# Message: number 1 is cancelled
# Message: calls of make: cancelled
# Message: the work is not the first one's own

import asyncio


class Once:
    def __init__(self, make):
        self.make, self.futures = make, {}

    async def get(self, key):
        if key in self.futures:
            return await asyncio.shield(self.futures[key])
        future = self.futures[key] = asyncio.get_running_loop().create_future()
        try:
            future.set_result(await self.make(key))
        except BaseException as error:
            future.set_exception(error)
        finally:
            del self.futures[key]
        return future.result()
