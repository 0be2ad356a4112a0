"""`start_response`: small signature, many rules.

The app calls it to announce status and headers. It may change its mind as long as nothing was sent.
So you do not send; you remember. The head leaves together with the first bytes of the body.
"""

from collections.abc import Callable
from types import TracebackType

ExcInfo = tuple[type[BaseException], BaseException, TracebackType]


class StartResponse:
    r"""The start_response of one response (PEP 3333, The start_response() Callable).

    start_response = StartResponse(send)       # send(data) hands bytes to the client
    write = start_response("200 OK", [("Content-Type", "text/plain")])     # nothing is sent
    write(b"")                                                             # nothing is sent
    write(b"soup")        # sends b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nsoup"
    start_response.finish()                                                # all was sent already

    Wrong types raise TypeError, wrong values ValueError, calls at the wrong time AssertionError.
    Whatever raises has sent nothing, and has changed nothing.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        """Keep `send`. It may be called any number of times; only the order of the bytes counts."""
        raise NotImplementedError("your code")

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """Remember status and headers, and return the method `write`.

        Called again without exc_info: AssertionError. Called with exc_info (first or again):
        - nothing was sent yet: the new status and headers replace all that was remembered;
        - the head was sent: too late, so raise the exception in exc_info, that very object.

        Types: status is a str, headers a list, each item a tuple of two str.
        The status is three digits, of which the first is 2 to 5, one space, and a reason that
        neither begins nor ends with a space. A name is a token (RFC 9110 §5.6.2): letters, digits,
        !#$%&'*+-.^_`|~ and at least one of them. Reason and values are latin-1 (up to U+00FF)
        without control characters (U+0000 to U+001F, U+007F). Hop-by-hop headers are refused, in
        any case: they are up to the server (`wsgiref.util.is_hop_by_hop` knows them).
        """
        raise NotImplementedError("your code")

    def write(self, block: bytes) -> None:
        """Send the block. The head goes first, once, and waits for the first block with a byte."""
        raise NotImplementedError("your code")

    def finish(self) -> None:
        """The body has ended: send the head if it was not sent yet."""
        raise NotImplementedError("your code")
