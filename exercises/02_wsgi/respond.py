"""The heart of a WSGI server: call the app, send what it yields, clean up after it.

An app may return a list, a generator that takes an hour, or an exception. Your client should see
the first block at once, find the end of the body, and notice when the body is only half of it.
"""

from collections.abc import Callable, Iterable
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def respond(app: App, environ: dict[str, Any], send: Callable[[bytes], None]) -> bool:
    r"""Send the response of `app`; return True if another response may follow on the connection.

    An app that returns iter([b"soup", b"", b"tea"]) for a GET over HTTP/1.1 leads to

        HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n
        4\r\nsoup\r\n    3\r\ntea\r\n    0\r\n\r\n                            and returns True.

    `send(data)` blocks until the bytes are on their way. It raises OSError when the client is gone.
    The start_response that you write gets good status and headers and no exc_info, once, perhaps
    only while the body is produced. It returns write(block), which sends a block like any other.

    Laziness (PEP 3333, Buffering and Streaming): a block is sent before the next one is asked for.
    The status line and the headers, the app's in its order, go out with the first block that is not
    empty, or at the end. Empty blocks are not sent.

    The end of the body (RFC 9112 §6.3), by the first line that applies:
    1. HEAD (REQUEST_METHOD), status 204 or 304: the head alone. You add no header. True. (The
       server of this chapter adds the Content-Length of a list to HEAD; both are allowed.)
    2. The app gave a Content-Length: what is too long is cut. If it is too short, return False.
    3. The app returned a list or a tuple, and wrote nothing before: you add Content-Length.
    4. SERVER_PROTOCOL is HTTP/1.1: you add Transfer-Encoding: chunked. One chunk for each block.
    5. Otherwise the end of the connection is the end of the body: return False.

    Trouble: the app raises anything (SystemExit too), never calls start_response, or yields what is
    not bytes. No head was sent: answer 500 (to HEAD, too, without a body). One was sent: send
    nothing more, and no last chunk, so that half a body looks like one. Both return False, and
    raise nothing.
    The client is gone: ask the app for nothing more, send nothing more, return False.

    close() of what the app returned, if it has one, is called once, after the last block was asked
    for, whatever happened. If close() itself raises, ignore it. (PEP 3333, The Server Side)
    """
    raise NotImplementedError("your code")
