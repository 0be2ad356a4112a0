"""Whiteboard: the head of a request, from a stream that may split anywhere.

"Parse an HTTP request" is easy for who has all of it in one string. TCP gives half a line, or a
line and the beginning of the next request; and the client may end, or never end.
"""

from collections.abc import Callable


def read_head(
    recv: Callable[[int], bytes], limit: int = 65_536
) -> tuple[str, str, dict[str, str], bytes] | None:
    r"""Return method, target, headers, and the bytes that came after the head.

    `recv(count)` is that of a socket: it returns at least one byte and at most `count`, or b"" if
    the client has ended.

        recv gives b"GET /me", then b"nu HTTP/1.1\r\nHost: a\r", then b"\n\r\nsoup"
        → ("GET", "/menu", {"host": "a"}, b"soup")

    - The head ends with the first b"\r\n\r\n". When it is there, recv is not called again: a socket
      would wait.
    - Its first line is method, target and version, with one space between them. The version is
      HTTP/1.1 or HTTP/1.0, and none of the three is empty (RFC 9112 §3).
    - Each other line is a name, a colon, a value (RFC 9112 §5). The name has at least one character
      and no white space at its ends; it becomes lower case. The value loses the spaces and tabs at
      its ends. A name that comes twice: one value, joined by ", " (RFC 9110 §5.3).
    - A head without headers is fine. Text is latin-1.
    - None if the client ends before the first byte.
    - ValueError for what is not as said above; for a "\r" or "\n" within a line (RFC 9112 §2.2); if
      the client ends in the middle of the head; if the head, b"\r\n\r\n" included, has more than
      `limit` bytes. When `limit` bytes have come without its end, recv is not called again.
    """
    raise NotImplementedError("your code")
