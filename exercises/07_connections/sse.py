"""Server-sent events: one response that does not end, with a small text format in its body.

The browser's half is `new EventSource("/events")` (WHATWG HTML, 9.2 Server-sent events).
"""

from collections.abc import Awaitable, Callable
from typing import Any


def encode_event(data: str, event: str = "", id: str | None = None) -> bytes:
    r"""Return one event in UTF-8 (WHATWG HTML, 9.2.5 Parsing an event stream).

    encode_event("soup\nbread", "menu", "7") == b"event: menu\nid: 7\ndata: soup\ndata: bread\n\n"

    - Lines end with LF. The order is `event: ` if the event has a name, `id: ` if it has an id (it
      may be empty), one `data: ` for each line of data, also an empty one; then an empty line.
    - CRLF, LF and a CR alone each end a line of data, and nothing else does.
    - Raise ValueError if the name or the id contains CR or LF, or the id a NUL character: they
      would become other fields, and an id with NUL is ignored (9.2.6).
    """
    raise NotImplementedError("your code")


def event_app(next_event: Callable[[], Awaitable[dict[str, str] | None]]) -> Callable[..., Any]:
    """Return an ASGI application that sends events until they end or the client has gone.

    `await next_event()` gives the arguments of `encode_event` as a dictionary, or None when there
    will be no more. The application does this (ASGI 3.0, HTTP & WebSocket message format):

    - At once: http.response.start with status 200 and exactly the headers
      (b"content-type", b"text/event-stream") and (b"cache-control", b"no-cache").
    - For each event, as soon as it is there: http.response.body with the event, more_body True.
    - After the last one: http.response.body with an empty body and more_body False.
    - When `receive` gives http.disconnect: nothing more is sent, the wait for the next event is
      cancelled, and the application returns. What else `receive` gives does not matter.
    - When it returns, whatever the reason, no task of it is left.
    """
    raise NotImplementedError("your code")
