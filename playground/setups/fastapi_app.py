"""Endpoints in FastAPI (ASGI): on the loop, holding the loop, and in the pool of threads.

``async def`` endpoints run on the loop; ``def`` endpoints in AnyIO's threads, 40 in each process.
"""

import asyncio
import time

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from playground.setups.apps import burn

app = FastAPI(default_response_class=PlainTextResponse)
pool = FastAPI(default_response_class=PlainTextResponse)
truck = FastAPI(default_response_class=PlainTextResponse)


@app.get("/health")
@pool.get("/health")
@truck.get("/health")
async def health() -> str:
    """Answers at once, if the loop lets it."""
    return "ok\n"


@app.get("/")
@app.get("/slow")
@truck.get("/wait")
async def slow(s: float = 1.0) -> str:
    """Waits one second, or ``?s=`` seconds, and leaves the loop to others meanwhile."""
    await asyncio.sleep(seconds(s))
    return "slept\n"


@truck.get("/block")
async def block(s: float = 1.0) -> str:
    """Waits as long, in a call that does not let go of the loop."""
    time.sleep(seconds(s))  # the mistake that this endpoint is about
    return "slept\n"


@pool.get("/")
@truck.get("/pool")
def wait_in_pool(s: float = 1.0) -> str:
    """Waits as long, in a thread of the pool."""
    time.sleep(seconds(s))
    return "slept\n"


@truck.get("/cpu")
async def compute(ms: float = 200.0) -> str:
    """Computes for that many milliseconds of processor time, on the loop's own thread."""
    return f"{burn(milliseconds(ms))} rounds\n"


@pool.get("/cpu")
@truck.get("/pool-cpu")
def compute_in_pool(ms: float = 200.0) -> str:
    """Computes as long, in a thread of the pool."""
    return f"{burn(milliseconds(ms))} rounds\n"


def seconds(asked: float) -> float:
    """At most half a minute."""
    return min(max(asked, 0.0), 30.0)


def milliseconds(asked: float) -> float:
    """At most ten seconds."""
    return min(max(asked, 0.0), 10_000.0)
