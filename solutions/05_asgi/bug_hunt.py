"""Bug hunt: an ASGI server that keeps its promises."""

import asyncio
import traceback
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

START, BODY = "http.response.start", "http.response.body"


async def serve(app: App, reader: StreamReader, writer: StreamWriter) -> None:
    """Serve one client: one request, one response, the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (OSError, EOFError):
        writer.close()  # the client left
        return
    except asyncio.CancelledError:
        writer.close()
        raise
    scope = build_scope(head)
    exchange = Exchange(scope, reader, writer)
    try:
        await app(scope, exchange.receive, exchange.send)
    except OSError:
        pass  # as a rule, the client left
    except Exception:
        traceback.print_exc()
    finally:
        exchange.settle()
        writer.close()
        await exchange.end_watch()


class Exchange:
    """One request and its response, as the app sees them."""

    def __init__(self, scope: dict[str, Any], reader: StreamReader, writer: StreamWriter) -> None:
        self.left = int(dict(scope["headers"]).get(b"content-length", b"0"))
        self.reader = reader
        self.writer = writer
        self.more = True  # the last byte of the body was not given to the app yet
        self.over = asyncio.Event()  # the client has gone, or the response is complete
        self.watching: asyncio.Task[None] | None = None
        self.expected = START  # then BODY, then nothing
        self.head = b""  # waits for the first body
        self.started = False  # the head has left

    async def receive(self) -> Message:
        """The next event: something of the body, or that it is all over."""
        if self.more and not self.over.is_set():
            data = await self.read() if self.left else b""
            if data or not self.left:
                self.left -= len(data)
                self.more = self.left > 0
                return {"type": "http.request", "body": data, "more_body": self.more}
            self.over.set()
        if self.watching is None:
            self.watching = asyncio.create_task(self.watch())
        await self.over.wait()
        return {"type": "http.disconnect"}

    async def read(self) -> bytes:
        """What has arrived of the body; b"" if no more will come."""
        with suppress(OSError):
            return await self.reader.read(min(self.left, 65_536))
        return b""

    async def watch(self) -> None:
        """After the body there is only one thing to come: the end."""
        with suppress(OSError):
            await self.reader.read(1)
        self.over.set()

    async def end_watch(self) -> None:
        """Leave no task behind."""
        if self.watching is not None:
            self.watching.cancel()
            await asyncio.wait([self.watching])

    async def send(self, message: Message) -> None:
        """Take the next message; return when the client can take more."""
        if message["type"] != self.expected:
            raise RuntimeError(f"{message['type']}, expected {self.expected or 'nothing more'}")
        if self.expected == START:
            self.head = response_head(message["status"], message.get("headers", ()))
            self.expected = BODY
            return
        data, more = message.get("body", b""), message.get("more_body", False)
        chunk = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        self.writer.write(self.head + chunk + (b"" if more else b"0\r\n\r\n"))
        self.head, self.started = b"", True
        if not more:
            self.expected = ""
            self.over.set()
        await self.writer.drain()

    def settle(self) -> None:
        """The app is done. It is too late for a 500 when the head has left."""
        if not self.started:
            self.writer.write(response_head(500, ()) + b"0\r\n\r\n")


def build_scope(head: bytes) -> dict[str, Any]:
    """Return the scope of a request from its head."""
    line, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, version = line.split(" ")
    path, _, query = target.partition("?")
    headers = []
    for field in lines:
        name, _, value = field.partition(":")
        value = value.strip(" \t")
        headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": version.removeprefix("HTTP/"),
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": headers,
    }


def response_head(status: int, headers: Any) -> bytes:
    """Return status line and fields. The reason may be empty (RFC 9112 §4)."""
    fields = [*headers, (b"transfer-encoding", b"chunked"), (b"connection", b"close")]
    lines = b"".join(b"%b: %b\r\n" % (name, value) for name, value in fields)
    return b"HTTP/1.1 %d \r\n%b\r\n" % (status, lines)
