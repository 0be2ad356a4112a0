"""A body of unknown length: chunks that say how long they are, and a last one that is empty.

TCP is a stream of bytes. A piece that `recv` gives you may end anywhere: in the middle of a chunk,
of its size, or between CR and LF. So a decoder keeps what it cannot use yet, and waits for more.
"""

MAX_LINE = 256  # bytes of a size line or a trailer field, without its CRLF
MAX_TRAILERS = 16


class ChunkedDecoder:
    r"""Decode one chunked body that arrives in pieces (RFC 9112 §7.1).

    decoder = ChunkedDecoder()
    decoder.feed(b"5\r\nhel") == b"hel"
    decoder.feed(b"lo\r\n0\r\n\r\nGET /") == b"lo"
    decoder.done is True
    decoder.rest == b"GET /"

    The form of a body:
    - A chunk is a size line, as many bytes as it says, and CRLF. The size has 1 to 15 hexadecimal
      digits, upper or lower case, and nothing else: no sign, no prefix, no white space before it.
    - An extension may follow the size: spaces or tabs, or none, then `;`, then anything without
      control characters other than the tab. You skip it (RFC 9112 §7.1.1).
    - A chunk of size 0 is the last one. It has no data and no CRLF of its own. Trailer fields may
      follow, then an empty line: there the body ends (RFC 9112 §7.1.2).
    - A trailer field is a token, a colon, and a value without control characters other than the
      tab. You check it and throw it away: a trailer must never pass for a header field.
    - Every line ends with CRLF. A line feed without a CR before it is refused as soon as it comes.
      A CR that no line feed follows is refused when its line is complete, or earlier.

    `feed` raises ValueError for everything else, and for whatever breaks a limit:
    - a line of more than MAX_LINE bytes, even if its end has not come yet;
    - more than MAX_TRAILERS trailer fields;
    - more than `max_body` decoded bytes in all, as soon as a size line announces it.
    """

    def __init__(self, max_body: int = 1_048_576) -> None:
        self.max_body = max_body
        self.done = False  # True once the empty line after the last chunk has come
        self.rest = b""  # what came after the end of the body: the next request

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return the bytes of the body that are new in it, maybe none.

        Bytes of a chunk are returned as soon as they are here; the chunk need not be complete.
        Once `done`, everything that is fed goes to the end of `rest`, and b"" comes back.
        """
        raise NotImplementedError("your code")
