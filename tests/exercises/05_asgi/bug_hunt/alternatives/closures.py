# Functions instead of a class; receive itself waits for the two ends, and no task outlives it.

"""Bug hunt: an ASGI server that keeps its promises."""

import asyncio
import sys
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
DISCONNECT = {"type": "http.disconnect"}


async def serve(app: App, reader: StreamReader, writer: StreamWriter) -> None:
    """Serve one client: one request, one response, the end."""
    try:
        await serve_one(app, reader, writer)
    except (IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve_one(app: App, reader: StreamReader, writer: StreamWriter) -> None:
    """Everything but the end."""
    scope = build_scope(await reader.readuntil(b"\r\n\r\n"))
    left = next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
    loop = asyncio.get_running_loop()
    complete = loop.create_future()
    given = False
    head: bytes | None = None
    stage = "before"  # the head, then "body", then "after"

    async def receive() -> Message:
        nonlocal left, given
        if complete.done():
            return DISCONNECT
        if given:
            return await end()
        try:
            data = await reader.read(min(left, 10_000)) if left else b""
        except ConnectionError:
            return DISCONNECT
        if left and not data:
            return DISCONNECT
        left -= len(data)
        given = not left
        return {"type": "http.request", "body": data, "more_body": not given}

    async def end() -> Message:
        hanging_up = asyncio.ensure_future(reader.read())
        try:
            await asyncio.wait([hanging_up, complete], return_when=asyncio.FIRST_COMPLETED)
        finally:
            hanging_up.cancel()
            await asyncio.gather(hanging_up, return_exceptions=True)
        return DISCONNECT

    async def send(message: Message) -> None:
        nonlocal head, stage
        if message["type"] == "http.response.start" and stage == "before" and head is None:
            head = response_head(message["status"], message.get("headers", []))
            return
        if message["type"] != "http.response.body" or head is None or stage == "after":
            raise RuntimeError(f"not now: {message['type']}")
        if stage == "before":
            writer.write(head)
        stage = "body"
        if data := message.get("body"):
            writer.writelines([f"{len(data):X}\r\n".encode(), data, b"\r\n"])
        if not message.get("more_body"):
            writer.write(b"0\r\n\r\n")
            stage = "after"
            if not complete.done():
                complete.set_result(None)
        await writer.drain()

    try:
        await app(scope, receive, send)
    except Exception as error:
        print("the app failed:", repr(error), file=sys.stderr)
    if stage == "before":
        writer.write(b"HTTP/1.1 500 Oh no\r\nConnection: close\r\nContent-Length: 6\r\n\r\nOh no\n")


def build_scope(head: bytes) -> dict[str, Any]:
    """Return the scope of a request from its head."""
    first, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    method, target, version = first.split()
    path, _, query = target.partition(b"?")
    pairs = [field.split(b":", 1) for field in fields]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": version.decode()[5:],
        "method": method.decode(),
        "scheme": "http",
        "path": unquote_to_bytes(path).decode(),
        "raw_path": path,
        "query_string": query,
        "headers": [[name.lower(), value.strip(b" \t")] for name, value in pairs],
    }


def response_head(status: int, headers: Any) -> bytes:
    """Return status line and fields."""
    lines = [b"HTTP/1.1 %d " % status]
    lines += [name + b": " + value for name, value in headers]
    lines += [b"transfer-encoding: chunked", b"connection: close", b"", b""]
    return b"\r\n".join(lines)
