"""Bug hunt: an ASGI server that serves its own demo.

It answers a GET with a chunked response, and `curl -d soup` as well. It also breaks a good dozen
promises of ASGI 3.0, most of them only when somebody is slow, leaves, or makes a mistake. Find them
and repair them; the grader names one at a time.

What `serve` promises. It has one client, as the streams of asyncio: it reads one request, calls the
app once, and closes the connection. Clients send a well-formed GET or POST, with a Content-Length
or without a body, and nothing after it. They may be slow, and they may leave at any time.

scope (ASGI HTTP, HTTP Connection Scope)
- `path` is percent-decoded, and ends at the first "?" of the target. `raw_path` is what came.
- `headers`: all of them, in their order, also the repeated ones; names in lower case.

receive (ASGI HTTP, Request and Disconnect)
- It gives what has arrived of the body, in one or more http.request messages, and does not wait for
  the whole body. `more_body` is true until the last byte is there. Without a body: b"", at once.
- What the app does not ask for is not read into memory without a limit.
- After the body it waits until the client has ended or left, or the response is complete: then it
  gives http.disconnect. So does a call after the end. Half a body and then no client: the same.

send (ASGI HTTP, Response Start and Response Body; RFC 9112 §7.1)
- One http.response.start, then bodies until one without a true more_body. Anything else is a
  RuntimeError, raised into the app, and changes nothing.
- The head leaves with the first body message, also with an empty one: the app's headers as they
  are, then `transfer-encoding: chunked` and `connection: close`. No app here gives a length.
- Each body that is not empty is one chunk, and leaves at once. The last chunk, 0, leaves with the
  last message, also when the app works on afterwards.
- It does not return while the client is too slow, and raises an OSError when the client has gone.
  A client that has only ended its own sending side still gets its response.

Trouble
- The app raises or returns. If no head has left: a 500, with any headers and body. If the head has
  left, and the end has not: the connection closes without a last chunk, so that the client notices.
- The app is not called when the client leaves before the head of its request is complete.
- In the end the connection is closed, and no task is left. `serve` raises nothing, with one
  exception: when it is cancelled, the app is cancelled, and the CancelledError goes on.
"""

from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]


async def serve(app: App, reader: StreamReader, writer: StreamWriter) -> None:
    """Serve one client: one request, one response, the end."""
    scope = build_scope(await reader.readuntil(b"\r\n\r\n"))
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            return {"type": "http.disconnect"}
        asked = True
        data = await reader.read(65_536)
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            writer.write(response_head(message["status"], message.get("headers", ())))
        else:
            data = message.get("body", b"")
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))

    await app(scope, receive, send)
    writer.write(b"0\r\n\r\n")
    writer.close()


def build_scope(head: bytes) -> dict[str, Any]:
    """Return the scope of a request from its head."""
    line, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, version = line.split(" ")
    path, _, query = unquote(target).partition("?")
    headers = {}
    for field in lines:
        name, _, value = field.partition(":")
        headers[name.lower().encode("latin-1")] = value.strip(" \t").encode("latin-1")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": version.removeprefix("HTTP/"),
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode("latin-1"),
        "headers": list(headers.items()),
    }


def response_head(status: int, headers: Any) -> bytes:
    """Return status line and fields. The reason may be empty (RFC 9112 §4)."""
    fields = [*headers, (b"transfer-encoding", b"chunked"), (b"connection", b"close")]
    lines = b"".join(b"%b: %b\r\n" % (name, value) for name, value in fields)
    return b"HTTP/1.1 %d \r\n%b\r\n" % (status, lines)
