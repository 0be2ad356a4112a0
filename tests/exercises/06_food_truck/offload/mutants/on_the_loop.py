# Calls the function on the event loop.
# Message: on the event loop

"""Blocking work for helpers: threads, and never more of them than the kitchen has room for."""

from collections.abc import Callable
from typing import Any


async def offload(function: Callable[[Any], Any], items: list[Any], limit: int) -> list[Any]:
    """Call `function(item)` for every item, in threads."""
    return [function(item) for item in items]
