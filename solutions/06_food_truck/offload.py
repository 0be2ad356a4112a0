"""Blocking work for helpers: threads, and never more of them than the kitchen has room for."""

import asyncio
from collections.abc import Callable
from typing import Any


async def offload(function: Callable[[Any], Any], items: list[Any], limit: int) -> list[Any]:
    """Call `function(item)` for every item, in threads, and return the results in order of `items`.

    `function` blocks: a database driver, a model. `limit` is at least 1.

        await offload(fetch, ["a", "b", "c"], 2)    # → [fetch("a"), fetch("b"), fetch("c")]

    - It never runs on the thread of the event loop, which serves others meanwhile.
    - At most `limit` calls run at the same time; and as many as that, while there are items left.
      Calls begin in order of `items`. As soon as one is done, the next one begins.
    - Results come in order of `items`, whoever is done first.
    - When a call raises an Exception, no further call begins. Those that run cannot be ended, so
      wait for them; then raise the exception, the first one if there are several.
    """
    results: list[Any] = [None] * len(items)
    waiting = iter(enumerate(items))
    failures: list[Exception] = []

    async def helper() -> None:
        while not failures:
            number, item = next(waiting, (None, None))
            if number is None:
                return
            try:
                results[number] = await asyncio.to_thread(function, item)
            except Exception as error:
                failures.append(error)

    await asyncio.gather(*(helper() for _ in range(limit)))
    if failures:
        raise failures[0]
    return results
