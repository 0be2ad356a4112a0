# Is content with the answer: the app may still be working when the process goes.
# Message: app: startup.failed, then it tidies up
# Message: came back ended, and the app still runs
# Message: nudge The answer is a message

"""The one conversation that is about the process, and not about a client."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


async def run_lifespan(app: App, serve: Callable[[dict[str, Any]], Awaitable[None]]) -> str:
    """Start the app, serve, end the app (ASGI Lifespan). Return how it went."""
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    answers: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    state: dict[str, Any] = {}
    about = {"version": "3.0", "spec_version": "2.0"}
    scope = {"type": "lifespan", "asgi": about, "state": state}

    async def play() -> None:
        try:
            await app(scope, events.get, answers.put)
        except Exception:
            pass
        finally:
            await answers.put({"type": "end"})

    task = asyncio.create_task(play())
    await events.put({"type": "lifespan.startup"})
    answer = await answers.get()
    try:
        if answer["type"] == "lifespan.startup.failed":
            return f"startup failed: {answer.get('message', '')}"
        if answer["type"] == "end":
            await serve({})
            return "unsupported"
        try:
            await serve(state)
        finally:
            await events.put({"type": "lifespan.shutdown"})
            answer = await answers.get()
        if answer["type"] == "lifespan.shutdown.failed":
            return f"shutdown failed: {answer.get('message', '')}"
        return "complete"
    finally:
        if task.done():
            await task
