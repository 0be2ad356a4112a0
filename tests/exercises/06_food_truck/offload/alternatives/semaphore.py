"""Blocking work for helpers: threads, and never more of them than the kitchen has room for."""

import asyncio
from collections.abc import Callable
from typing import Any


async def offload(function: Callable[[Any], Any], items: list[Any], limit: int) -> list[Any]:
    """Call `function(item)` for every item, in threads."""
    free = asyncio.Semaphore(limit)
    failures: list[Exception] = []

    async def one(item: Any) -> Any:
        async with free:
            if failures:
                return None
            try:
                return await asyncio.to_thread(function, item)
            except Exception as error:
                failures.append(error)
        return None

    results = await asyncio.gather(*(one(item) for item in items))
    if failures:
        raise failures[0]
    return list(results)
