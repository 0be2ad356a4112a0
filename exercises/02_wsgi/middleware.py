"""A middleware: an app to the server, a server to the app.

It sits between the two and keeps the promises of both. It is easy to write one that works in every
test, and turns a stream into one block, or swallows `close()`, in production.
"""

from collections.abc import Callable, Iterable
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Report = Callable[[str, str, int, float], None]


def metered(app: App, report: Report, clock: Callable[[], float]) -> App:
    """Return a WSGI app that does what `app` does, adds a header, and measures the body.

    app = metered(app, report, time.monotonic)

    A request for /menu that the app answers with 404 and b"no ", b"soup" in two blocks gets the
    extra header ("X-Request-Id", "7") and leads to report("/menu", "404 Not Found", 7, 0.25).

    The header: after the app's own, X-Request-Id with the value of environ's HTTP_X_REQUEST_ID, or
    "none". It comes with every call of start_response, early, late, or with exc_info. The list of
    the app stays as it is: the app may use it for all its requests.

    The rest passes through (PEP 3333, Middleware: Components that Play Both Sides):
    - environ, status, exc_info, what start_response raises, and what the app raises;
    - start_response gets two arguments or, with exc_info, three: the server's gets as many;
    - the app is called when yours is called, not later;
    - blocks one by one: you ask the app for a block only when the server asks you, and you hand on
      every one, empty blocks as well;
    - write() too: what the app writes goes on at once, and counts.

    What you return has a close(), whether the app's iterable has one or not. The server calls it
    once. It calls the close() of the app's iterable once, also if nothing or only half was read.
    Then, also if that raised, it calls report(path, status, size, seconds):
    - path is PATH_INFO as it was when your app was called, though the app may change its environ;
    - status is the last one that the app announced, "" if it announced none;
    - size is the number of bytes handed on, written ones included;
    - seconds is clock() in close() minus clock() when your app was called: two calls, no more.
    If the app raises when it is called, there is nothing to close and nothing to report.
    """
    raise NotImplementedError("your code")
