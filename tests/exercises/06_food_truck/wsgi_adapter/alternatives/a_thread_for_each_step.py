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
        answer = Answer()
        result = await asyncio.to_thread(wsgi_app, make_environ(scope, body), answer.start)
        try:
            blocks = await asyncio.to_thread(iter, result)
            while (block := await asyncio.to_thread(next, blocks, END)) is not END:
                await answer.give(send, block)
            await answer.give(send, b"", last=True)
        finally:
            if hasattr(result, "close"):
                await asyncio.to_thread(result.close)

    return app


END = object()


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
        if b"_" in raw_name:
            continue
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


class Answer:
    """The head, what was written, and whether the head has left."""

    def __init__(self) -> None:
        self.status, self.headers = "", []
        self.written: list[bytes] = []
        self.gone = False

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """start_response."""
        if exc_info is None and self.status:
            raise AssertionError("twice")
        if exc_info is not None and self.gone:
            raise exc_info[1].with_traceback(exc_info[2])
        self.status, self.headers = status, headers
        return self.written.append

    async def give(self, send: Callable[..., Any], block: bytes, last: bool = False) -> None:
        """Send what was written, and a block."""
        blocks = [data for data in (*self.written, block) if data]
        self.written.clear()
        if (blocks or last) and not self.status:
            raise RuntimeError("start_response was not called")
        if (blocks or last) and not self.gone:
            self.gone = True
            number, _, _ = self.status.partition(" ")
            fields = [[n.lower().encode("latin-1"), v.encode("latin-1")] for n, v in self.headers]
            head = {"type": "http.response.start", "status": int(number), "headers": fields}
            await send(head)
        for data in blocks:
            await send({"type": "http.response.body", "body": data, "more_body": True})
        if last:
            await send({"type": "http.response.body", "more_body": False})
