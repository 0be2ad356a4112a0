# Tells the last failure instead of the first.
# Message: shutdown.failed (stove: stove is stuck)

"""A lifespan that works."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Resource = tuple[str, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]]
Opened = list[tuple[str, Callable[[Any], Awaitable[None]], Any]]


def make_app(resources: list[Resource], kitchen: Callable[..., Awaitable[None]]) -> Any:
    """Return the application."""

    async def app(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lifespan(scope, receive, send)
        elif scope["type"] in ("http", "websocket"):
            await kitchen(scope, receive, send)
        else:
            raise RuntimeError(f"{scope['type']} is not served here")

    async def lifespan(scope: Message, receive: Any, send: Any) -> None:
        opened: Opened = []
        await receive()
        for name, open_it, close in resources:
            try:
                value = await open_it()
            except Exception as error:
                await close_all(opened)
                await send({"type": "lifespan.startup.failed", "message": f"{name}: {error}"})
                return
            opened.append((name, close, value))
            scope["state"][name] = value
        await send({"type": "lifespan.startup.complete"})
        await receive()
        failed = await close_all(opened)
        if failed:
            await send({"type": "lifespan.shutdown.failed", "message": failed[-1]})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    return app


async def close_all(opened: Opened) -> list[str]:
    """Close the last one first; return what failed."""
    failed = []
    for name, close, value in reversed(opened):
        try:
            await close(value)
        except Exception as error:
            failed.append(f"{name}: {error}")
    return failed
