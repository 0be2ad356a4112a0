# Ends the other task after a good end, but not when send raises.
# Message: it ended, and left behind: task

"""Server-sent events: one response that does not end, with a small text format in its body."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
LINE_END = re.compile("\r\n|\n|\r")


def encode_event(data: str, event: str = "", id: str | None = None) -> bytes:
    """Return one event in UTF-8 (WHATWG HTML, 9.2.5). Raises ValueError."""
    if LINE_END.search(event + (id or "")) or "\0" in (id or ""):
        raise ValueError("a name or id that would become another field")
    lines = [f"event: {event}"] if event else []
    lines += [f"id: {id}"] if id is not None else []
    lines += [f"data: {line}" for line in LINE_END.split(data)]
    return "".join(f"{line}\n" for line in [*lines, ""]).encode()


def event_app(next_event: Callable[[], Awaitable[dict[str, str] | None]]) -> Callable[..., Any]:
    """Return an ASGI application that sends events until they end or the client has gone."""

    async def send_all(send: Callable[..., Awaitable[None]]) -> None:
        while (event := await next_event()) is not None:
            block = {"type": "http.response.body", "body": encode_event(**event)}
            await send({**block, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def wait_for_disconnect(receive: Callable[..., Awaitable[dict[str, Any]]]) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        watcher = asyncio.create_task(wait_for_disconnect(receive))
        sender = asyncio.create_task(send_all(send))
        await asyncio.wait([watcher, sender], return_when=asyncio.FIRST_COMPLETED)
        if sender.done():
            sender.result()
        for task in (watcher, sender):
            task.cancel()
        await asyncio.gather(watcher, sender, return_exceptions=True)

    return app
