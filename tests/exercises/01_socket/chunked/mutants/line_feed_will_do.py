# Takes a bare line feed as the end of a line.
# Message: called ChunkedDecoder(); feed(b'3\nabc\r\n')
# Message: came back returned b'abc'
# Message: why RFC 9112 §2.2
# Message: nudge A line ends at its first LF.

import re

MAX_LINE = 256  # bytes of a size line or a trailer field, without its CRLF
MAX_TRAILERS = 16

TEXT = rb"[\t\x20-\x7e\x80-\xff]*"
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;" + TEXT + rb")?")  # RFC 9112 §7.1, §7.1.1
TRAILER = re.compile(rb"[A-Za-z0-9!#$%&'*+\-.^_`|~]+:" + TEXT)  # RFC 9112 §7.1.2


class ChunkedDecoder:
    """Decode one chunked body that arrives in pieces (RFC 9112 §7.1).

    What to read next is always one of four methods. Each takes its part off the front of the
    buffer and returns True, or returns False while that part is not complete.
    """

    def __init__(self, max_body: int = 1_048_576) -> None:
        self.max_body = max_body
        self.done = False
        self.rest = b""
        self.buffer = bytearray()
        self.missing = 0  # bytes of the current chunk that are still to come
        self.trailers = 0
        self.read_next = self.read_size

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return the new bytes of the body. Raises ValueError."""
        self.buffer += data
        body = bytearray()
        while not self.done and self.read_next(body):
            pass
        if self.done:
            self.rest += bytes(self.buffer)
            self.buffer.clear()
        return bytes(body)

    def read_size(self, body: bytearray) -> bool:
        """Read a size line."""
        line = self.take_line()
        if line is None:
            return False
        match = SIZE_LINE.fullmatch(line)
        if match is None:  # never int() alone: it takes "+5", "0x5" and "5_0" as well
            raise ValueError(f"not a chunk size: {line!r}")
        self.missing = int(match[1], 16)
        self.max_body -= self.missing
        if self.max_body < 0:
            raise ValueError("the body is too long")
        self.read_next = self.read_data if self.missing else self.read_trailer
        return True

    def read_data(self, body: bytearray) -> bool:
        """Read what is here of the chunk's data."""
        piece = self.buffer[: self.missing]
        del self.buffer[: self.missing]
        body += piece
        self.missing -= len(piece)
        if self.missing == 0:
            self.read_next = self.read_end
        return self.missing == 0

    def read_end(self, body: bytearray) -> bool:
        """Read the CRLF after the chunk's data."""
        if len(self.buffer) < 2:
            return False
        if not self.buffer.startswith(b"\r\n"):
            raise ValueError("the chunk is longer than its size")
        del self.buffer[:2]
        self.read_next = self.read_size
        return True

    def read_trailer(self, body: bytearray) -> bool:
        """Read a trailer field, or the empty line that ends the body."""
        line = self.take_line()
        if line is None:
            return False
        self.done = not line
        self.trailers += 1
        if line and (self.trailers > MAX_TRAILERS or TRAILER.fullmatch(line) is None):
            raise ValueError(f"not a trailer field, or too many: {line!r}")
        return True

    def take_line(self) -> bytes | None:
        """Take one line off the buffer; None while its end is missing."""
        end = self.buffer.find(b"\n", 0, MAX_LINE + 2)
        if end >= 0:
            line = bytes(self.buffer[:end]).removesuffix(b"\r")
            del self.buffer[: end + 1]
            return line
        if len(self.buffer) > MAX_LINE + 1 or b"\n" in self.buffer:  # subtle: the last may be CR
            raise ValueError("a line is too long, or does not end with CRLF")
        return None
