"""The answer: a status line, fields, an empty line, and the body.

The client has to find the end of the body, so you say how long it is. And what an app puts into a
field may come from a stranger: one CRLF in it, and the stranger writes the rest of your answer.
"""


def build_response(
    status: int, fields: list[tuple[str, str]], body: bytes, method: str = "GET"
) -> bytes:
    r"""Return a whole HTTP/1.1 response as bytes. `method` is that of the request.

    build_response(200, [("Content-Type", "text/plain")], b"hello") == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
    )

    - The status line is the version, a space, the status, a space, the reason, CRLF (RFC 9112 §4).
      The reason is the phrase of `http.HTTPStatus`. For a status that is not listed there it is
      empty; the space before it stays.
    - The fields follow in their order, each as name, `: `, value, CRLF. Text becomes latin-1.
    - Then comes your own `Content-Length`, the number of bytes in `body` (RFC 9110 §8.6), then an
      empty line, then the body.
    - The answer to HEAD has the same head as the one to GET, and no body (RFC 9110 §9.3.2).
    - 204 and 304 have no body and no Content-Length, whatever the method is (RFC 9112 §6.3).

    Raises ValueError, and so sends nothing, for
    - a status that is not final: below 200 or above 599 (RFC 9110 §15);
    - a name that is not a token: letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 §5.6.2);
    - a value with a control character other than the tab (CR and LF!), or with a character
      that latin-1 does not have (RFC 9110 §5.5);
    - a field called Content-Length or Transfer-Encoding, in upper or lower case: how the body ends
      is up to you, not to the app.
    """
    raise NotImplementedError("your code")
