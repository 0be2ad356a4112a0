# Waits for a whole batch before the next one begins.
# Message: 1 call runs: a

"""Blocking work for helpers: threads, and never more of them than the kitchen has room for."""

import asyncio
from collections.abc import Callable
from typing import Any


async def offload(function: Callable[[Any], Any], items: list[Any], limit: int) -> list[Any]:
    """Call `function(item)` for every item, in threads."""
    results = []
    for first in range(0, len(items), limit):
        batch = items[first : first + limit]
        results += await asyncio.gather(*(asyncio.to_thread(function, item) for item in batch))
    return results
