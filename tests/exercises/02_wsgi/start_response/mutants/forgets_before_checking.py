# Forgets the first call before it has looked at the second.
# Message: came back raised AssertionError
# Message: start_response('200', [], (RuntimeError,

"""`start_response`: small signature, many rules."""

import re
from collections.abc import Callable
from types import TracebackType
from wsgiref.util import is_hop_by_hop

ExcInfo = tuple[type[BaseException], BaseException, TracebackType]

TEXT = r"[ -~\x80-\xff]"  # latin-1 without control characters
STATUS = re.compile(f"[2-5][0-9][0-9] (?! ){TEXT}+(?<! )")  # RFC 9112 §4
NAME = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+")  # RFC 9110 §5.6.2
VALUE = re.compile(f"{TEXT}*")


class StartResponse:
    """The start_response of one response (PEP 3333, The start_response() Callable)."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        """Keep `send`."""
        self.send = send
        self.head = b""  # empty until start_response was called
        self.sent = False  # the head is on its way: too late to change anything

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """Remember status and headers, and return the method `write`.

        Raises TypeError, ValueError, AssertionError, or what is in exc_info.
        """
        if exc_info is None:
            if self.head:
                raise AssertionError("start_response() called again without exc_info")
        elif self.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        self.head = b""
        self.head = make_head(status, headers)
        return self.write

    def write(self, block: bytes) -> None:
        """Send the block, the head before the first that is not empty."""
        if not isinstance(block, bytes):
            raise TypeError(f"a body consists of bytes, not {type(block).__name__}")
        if not self.head:
            raise AssertionError("write() called before start_response()")
        if block:
            self.finish()
            self.send(block)

    def finish(self) -> None:
        """Send the head if it was not sent yet."""
        if not self.head:
            raise AssertionError("the app never called start_response()")
        if not self.sent:
            self.sent = True
            self.send(self.head)


def make_head(status: str, headers: list[tuple[str, str]]) -> bytes:
    """Return the head as bytes; raises TypeError and ValueError."""
    if not isinstance(headers, list):
        raise TypeError(f"headers are a list, not {headers!r}")
    if not STATUS.fullmatch(status):  # raises TypeError by itself for what is no str
        raise ValueError(f"not a status: {status!r}")
    lines = [f"HTTP/1.1 {status}\r\n", *map(make_line, headers), "\r\n"]
    return "".join(lines).encode("latin-1")


def make_line(header: tuple[str, str]) -> str:
    """Return one header field as a line; raises TypeError and ValueError."""
    if not isinstance(header, tuple) or [type(part) for part in header] != [str, str]:
        raise TypeError(f"a header is a tuple of two str, not {header!r}")
    name, value = header
    if not NAME.fullmatch(name) or not VALUE.fullmatch(value):
        raise ValueError(f"not a header: {header!r}")
    if is_hop_by_hop(name):
        raise ValueError(f"{name} is up to the server")
    return f"{name}: {value}\r\n"
