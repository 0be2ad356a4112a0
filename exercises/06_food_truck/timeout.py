"""A time-out for every endpoint: an ASGI middleware that answers 504 and cleans up.

Whoever waits too long for an answer has gone long ago. The middleware gives the app a certain time
to begin its answer. Then it cancels it, waits until it has cleaned up, and answers itself:

    app = with_timeout(app, 2.0)

    async with asyncio.timeout(2.0):    # a beginning, and not more than that: read on
        await app(scope, receive, send)
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]

START = {
    "type": "http.response.start",
    "status": 504,
    "headers": [(b"content-type", b"text/plain")],
}
BODY = {"type": "http.response.body", "body": b"504 Gateway Timeout\n"}


def with_timeout(app: App, seconds: float) -> App:
    """Return an ASGI app that gives `app` so many seconds to begin its answer, or says 504.

    - Only for scopes of type "http". All others go to the app as they are, with no time-out.
    - The app's answer has begun when it calls send with http.response.start, even if this send
      has to wait. From then on there is no time-out any more: a head has left, and a 504 after it
      would be a second one. A stream may take as long as it likes.
    - Otherwise, when the time is over, the app is cancelled: CancelledError is raised where it
      waits, so that its `finally` and `async with` run. They may take their time, and await: you
      wait until the app has ended. Only then START and BODY are sent.
    - An app that answers while it cleans up has answered: no 504 then. An app that catches the
      cancellation and returns without an answer gets the 504.
    - What the app raises goes on to the server, also a TimeoutError of its own: that is no 504.
    - When you are cancelled yourself (the server ends), so is the app: it cleans up, and the
      cancellation goes on to the server. No 504.
    - No task is left behind, whatever happens.
    """
    raise NotImplementedError("your code")
