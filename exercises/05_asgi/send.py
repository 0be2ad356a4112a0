"""What the app sends, and what the client gets: a state machine between messages and bytes.

No socket and no loop here: a message goes in, the bytes for the client come out.
"""

from collections.abc import MutableMapping
from typing import Any


class Response:
    """The response to one request (ASGI HTTP, Response Start and Response Body)."""

    def __init__(self, method: str, minor: int) -> None:
        """Begin the response to a request with this method, in HTTP/1.`minor`: 0 or 1."""
        raise NotImplementedError("your code")

    def send(self, message: MutableMapping[str, Any]) -> bytes:
        r"""Take the next message of the app; return the bytes that leave now.

        response = Response("GET", 1)
        response.send({"type": "http.response.start", "status": 200, "headers": []}) == b""
        response.send({"type": "http.response.body", "body": b"soup"}) == (
            b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsoup"
        )

        The order is one http.response.start, then http.response.body until one without a true
        "more_body". Defaults: no "headers", "body" b"", "more_body" False. The head leaves with the
        first body message, also an empty one: until then an error can still be answered.

        The head has the status line, with http.HTTPStatus(status).phrase (always HTTP/1.1: RFC 9112
        §2.3; any other status from 200 to 599 has no phrase: b"HTTP/1.1 299 \r\n"), then the fields
        of the app, `name: value`, in their order and as they are, then what tells the client where
        the body ends (RFC 9112 §6.3):

        - The app gives content-length, in any case of letters: no other field.
        - Else, if the first body message is the last one: `content-length: ` and its length.
        - Else `transfer-encoding: chunked` in HTTP/1.1: each body that is not empty is one chunk
          (RFC 9112 §7.1; the size in lower case without zeros in front), and b"0\r\n\r\n" the end.
        - Else, in HTTP/1.0, `connection: close`, and the body as it is.

        A transfer-encoding of the app is left out: framing is the server's (ASGI HTTP, Response
        Start). For HEAD the head is the one that GET would get, but nothing of the body leaves, no
        chunk and no end (RFC 9110 §9.3.2). For 204 nothing of the body leaves either, and neither
        content-length nor transfer-encoding is in the head, not even the app's (RFC 9110 §8.6).

        Raise, and change nothing, so that the app may go on with a right message:

        - RuntimeError: the message is of another type or comes at the wrong time, also after the
          end. Or the body gets longer than the app's content-length, or is shorter at its end; for
          HEAD and 204 neither is checked.
        - TypeError: "status" is no int; a name, a value or "body" is no bytes.
        - ValueError: the status is not from 200 to 599; a name or a value contains CR or LF (RFC
          9112 §11.1); a content-length consists of anything but digits, or comes twice.
        """
        raise NotImplementedError("your code")
