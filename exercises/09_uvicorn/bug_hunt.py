"""A lifespan that almost works. Seven bugs are in it: find and repair them.

With one resource, and as long as nothing fails, this file does its work; so its author was content.
What `make_app(resources, kitchen)` promises of the ASGI application that it returns:

- `resources` are triples (name, open, close). On startup, `value = await open()` for each, in their
  order. When all are open, the values are in scope["state"] under their names, and
  lifespan.startup.complete is sent.
- If an open() raises: those that are open are closed, the last one first. *Then*
  lifespan.startup.failed is sent, with the message "name: text of the exception", and the call
  returns. A raw exception would tell Uvicorn that the application does not know the lifespan, and
  it would serve all the same.
- On shutdown: `await close(value)` for each, the last one first. If one raises, the others are
  closed all the same. Then lifespan.shutdown.complete is sent; or, if any raised,
  lifespan.shutdown.failed with the message "name: text" of the first that did. Nothing is answered
  before all is closed.
- If a close() raises after a failed startup, the others are closed all the same, and the message is
  that of the open().
- http and websocket are handed on to `kitchen(scope, receive, send)`, and its exceptions pass.
- Any other type of scope is refused with a RuntimeError ("Applications should actively reject any
  protocol that they do not understand with an Exception", ASGI specification).
- A test suite starts the same application several times. Each lifespan opens, and closes, its own.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Resource = tuple[str, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]]


def make_app(resources: list[Resource], kitchen: Callable[..., Awaitable[None]]) -> Any:
    """Return the application."""
    opened: list[tuple[str, Callable[[Any], Awaitable[None]], Any]] = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lifespan(scope, receive, send)
        else:
            await kitchen(scope, receive, send)

    async def lifespan(scope: Message, receive: Any, send: Any) -> None:
        await receive()
        for name, open_it, close in resources:
            value = await open_it()
            opened.append((name, close, value))
            scope["state"][name] = value
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        for _, close, value in opened:
            await close(value)

    return app
