"""A stream that ends when nobody listens any more.

A response may last for hours, and most of that time its app waits: for the next price, the next
order. If the client goes meanwhile, only `receive` tells.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


def streaming(take: Callable[[], Awaitable[bytes]], release: Callable[[], Awaitable[None]]) -> App:
    """Return an ASGI app that sends what take() gives, until its end or until the client has gone.

    app = streaming(take, release)

    If await take() returns b"one", then b"", the app sends (ASGI HTTP, Response Start and Body)
    {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]},
    {"type": "http.response.body", "body": b"one", "more_body": True} and
    {"type": "http.response.body", "body": b"", "more_body": False}.

    - The start is sent before the first take(), and each block before the next take(). There is one
      take() at a time, and none after the b"".
    - take() may wait for ever. If receive() gives http.disconnect (ASGI HTTP, Disconnect), at any
      time, also during a take() or a send(): cancel what the app is waiting for, send nothing more,
      and return None. Any other message of receive() changes nothing.
    - If send() raises OSError, the client has gone as well: return None (ASGI HTTP, Disconnected
      Client).
    - What take() raises is raised by the app, after the release.
    - await release() is called exactly once, at the end, when no take() is running any more: after
      the last block, a disconnect, an exception, and also if the app is cancelled. A cancelled app
      ends with CancelledError.
    - The app leaves no task behind.
    """
    raise NotImplementedError("your code")
