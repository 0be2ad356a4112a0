# Begins further calls after one has failed.
# Message: 2 calls run: b, c

"""Blocking work for helpers: threads, and never more of them than the kitchen has room for."""

import asyncio
from collections.abc import Callable
from typing import Any


async def offload(function: Callable[[Any], Any], items: list[Any], limit: int) -> list[Any]:
    """Call `function(item)` for every item, in threads."""
    results: list[Any] = [None] * len(items)
    waiting = iter(enumerate(items))
    failures: list[Exception] = []

    async def helper() -> None:
        while True:
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
