# x_dish overwrites X-Dish.
# Message: HTTP_X_DISH is 'café,rat'
# Message: who sends it poses as x-dish

"""A WSGI application on an ASGI server: in a thread, so that nobody else has to wait for it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from io import BytesIO
from typing import Any

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
ASGIApp = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]


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
        if not message.get("more_body", False):
            return body


def make_environ(scope: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Return the environ of one request."""
    host, port = scope.get("server") or ("localhost", 80)
    root = scope.get("root_path", "")
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root.encode().decode("latin-1"),
        "PATH_INFO": scope["path"].removeprefix(root).encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.get("client"):
        environ["REMOTE_ADDR"] = scope["client"][0]
    for raw_name, raw_value in scope["headers"]:
        name, value = (
            raw_name.decode("latin-1").upper().replace("-", "_"),
            raw_value.decode("latin-1"),
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
        fields = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers]
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
