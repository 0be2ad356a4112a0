# Collects all lines before it hands out the first.
# Message: came back receive was called 4 times
# Message: expected 1 call
# Message: nudge Read a line when it is asked for

"""`wsgi.input`: a file that is really the middle of a connection."""

from collections.abc import Callable, Iterator


class BodyInput:
    """The body of one request, as a file (PEP 3333, Input and Error Streams)."""

    def __init__(self, receive: Callable[[int], bytes], length: int) -> None:
        """Remember both; receive nothing."""
        self.receive = receive
        self.left = length  # bytes of body that are still in the connection
        self.held = b""  # received, not returned yet

    def read(self, size: int | None = None) -> bytes:
        """Return exactly `size` bytes, fewer at the end only; None or negative: all the rest."""
        size = self.bound(size)
        while len(self.held) < size:
            self.more()
        return self.take(size)

    def readline(self, size: int | None = None) -> bytes:
        """Return up to and with the next line feed, the end, or `size` bytes."""
        size = self.bound(size)
        while (end := self.held.find(b"\n", 0, size)) < 0 and len(self.held) < size:
            self.more()
        return self.take(size if end < 0 else end + 1)

    def readlines(self, hint: int | None = None) -> list[bytes]:
        """Return all lines that are left."""
        return list(iter(self.readline, b""))

    def __iter__(self) -> Iterator[bytes]:
        """Return an iterator over the lines that are left."""
        return iter(self.readlines())

    def bound(self, size: int | None) -> int:
        """Return how many bytes a call may return at most."""
        rest = len(self.held) + self.left
        return rest if size is None or size < 0 else min(size, rest)

    def more(self) -> None:
        """Receive some bytes, none of which belongs to the next request."""
        data = self.receive(self.left)
        if not data:
            raise ConnectionError(f"the client hung up {self.left} bytes before the end")
        self.left -= len(data)
        self.held += data

    def take(self, size: int) -> bytes:
        """Return the first bytes of what is held."""
        data, self.held = self.held[:size], self.held[size:]
        return data
