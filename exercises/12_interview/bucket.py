"""Whiteboard: a rate limit, as an ASGI middleware with a bucket of tokens for each client.

A **token bucket** allows a burst, and afterwards so many requests a second on average. It needs two
numbers for a client, and no timer.
"""

from collections.abc import Awaitable, Callable
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]

BODY = {"type": "http.response.body", "body": b"429 Too Many Requests\n"}


def limited(app: App, rate: float, burst: int, clock: Callable[[], float]) -> App:
    """Return an ASGI app that hands a request on to `app` if its client has a token left.

    app = limited(app, rate=2.0, burst=5, clock=time.monotonic)

    - Each client has a bucket of its own. A client is the host in the scope's `client`, [host,
      port], which may be None, or not in the scope at all (ASGI HTTP, Connection Scope): all of
      those are one client.
    - A bucket is full at the client's first request: `burst` tokens. It gains `rate` tokens a
      second, parts of tokens as well, and never holds more than `burst`.
    - A request takes one whole token, and is handed on as it is. What the app raises is raised.
    - If there is no whole token: the app is not called, and nothing is taken. The answer is an
      http.response.start with status 429 and the headers (b"content-type", b"text/plain") and
      (b"retry-after", …), then BODY. The value of retry-after: the seconds until there is a whole
      token, rounded up, in digits (RFC 6585 §4, RFC 9110 §10.2.3).
    - The token is taken before the app runs: requests that come together share one bucket.
    - `clock()` gives seconds; it is read once for each request.
    - Any other type of scope goes to the app as it is: no token, no look at the clock.
    """
    raise NotImplementedError("your code")
