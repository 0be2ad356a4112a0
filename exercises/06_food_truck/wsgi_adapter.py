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


def adapt(wsgi_app: WSGIApp) -> ASGIApp:
    """Return an ASGI application that serves `wsgi_app`, in threads."""
    raise NotImplementedError("your code")
