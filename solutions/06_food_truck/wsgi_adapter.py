"""A WSGI application on an ASGI server: in a thread, so that nobody else has to wait for it.

This is what lets a food truck serve Flask: a WSGI app blocks whenever it likes, and the loop must
not notice. You have seen both contracts; here they meet.

    app = adapt(flask_app)          # an ASGI application

The conversation
- HTTP only. Any other type of scope raises a ValueError, before anything else happens.
- The whole body is read before the app is called. When http.disconnect comes before its end, you
  return: the app is not called, and nothing is sent.
- The app is called, its iterable iterated, and close() called in threads, never on the loop.
- start_response (PEP 3333, The start_response() Callable) may be called as late as with the first
  block. A second call without exc_info is an AssertionError; with exc_info it replaces status and
  headers, or raises exc_info[1] if the head has left. It returns write(block); what is written
  comes before the blocks that follow.
- http.response.start leaves with the first block that is not empty, or at the end. Status 404 for
  "404 Not Found"; names in lower case, names and values as latin-1 bytes, in the app's order.
- Each block that is not empty becomes one http.response.body with more_body, and is sent (send has
  come back) before the next one is asked for. At the end comes an empty body without more_body.
- close() of the iterable, if there is one, is called once, always: after success, when the app
  raises in the middle of its blocks, when send raises because the client has gone.
- What the app or send raises goes on to the server, after close(). An app that never calls
  start_response is a RuntimeError.
- You may be cancelled; a thread cannot. That case is left out here.

The environ (PEP 3333, environ Variables): plain str where nothing else is said
- REQUEST_METHOD, QUERY_STRING, SERVER_PROTOCOL ("HTTP/1.1"), as the scope says. SERVER_NAME and
  SERVER_PORT from scope["server"], or "localhost" and "80" if it is None. REMOTE_ADDR from
  scope["client"], if that is not None.
- SCRIPT_NAME is the root_path ("" if the scope has none). PATH_INFO is the path without the
  root_path, with which it begins. Both are native strings: one character for each byte of the
  UTF-8, as the server of chapter 02 gave them ("/café" is "/cafÃ©").
- CONTENT_TYPE, and HTTP_… for the other headers, decoded from latin-1. Several of one name are
  joined with "," (Cookie: with "; "). A name with "_" in it is left out.
- CONTENT_LENGTH is the length of the body that you have read, whatever the headers say: a chunked
  request has none, and apps trust it.
- wsgi.input is a file with the body; wsgi.version; wsgi.url_scheme, "http" if the scope has no
  scheme; wsgi.errors; wsgi.multithread and wsgi.multiprocess are True (there may be other workers),
  wsgi.run_once is False.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from io import BytesIO
from typing import Any

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
ASGIApp = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]
LATIN = "latin-1"  # a native string: one character for each byte


def adapt(wsgi_app: WSGIApp) -> ASGIApp:
    """Return an ASGI application that serves `wsgi_app`, in threads."""

    async def app(
        scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if scope["type"] != "http":
            raise ValueError(f"a WSGI application cannot serve {scope['type']!r}")
        body = await read_body(receive)
        if body is None:
            return
        loop = asyncio.get_running_loop()

        def send_from_thread(message: dict[str, Any]) -> None:
            asyncio.run_coroutine_threadsafe(send(message), loop).result()

        response = Response(send_from_thread)
        await asyncio.to_thread(respond, wsgi_app, make_environ(scope, body), response)

    return app


async def read_body(receive: Callable[..., Any]) -> bytes | None:
    """Return the whole body, or None if the client goes before its end."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def make_environ(scope: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Return the environ of one request."""
    host, port = scope.get("server") or ("localhost", 80)
    root = scope.get("root_path") or ""
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root.encode().decode(LATIN),
        "PATH_INFO": scope["path"].removeprefix(root).encode().decode(LATIN),
        "QUERY_STRING": scope["query_string"].decode(LATIN),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme") or "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.get("client"):
        environ["REMOTE_ADDR"] = scope["client"][0]
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue
        name, value = (
            raw_name.decode(LATIN).upper().replace("-", "_"),
            raw_value.decode(LATIN),
        )
        key = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        if key in environ:
            value = environ[key] + ("; " if name == "COOKIE" else ",") + value
        environ[key] = value
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


class Response:
    """What the app has said of its response, and what of it has left."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self.send = send
        self.head: dict[str, Any] | None = None
        self.head_sent = False

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """The start_response of PEP 3333."""
        if exc_info and self.head_sent:
            raise exc_info[1]
        if self.head is not None and not exc_info:
            raise AssertionError("start_response was called twice, without exc_info")
        fields = [(k.lower().encode(LATIN), v.encode(LATIN)) for k, v in headers]
        self.head = {"type": "http.response.start", "status": int(status[:3]), "headers": fields}
        return self.write

    def write(self, block: bytes) -> None:
        """Send a block, and the head before the first one."""
        if block:
            self.send_head()
            self.send({"type": "http.response.body", "body": block, "more_body": True})

    def finish(self) -> None:
        """Send the end."""
        self.send_head()
        self.send({"type": "http.response.body", "body": b""})

    def send_head(self) -> None:
        """Send the head, once."""
        if self.head is None:
            raise RuntimeError("the application did not call start_response")
        if not self.head_sent:
            self.head_sent = True
            self.send(self.head)


def respond(wsgi_app: WSGIApp, environ: dict[str, Any], response: Response) -> None:
    """Call the app and send what it gives; this runs in a thread and may block."""
    result = wsgi_app(environ, response.start)
    try:
        for block in result:
            response.write(block)
        response.finish()
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
