"""What the ASGI tests serve: the path says what the application does."""

import asyncio
import json
import os
import sys
from http import HTTPStatus
from typing import Any

import apps

Message = dict[str, Any]
seen: dict[str, list[Any]] = {}  # by query string: what the application was told


async def app(scope: Message, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return await serve_lifespan(scope, receive, send)
    notes = seen.setdefault(scope["query_string"].decode(), [])
    try:
        name = scope["path"].strip("/").partition("/")[0] or "hello"
        await globals()[f"serve_{name}"](scope, receive, send, notes)
    except BaseException as error:
        notes.append("OSError" if isinstance(error, OSError) else type(error).__name__)
        raise
    finally:
        notes.append("end")


async def stop(name: str) -> None:
    """Wait at the gate of the test (see serving.Gate) without holding the loop."""
    reader, writer = await asyncio.open_unix_connection(os.environ["GATE"])
    writer.write(f"{name}|{os.getpid()}|0".encode())
    try:
        await reader.read(1)
    finally:
        writer.close()


async def answer(send: Any, body: bytes, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def serve_lifespan(scope: Message, receive: Any, send: Any) -> None:
    assert (await receive()) == {"type": "lifespan.startup"}
    scope["state"].update(own=0, shared=[])
    await send({"type": "lifespan.startup.complete"})
    assert (await receive()) == {"type": "lifespan.shutdown"}
    await send({"type": "lifespan.shutdown.complete"})


async def serve_hello(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await answer(send, b"hello")


async def serve_query(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await answer(send, scope["query_string"])


async def serve_pid(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await answer(send, str(os.getpid()).encode())


async def serve_known(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """What was seen so far, and what is alive in this process."""
    known = {
        "seen": seen,
        "tasks": len(asyncio.all_tasks()),
        "files": len(os.listdir("/proc/self/fd")),
    }
    await answer(send, json.dumps(known).encode())


async def serve_forget(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Make a name free for the next test."""
    seen[scope["query_string"].decode()] = []
    await answer(send, b"forgotten")


async def serve_scope(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """The scope; bytes are shown as "b:" and Latin-1."""
    shown = json.dumps(scope, default=lambda value: "b:" + value.decode("latin-1"))
    await answer(send, shown.encode())


async def serve_state(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    scope["state"]["own"] += 1
    scope["state"]["shared"].append("x")
    await answer(send, json.dumps(scope["state"]).encode())


async def serve_echo(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        notes.append(message["type"])
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await answer(send, body)


async def serve_mirror(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Every message goes back at once."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while (message := await receive())["type"] == "http.request":
        more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": more})
    notes.append(message["type"])


async def serve_ignore(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Leave the body of the request unread."""
    await answer(send, scope["method"].encode())


async def serve_gate(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await stop(scope["query_string"].decode())
    await answer(send, scope["query_string"])


async def serve_gate_echo(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await stop("before the body")
    await serve_echo(scope, receive, send, notes)


async def serve_lazy(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Two blocks; the second only when the test allows it."""
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    await stop("between")
    await send({"type": "http.response.body", "body": b"secnd"})


async def serve_disconnect(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Wait until the client has gone, then try to talk to it."""
    while (message := await receive())["type"] == "http.request":
        notes.append(len(message["body"]))
        await stop("listening")
    notes.append(message["type"])
    for _ in range(2):  # the first may still find room in the kernel
        await answer(send, b"x" * 10_000_000)


async def serve_after(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """What happens after the response is over."""
    await answer(send, b"done")
    notes.append((await receive())["type"])
    notes.append((await receive())["type"])
    notes.append(await failure(send, {"type": "http.response.body", "body": b"more"}))
    notes.append(await failure(send, {"type": "http.response.start", "status": 200}))


async def serve_background(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    await answer(send, b"done")
    await stop("background")
    notes.append("worked")


async def serve_flood(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Send until the client does not take any more; ``notes`` counts the blocks of 64 KiB."""
    await send({"type": "http.response.start", "status": 200})
    notes.append(0)
    while True:
        await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
        notes[0] += 1


async def serve_block_loop(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Hold the whole loop, until the test lets go."""
    apps.stop("blocked")
    await answer(send, b"free")


async def serve_large(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """50 MB in one block."""
    await answer(send, b"x" * 50_000_000)


REPLIES: dict[str, tuple[Any, Any, list[Any]]] = {  # status, fields, blocks of body
    "status-200": (200, [], [b"a body"]),
    "status-enum": (HTTPStatus.CREATED, [], [b"a body"]),
    "status-204": (204, [], [b"a body"]),
    "status-304": (304, [], [b"a body"]),
    "chunked": (200, [], [b"a ", b"", b"body"]),
    "204-length": (204, [(b"content-length", b"6")], [b"a body"]),
    "length": (200, [(b"Content-Length", b"6")], [b"a body"]),
    "long": (200, [(b"content-length", b"4")], [b"12", b"345", b"678"]),
    "long-at-once": (200, [(b"content-length", b"4")], [b"12345678"]),
    "short": (200, [(b"content-length", b"9")], [b"12", b"345"]),
    "short-at-once": (200, [(b"content-length", b"9")], [b"12345"]),
    "close": (200, [(b"connection", b"close")], [b"a body"]),
    "coding": (200, [(b"transfer-encoding", b"gzip, chunked")], [b"a ", b"body"]),
    "iterator": (200, iter([(b"x-test", b"1")]), [b"a body"]),
    "buffers": (200, [], [bytearray(b"a "), memoryview(b"body")]),
    "bad-crlf": (200, [(b"x-evil", b"a\r\nset-cookie: b")], [b"never"]),
    "bad-name": (200, [(b"x evil", b"a")], [b"never"]),
    "bad-str": (200, [("x-text", "a")], [b"never"]),
    "bad-str-value": (200, [(b"x-text", "a")], [b"never"]),
    "bad-int": (200, [(b"content-length", 4)], [b"never"]),
    "bad-length": (200, [(b"content-length", b"+4")], [b"never"]),
    "bad-two-lengths": (200, [(b"content-length", b"4")] * 2, [b"never"]),
    "bad-pairs": (200, [b"xyz"], [b"never"]),
    "bad-headers": (200, 5, [b"never"]),
    "bad-status-str": ("200", [], [b"never"]),
    "bad-status-none": (None, [], [b"never"]),
    "bad-status-true": (True, [], [b"never"]),
    "bad-status-float": (200.0, [], [b"never"]),
    "bad-status-99": (99, [], [b"never"]),
    "bad-status-101": (101, [], [b"never"]),
    "bad-status-999": (999, [], [b"never"]),
    "bad-body-str": (200, [], ["text"]),
    "bad-body-none": (200, [], [None]),
}


async def serve_say(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    status, fields, blocks = REPLIES[scope["path"].rpartition("/")[2]]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    for number, block in enumerate(blocks, start=1):
        more = number < len(blocks)
        await send({"type": "http.response.body", "body": block, "more_body": more})


async def serve_broken(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Fail before, or after the head, in all sorts of ways."""
    where = scope["path"].rpartition("/")[2]
    if where == "call":
        raise RuntimeError("as the test wanted")
    if where == "exit":
        sys.exit(7)
    if where == "interrupt":
        raise KeyboardInterrupt
    if where == "silent":
        return
    fields = [(b"content-length", b"100")] if where.endswith("length") else []
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    if where == "started":
        raise RuntimeError("before the first block")
    if where == "started-silent":
        return
    await send({"type": "http.response.body", "body": b"some bytes", "more_body": True})
    if where.startswith("exit"):
        sys.exit(7)
    if where.startswith("middle"):
        raise RuntimeError("in the middle")


WRONG_FIRST: list[Message] = [
    {"type": "http.response.body", "body": b"early"},
    {"type": "http.response.trailers"},
    {"type": "websocket.accept"},
    {"type": "nonsense"},
]
WRONG_THEN: list[Message] = [
    {"type": "http.response.start", "status": 200},
    {"type": "http.response.push"},
    {"type": "nonsense"},
]


async def serve_wrong(scope: Message, receive: Any, send: Any, notes: list[Any]) -> None:
    """Every message is wrong at this place, and the response survives each of them."""
    for message in WRONG_FIRST:
        notes.append(await failure(send, message))
    await send({"type": "http.response.start", "status": 200})
    for message in WRONG_THEN:
        notes.append(await failure(send, message))
    await send({"type": "http.response.body", "body": b"still here", "more_body": True})
    for message in WRONG_THEN:
        notes.append(await failure(send, message))
    await send({"type": "http.response.body"})
    notes.append(await failure(send, {"type": "http.response.body"}))


async def failure(send: Any, message: Message) -> str:
    try:
        await send(message)
    except Exception as error:
        return type(error).__name__
    return "sent"
