"""What the WebSocket tests serve: the path says what the application does."""

import asyncio
import json
import os
from typing import Any

Message = dict[str, Any]
seen: dict[str, list[Any]] = {}  # by query string: what the application was told


async def app(scope: Message, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise RuntimeError("not supported")
    if scope["type"] == "http":
        return await report(send)
    notes = seen.setdefault(scope["query_string"].decode(), [])
    try:
        await globals()[f"serve_{scope['path'].strip('/')}"](scope, receive, send, notes)
    except Exception as error:
        notes.append(type(error).__name__)
        raise
    finally:
        notes.append("end")


async def report(send: Any) -> None:
    """What was seen so far, and what is alive in this process."""
    known = {
        "seen": seen,
        "tasks": len(asyncio.all_tasks()),
        "files": len(os.listdir("/proc/self/fd")),
    }
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(known).encode()})


async def serve_echo(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    assert (await receive()) == {"type": "websocket.connect"}
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        text, data = message.get("text"), message.get("bytes")
        await send({"type": "websocket.send", "text": text, "bytes": data})
    notes.append([message["code"], message["reason"]])


async def serve_subprotocol(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    notes.append(scope["subprotocols"])
    await receive()
    headers = [(b"x-extra", b"1"), (b"set-cookie", b"a=b")]
    chosen = scope["subprotocols"][-1]
    await send({"type": "websocket.accept", "subprotocol": chosen, "headers": headers})
    await receive()


async def serve_close(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 4321, "reason": "enough"})
    try:
        await send({"type": "websocket.send", "text": "too late"})
    except RuntimeError:
        notes.append("RuntimeError")
    notes.append((await receive())["code"])


async def serve_reject(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})
    notes.append((await receive())["type"])


async def serve_deny(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    assert "websocket.http.response" in scope["extensions"]
    await receive()
    headers = [(b"x-why", b"no")]
    await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b"go", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b" away"})


async def serve_returns(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await receive()
    await send({"type": "websocket.accept"})


async def serve_raises(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    raise ArithmeticError("meant")


async def serve_raises_first(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    raise ArithmeticError("meant")


async def serve_returns_first(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await receive()


WRONG: list[Message] = [
    {"type": "websocket.accept"},
    {"type": "http.response.start", "status": 200},
    {"type": "websocket.http.response.start", "status": 200},
    {"type": "nonsense"},
    {"type": "websocket.send"},
    {"type": "websocket.send", "text": "a", "bytes": b"b"},
    {"type": "websocket.send", "text": "\ud800"},
    {"type": "websocket.close", "code": 1015},
    {"type": "websocket.close", "code": 99},
]


async def serve_wrong(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Every message is wrong at this place, and the conversation survives each of them."""
    await receive()
    for first in ({"type": "websocket.send", "text": "early"}, {"type": "nonsense"}):
        notes.append(await failure(send, first))
    await send({"type": "websocket.accept"})
    for message in WRONG:
        notes.append(await failure(send, message))
    await send({"type": "websocket.send", "text": "still here"})
    await receive()


async def failure(send: Any, message: Message) -> str:
    try:
        await send(message)
    except (RuntimeError, ValueError) as error:
        return "RuntimeError" if isinstance(error, RuntimeError) else "ValueError"
    return "sent"


async def serve_flood(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Send until the client does not take any more; ``notes`` counts the blocks of 64 KiB."""
    await receive()
    await send({"type": "websocket.accept"})
    notes.append(0)
    for _ in range(1024):
        await send({"type": "websocket.send", "bytes": bytes(65536)})
        notes[0] += 1


async def serve_deaf(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Never receives."""
    await receive()
    await send({"type": "websocket.accept"})
    await asyncio.sleep(3600)
