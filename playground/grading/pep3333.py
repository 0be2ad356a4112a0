"""What a grader of PEP 3333 exercises plays: the server's side, or the application's.

All of it stays in the grader's process; the learner's code gets stand-ins, so what is recorded here
is what really happened, in order.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

from playground.grading.verdict import Failed, Message


class Body:
    """A `wsgi.input` with exactly these bytes; `reads` records what was asked for.

    With `blocks=True`, reading on after the last byte fails the check: on a socket it would wait
    for ever.
    """

    def __init__(self, data: bytes = b"", *, blocks: bool = False) -> None:
        self._file = io.BytesIO(data)
        self._size = len(data)
        self._blocks = blocks
        self.reads: list[tuple[str, int]] = []

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        return self._take("read", size)

    def readline(self, size: int = -1) -> bytes:
        """As a file's."""
        return self._take("readline", size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        """As a file's."""
        return list(iter(lambda: self._take("readlines", -1), b""))

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self._take("readline", -1), b"")

    def _take(self, method: str, size: int) -> bytes:
        self.reads.append((method, size))
        left = self._size - self._file.tell()
        if self._blocks and (size > left or (size < 0 and method == "read")):
            raise Failed(
                Message(
                    f"environ['wsgi.input'].{method}({'' if size < 0 else size})",
                    f"a read for ever: only {left} of {self._size} bytes of the body were left",
                    "no read past the end of the body",
                    "PEP 3333, Input and Error Streams; RFC 9112 §6.3",
                    "CONTENT_LENGTH says how many bytes there are.",
                )
            )
        reader = self._file.read if method == "read" else self._file.readline
        return reader(size)


def environ(
    method: str = "GET",
    path: str = "/",
    *,
    query: str = "",
    body: bytes | Body = b"",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return a complete environ, as PEP 3333 wants it; `more` is added or replaces."""
    result: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    setup_testing_defaults(result)
    stream = Body(body) if isinstance(body, bytes) else body
    result["wsgi.input"] = stream
    result["SERVER_PROTOCOL"] = "HTTP/1.1"
    if isinstance(body, bytes) and body:
        result["CONTENT_LENGTH"] = str(len(body))
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        result[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return {**result, **more}


class Recorder:
    """A `start_response` that records each call; `write` records what is written."""

    __name__ = "start_response"

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []  # the arguments of each call
        self.written: list[Any] = []

    def __call__(self, status: Any, headers: Any, exc_info: Any = None) -> Callable[[Any], None]:
        self.calls.append((status, headers) if exc_info is None else (status, headers, exc_info))
        return self.write

    def write(self, data: Any) -> None:
        """What PEP 3333 calls the write() callable."""
        self.written.append(data)

    @property
    def status(self) -> Any:
        """The status of the last call; None before the first."""
        return self.calls[-1][0] if self.calls else None

    @property
    def headers(self) -> Any:
        """The headers of the last call; None before the first."""
        return self.calls[-1][1] if self.calls else None


class Blocks:
    """An application's iterable: counts what was taken and how often it was closed.

    `events` gets "next 0", "next 1", …, "end", "close"; share the list to record an order. With
    `error`, the block after the last one raises it.
    """

    def __init__(
        self,
        blocks: Iterable[bytes],
        *,
        events: list[str] | None = None,
        error: Exception | None = None,
    ) -> None:
        self._blocks = iter(blocks)
        self._error = error
        self.events = [] if events is None else events
        self.taken = 0
        self.closed = 0

    def __iter__(self) -> Blocks:
        return self

    def __next__(self) -> bytes:
        for block in self._blocks:
            self.events.append(f"next {self.taken}")
            self.taken += 1
            return block
        if self._error is not None:
            raise self._error
        self.events.append("end")
        raise StopIteration

    def close(self) -> None:
        """Count a close."""
        self.events.append("close")
        self.closed += 1
