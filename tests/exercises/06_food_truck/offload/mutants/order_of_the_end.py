# Results come in the order in which the calls end.
# Message: returned ['b', 'c', 'a']

"""Blocking work for helpers: threads, and never more of them than the kitchen has room for."""

import asyncio
from collections.abc import Callable
from typing import Any


async def offload(function: Callable[[Any], Any], items: list[Any], limit: int) -> list[Any]:
    """Call `function(item)` for every item, in threads."""
    results: list[Any] = []
    waiting = iter(enumerate(items))
    failures: list[Exception] = []

    async def helper() -> None:
        while not failures:
            number, item = next(waiting, (None, None))
            if number is None:
                return
            try:
                results.append(await asyncio.to_thread(function, item))
            except Exception as error:
                failures.append(error)

    await asyncio.gather(*(helper() for _ in range(limit)))
    if failures:
        raise failures[0]
    return results
