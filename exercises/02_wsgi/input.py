"""`wsgi.input`: a file that is really the middle of a connection.

Bytes of the body arrive when they please. Behind them comes the next request, or nothing at all.
Whoever reads one byte too many steals it from the next request, or waits for ever.

The server of this chapter collects the body before it calls the app. This file is for a server that
calls the app at once, and receives the body while the app reads it.
"""

from collections.abc import Callable, Iterator


class BodyInput:
    r"""The body of one request, as a file (PEP 3333, Input and Error Streams).

    `receive(n)` is the connection's `recv`: it waits, then returns 1 to n bytes; b"" means that
    the client has hung up. `length` is how many bytes of body are still in the connection.

    body = BodyInput(receive, 12)      # in the connection: b"soup\nsalad\n!GET / HTTP/1.1\r\n…"
    body.readline() == b"soup\n"
    body.read(3) == b"sal"
    list(body) == [b"ad\n", b"!"]
    body.read() == b""                 # without asking: the end is known

    For all of them:
    - never ask for more than is left of the body, and never ask when nothing is left;
    - ask only while what you hold is not enough: no waiting for bytes that nobody wants yet;
    - when you ask, ask for all that is left: you get what has arrived. Not byte by byte, since each
      call is a system call;
    - what you hold and did not return is for the next call, whichever method that is;
    - at the end of the body: b"" (readlines: [], iteration: stops), as often as one asks;
    - the client hangs up before what was asked for is there: raise ConnectionError (or a subclass).
      Half a body must not look like a whole one.
    """

    def __init__(self, receive: Callable[[int], bytes], length: int) -> None:
        """Remember both; receive nothing."""
        raise NotImplementedError("your code")

    def read(self, size: int | None = None) -> bytes:
        """Return exactly `size` bytes, fewer at the end only; None or negative: all the rest."""
        raise NotImplementedError("your code")

    def readline(self, size: int | None = None) -> bytes:
        r"""Return up to and with the next b"\n", the end, or `size` bytes; whichever is first.

        None or negative: any length.
        """
        raise NotImplementedError("your code")

    def readlines(self, hint: int | None = None) -> list[bytes]:
        """Return all lines that are left. You may ignore the hint (PEP 3333 says so)."""
        raise NotImplementedError("your code")

    def __iter__(self) -> Iterator[bytes]:
        """Return an iterator over the lines that are left, each read when it is asked for."""
        raise NotImplementedError("your code")
