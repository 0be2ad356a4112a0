# A task reads for the app, one piece ahead, and puts what it finds into a queue of one place.

"""Bug hunt: an ASGI server that keeps its promises."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
START, BODY = "http.response.start", "http.response.body"


async def serve(app: App, reader: StreamReader, writer: StreamWriter) -> None:
    """Serve one client: one request, one response, the end."""
    try:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            return
        scope = build_scope(head)
        inbox: asyncio.Queue[Message] = asyncio.Queue(1)
        over = asyncio.Event()
        reading = asyncio.create_task(read_body(scope, reader, inbox, over))
        try:
            await Response(app, writer, inbox, over).run(scope)
        finally:
            reading.cancel()
            await asyncio.wait([reading])
    finally:
        writer.close()


async def read_body(
    scope: dict[str, Any], reader: StreamReader, inbox: asyncio.Queue[Message], over: asyncio.Event
) -> None:
    """Read the body, then wait for the end."""
    left = int(dict(scope["headers"]).get(b"content-length", 0))
    try:
        if not left:
            await inbox.put({"type": "http.request"})
        while left:
            data = await reader.read(min(left, 4096))
            if not data:
                return over.set()
            left -= len(data)
            await inbox.put({"type": "http.request", "body": data, "more_body": left > 0})
        await reader.read()
    except OSError:
        pass
    over.set()


class Response:
    """What the app says, and hears."""

    def __init__(
        self, app: App, writer: StreamWriter, inbox: asyncio.Queue[Message], over: asyncio.Event
    ) -> None:
        self.app, self.writer, self.inbox, self.over = app, writer, inbox, over
        self.sent = self.complete = False
        self.head: bytes | None = None

    async def run(self, scope: dict[str, Any]) -> None:
        """Call the app; a 500 if that is all there is to say."""
        try:
            await self.app(scope, self.receive, self.send)
        except Exception as error:
            print("the app failed:", repr(error))
        if not self.sent:
            self.writer.write(response_head(500, ()) + b"0\r\n\r\n")

    async def receive(self) -> Message:
        """The next message of the inbox, or the end."""
        if self.complete:
            return {"type": "http.disconnect"}
        tasks = [asyncio.ensure_future(self.inbox.get()), asyncio.ensure_future(self.over.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():
                return tasks[0].result()
            return {"type": "http.disconnect"}
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def send(self, message: Message) -> None:
        """Take the next message; return when the client can take more."""
        if self.complete or message["type"] != (START if self.head is None else BODY):
            raise RuntimeError(f"{message['type']} now?")
        if self.head is None:
            self.head = response_head(message["status"], message.get("headers", ()))
            return
        if not self.sent:
            self.writer.write(self.head)
        self.sent = True
        data = message.get("body", b"")
        if data:
            self.writer.write(b"%x\r\n" % len(data) + data + b"\r\n")
        if not message.get("more_body", False):
            self.complete = True
            self.writer.write(b"0\r\n\r\n")
            self.over.set()
        await self.writer.drain()


def build_scope(head: bytes) -> dict[str, Any]:
    """Return the scope of a request from its head."""
    line, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, version = line.split(" ")
    path, _, query = target.partition("?")
    fields = (field.encode("latin-1").partition(b":") for field in lines)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": version.removeprefix("HTTP/"),
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": [(name.lower(), value.strip(b" \t")) for name, _, value in fields],
    }


def response_head(status: int, headers: Any) -> bytes:
    """Return status line and fields."""
    fields = [*headers, (b"transfer-encoding", b"chunked"), (b"connection", b"close")]
    lines = b"".join(b"%b: %b\r\n" % (name, value) for name, value in fields)
    return b"HTTP/1.1 %d \r\n%b\r\n" % (status, lines)
