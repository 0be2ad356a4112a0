"""What every answer carries, and how much every request may: nothing too large is kept waiting."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.classroom.messages import LARGEST_TRACE

MIB = 1 << 20
LARGEST = 64 << 10  # bytes of a request's body
LARGER = ("/timeline", "/frame")  # what takes LARGEST_TRACE
POURED_AWAY = 32 * MIB  # of a body that is too large; a connection that brings more is cut
# Of this machine only; nothing inline, so that no text can become code; in nobody's frame.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A document that plays a learner's trace: it has a script, and an origin that nobody else has.
PLAYER_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"
    " img-src data: blob:; sandbox allow-scripts"
)
# The same inside of our own page, while the run goes on.
FOLLOWER = {
    "Content-Security-Policy": f"{PLAYER_POLICY}; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class TooLarge(HTTPException):
    """More came than is taken."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(413, f"This is too large: the board takes {most:,} bytes at most.")


class Guard:
    """ASGI middleware: adds ``HEADERS``, and answers 413 to what is too large.

    A length that is announced is judged before a byte of the body is read; a body without one is
    counted as it comes. Neither is kept.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Of one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = LARGEST_TRACE if scope["path"].endswith(LARGER) else LARGEST
        if _announced(scope) > most:
            await _refuse(most, receive, send)
            return
        came, begun = 0, False

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise TooLarge(most)
            return message

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                _add_headers(message)
            await send(message)

        try:
            await self.app(scope, counted, guarded)
        except TooLarge:
            if begun:
                raise
            await _refuse(most, receive, send)


def _announced(scope: Scope) -> int:
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(values[0]) if values else 0  # the server lets digits pass, and nothing else


def _add_headers(message: Message) -> None:
    given = {name.lower() for name, _ in message.setdefault("headers", [])}
    message["headers"] += [
        (name.lower().encode(), value.encode())
        for name, value in HEADERS.items()
        if name.lower().encode() not in given
    ]


async def _refuse(most: int, receive: Receive, send: Send) -> None:
    """Answer at once, and pour away what still comes: whoever sends it hears the answer so."""
    body = json.dumps({"detail": TooLarge(most).detail}).encode()
    start: dict[str, Any] = {
        "type": "http.response.start",
        "status": 413,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ],
    }
    _add_headers(start)
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": True})
    left = POURED_AWAY
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            break
    await send({"type": "http.response.body", "body": b""})
