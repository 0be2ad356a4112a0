"""The small apps for ASGI (version 3). Standard library only; sizes as in ``apps``."""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any

from playground.setups.apps import BLOCK, COUNTS, EVENTS, TEXT, aside, blocks, burn, event, pace
from playground.setups.apps import number as number_of

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def for_http(app: Application) -> Application:
    """``app`` for requests, with ``/health`` and ``/counts`` beside it; it refuses all else."""

    @functools.wraps(app)
    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"this app does not speak {scope['type']}")
        said = aside(scope["path"])
        if said is None:
            await app(scope, receive, send)
        else:
            await answer(send, said)

    return either


@for_http
async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Thirteen bytes at once."""
    await answer(send, b"Hello, world!")


@for_http
async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Waits one second, or ``?s=`` seconds, and leaves the loop to others meanwhile."""
    await asyncio.sleep(number(scope, "s", 1.0, 30.0))
    await answer(send, b"slept\n")


@for_http
async def block(scope: Scope, receive: Receive, send: Send) -> None:
    """Waits as long, in a call that does not let go of the loop."""
    time.sleep(number(scope, "s", 1.0, 30.0))  # the mistake that this app is about
    await answer(send, b"slept\n")


@for_http
async def cpu(scope: Scope, receive: Receive, send: Send) -> None:
    """Computes for 200, or ``?ms=``, milliseconds of processor time, on the loop's own thread."""
    rounds = burn(number(scope, "ms", 200.0, 10_000.0))
    await answer(send, f"{rounds} rounds\n".encode())


@for_http
async def threads(scope: Scope, receive: Receive, send: Send) -> None:
    """Sleeps (``?s=``) or, where ``?ms=`` is given, computes in a thread of asyncio's pool."""
    computing = number(scope, "ms", 0.0, 10_000.0)
    if computing:
        await asyncio.to_thread(burn, computing)
    else:
        await asyncio.to_thread(time.sleep, number(scope, "s", 1.0, 30.0))
    await answer(send, b"done in a thread\n")


@for_http
async def events(scope: Scope, receive: Receive, send: Send) -> None:
    """Server-sent events, 0.1 or ``?s=`` seconds apart: ``?n=`` of them, or until the client
    goes.
    """
    pause, last = pace(scope["query_string"].decode("latin-1"))
    await start(send, EVENTS)
    gone = asyncio.create_task(until_gone(receive))
    COUNTS["streams"] += 1
    try:
        for count in range(1, last + 1):
            await send({"type": "http.response.body", "body": event(count), "more_body": True})
            await asyncio.wait([gone], timeout=pause)
            if gone.done():
                return
        await send({"type": "http.response.body", "body": b""})
    except OSError:
        pass  # the client has gone (ASGI 2.4)
    finally:
        COUNTS["streams"] -= 1
        gone.cancel()


@for_http
async def big(scope: Scope, receive: Receive, send: Send) -> None:
    """A body of ``?mb=`` MiB (1024): each block is produced when the one before was taken."""
    await start(send, "application/octet-stream")
    gone = asyncio.create_task(until_gone(receive))
    try:
        for _ in range(blocks(scope["query_string"].decode("latin-1"))):
            COUNTS["made"] += BLOCK
            part = {"type": "http.response.body", "body": bytes(BLOCK), "more_body": True}
            await send(part)
            await asyncio.sleep(0)  # not every server lets others run when it has room
            if gone.done():
                return
        await send({"type": "http.response.body", "body": b""})
    except OSError:
        pass  # the client has gone (ASGI 2.4)
    finally:
        gone.cancel()


@for_http
async def upload(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the request's body, with ``?s=`` seconds (0) before each part, and tells its size."""
    pause, size, more = number(scope, "s", 0.0, 5.0), 0, True
    while more:
        await asyncio.sleep(pause)
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await answer(send, f"{size} bytes\n".encode())


async def ws(scope: Scope, receive: Receive, send: Send) -> None:
    """A WebSocket that says back what it hears; at ``/ticks`` it speaks by itself instead, each 0.1
    or ``?s=`` seconds. Of the subprotocols offered it takes the first.
    """
    if scope["type"] != "websocket":
        await hello(scope, receive, send)
        return
    await receive()  # websocket.connect
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    COUNTS["sockets"] += 1
    try:
        if scope["path"] == "/ticks":
            await tick(receive, send, number(scope, "s", 0.1, 5.0))
        else:
            await say_back(receive, send)
    except OSError:
        pass  # the client has gone (ASGI 2.4)
    finally:
        COUNTS["sockets"] -= 1


async def say_back(receive: Receive, send: Send) -> None:
    """Every message, until the client closes."""
    while (message := await receive())["type"] == "websocket.receive":
        heard = {name: message[name] for name in ("text", "bytes") if message.get(name) is not None}
        await send({"type": "websocket.send", **heard})


async def tick(receive: Receive, send: Send, pause: float) -> None:
    """``tick 1``, ``tick 2``, … until the client closes."""
    gone = asyncio.create_task(until_gone(receive))
    try:
        for count in range(1, 100_000):
            await send({"type": "websocket.send", "text": f"tick {count}"})
            await asyncio.wait([gone], timeout=pause)
            if gone.done():
                return
    finally:
        gone.cancel()


async def until_gone(receive: Receive) -> None:
    """Return when the client has gone; what it sends until then is not wanted."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass


def number(scope: Scope, name: str, default: float, most: float) -> float:
    """A number from the query string, as ``apps.number`` reads it."""
    return number_of(scope["query_string"].decode("latin-1"), name, default, most)


async def start(send: Send, content_type: str) -> None:
    """The head of a response whose length is not known."""
    headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def answer(send: Send, body: bytes) -> None:
    """A whole response."""
    headers = [(b"content-type", TEXT.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
