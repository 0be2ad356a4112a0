"""An ExitStack of callbacks, the last one first by itself."""

from contextlib import AsyncExitStack
from typing import Any


def make_app(resources: Any, kitchen: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket"):
            return await kitchen(scope, receive, send)
        if scope["type"] != "lifespan":
            raise RuntimeError("unknown")
        await receive()
        failures: list[str] = []

        async def end(name: str, close: Any, value: Any) -> None:
            try:
                await close(value)
            except Exception as error:
                failures.append(f"{name}: {error}")

        try:
            async with AsyncExitStack() as stack:
                for name, open_it, close in resources:
                    try:
                        value = await open_it()
                    except Exception as error:
                        raise LookupError(f"{name}: {error}") from error
                    stack.push_async_callback(end, name, close, value)
                    scope["state"][name] = value
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except LookupError as error:
            return await send({"type": "lifespan.startup.failed", "message": error.args[0]})
        if failures:
            await send({"type": "lifespan.shutdown.failed", "message": failures[0]})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    return app
