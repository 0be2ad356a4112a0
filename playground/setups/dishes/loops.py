"""The work of the dishes for an event loop: what waits lets go of it, what computes does not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from playground.setups.apps import COUNTS, event
from playground.setups.dishes import work

Answer = TypeVar("Answer")


async def wait(seconds: float) -> str:
    """Wait, and let others run meanwhile."""
    await asyncio.sleep(seconds)
    return "slept\n"


async def fetch(seconds: float) -> bytes:
    """Ask the upstream service without holding the loop."""
    import aiohttp  # takes a while, and the other dishes need none

    port = await asyncio.to_thread(work.upstream_port)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/?s={seconds}") as answer,
    ):
        return await answer.read()


async def query() -> bytes:
    """The report, made in a thread: SQLite has no way to wait for it, and libraries that are
    awaited do the same.
    """
    return await asyncio.to_thread(work.query)


async def hybrid(seconds: float, milliseconds: float, pool: bool) -> str:
    """Wait for the upstream service, then compute in pure Python."""
    await fetch(seconds)
    return await compute(pool, work.compute, milliseconds)


async def compute(pool: bool, function: Callable[..., Answer], *args: object) -> Answer:
    """Call it here, where it holds the loop, or in a thread of asyncio's pool."""
    return await asyncio.to_thread(function, *args) if pool else function(*args)


async def events(pause: float, last: int) -> AsyncIterator[bytes]:
    """Server-sent events until there were so many, or until the client goes."""
    COUNTS["streams"] += 1
    try:
        for count in range(1, last + 1):
            yield event(count)
            await asyncio.sleep(pause)
    finally:
        COUNTS["streams"] -= 1
