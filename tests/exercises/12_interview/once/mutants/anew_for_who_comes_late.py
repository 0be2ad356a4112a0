# Takes the entry out when the first one leaves: who comes then asks the database again.
# Message: calls of make: under way, under way
# Message: The entry stays while somebody waits.

"""Whiteboard: a hundred requests miss the cache at once, and the database is asked once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Flight:
    """One call of `make`, and how many wait for it."""

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self.task = asyncio.create_task(work)
        self.waiting = 0


class Once:
    """Calls of `make(key)` that are under way are shared by all who ask for the same key."""

    def __init__(self, make: Callable[[str], Coroutine[Any, Any, Any]]) -> None:
        self.make = make
        self.flights: dict[str, Flight] = {}

    async def get(self, key: str) -> Any:
        """Return the result of `make(key)`, of a call that is under way if there is one."""
        if key not in self.flights:
            self.flights[key] = Flight(self.make(key))
        flight = self.flights[key]
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.task.done() or not flight.waiting:
                flight.task.cancel()
            if self.flights.get(key) is flight:
                del self.flights[key]
