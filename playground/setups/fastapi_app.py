"""The slow endpoint in FastAPI (ASGI)."""

import asyncio

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/", response_class=PlainTextResponse)
@app.get("/slow", response_class=PlainTextResponse)
async def slow(s: float = 1.0) -> str:
    """Waits one second, or ``?s=`` seconds, and leaves the loop to others meanwhile."""
    await asyncio.sleep(min(max(s, 0.0), 30.0))
    return "slept\n"
