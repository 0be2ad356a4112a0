"""Server-sent events and a WebSocket chat in FastAPI, with a page for the browser at ``/``.

The page comes from here alone. Guests of one process hear each other; with several workers each
process has a chat of its own, which is what a message broker is for.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from playground.setups.apps import COUNTS, MOST_EVENTS

PAGE = Path(__file__).with_name("chat.html")
LONGEST = 500  # characters of a message that are passed on
PROMPTLY_S = 2.0  # for a guest to take a message; one who does not is left out

app = FastAPI()
guests: set[WebSocket] = set()


@app.get("/", response_class=HTMLResponse)
async def page() -> str:
    """The page: what the server sends by itself, and the chat."""
    return PAGE.read_text(encoding="utf-8")


@app.get("/health")
async def health() -> str:
    """Answers at once, if the loop lets it."""
    return "ok"


@app.get("/counts")
async def counts() -> dict[str, int]:
    """Open streams and WebSockets of this process."""
    return dict(COUNTS)


@app.get("/events", response_class=EventSourceResponse)
async def events(s: float = 1.0) -> AsyncIterator[ServerSentEvent]:
    """A heartbeat each second, or ``?s=`` seconds, that tells who is there."""
    COUNTS["streams"] += 1
    try:
        for beat in range(1, MOST_EVENTS):
            told = {"beat": beat, "streams": COUNTS["streams"], "guests": COUNTS["sockets"]}
            yield ServerSentEvent(data=told, id=str(beat))
            await asyncio.sleep(min(max(s, 0.01), 30.0))
    finally:
        COUNTS["streams"] -= 1


@app.websocket("/ws")
async def chat(guest: WebSocket) -> None:
    """What one guest says is said to all."""
    await guest.accept()
    guests.add(guest)
    COUNTS["sockets"] += 1
    try:
        while True:
            await tell_all((await guest.receive_text())[:LONGEST])
    except WebSocketDisconnect:
        pass
    finally:
        guests.discard(guest)
        COUNTS["sockets"] -= 1


async def tell_all(words: str) -> None:
    """To every guest at once, so that a slow one does not keep the others waiting for long."""
    await asyncio.gather(*(tell(guest, words) for guest in guests))


async def tell(guest: WebSocket, words: str) -> None:
    """To one guest, unless it has gone or does not listen."""
    try:
        await asyncio.wait_for(guest.send_text(words), PROMPTLY_S)
    except (OSError, RuntimeError, WebSocketDisconnect):  # TimeoutError is an OSError
        guests.discard(guest)
