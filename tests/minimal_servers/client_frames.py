"""What a WebSocket client sends, right or wrong to the bit, and what it reads."""

import itertools
from typing import NamedTuple

from minimal_servers.websocket import CLOSE, MAX_MESSAGE, Event, WebSocketError, read_events

KEY = b"\x37\xfa\x21\x3d"


def masked(
    opcode: int,
    payload: bytes = b"",
    final: bool = True,
    *,
    reserved: int = 0,
    key: bytes | None = KEY,
    size: int = 0,
    announced: int | None = None,
) -> bytes:
    """One client frame, byte by byte as in RFC 6455 §5.2.

    ``key=None`` leaves it unmasked, ``size`` (2 or 8) forces a long form of the length, and
    ``announced`` is a length that need not be true.
    """
    length = len(payload) if announced is None else announced
    form = size or (0 if length < 126 else 2 if length < 2**16 else 8)
    head = bytes([final << 7 | reserved << 4 | opcode])
    head += bytes([(key is not None) << 7 | {0: length, 2: 126, 8: 127}[form]])
    head += length.to_bytes(form, "big") if form else b""
    if key is None:
        return head + payload
    return head + key + bytes(a ^ b for a, b in zip(payload, itertools.cycle(key), strict=False))


def closing(code: int, reason: bytes = b"") -> bytes:
    return masked(CLOSE, code.to_bytes(2, "big") + reason)


class Outcome(NamedTuple):
    events: list[Event]
    refused: int  # the code to close with, or 0
    ended: bool  # after CLOSE
    rest: bytes | None  # what was left alone; None after a refusal
    at: int = 0  # how many bytes were there when it was refused

    @property
    def verdict(self) -> "Outcome":
        """What must not depend on how the bytes were cut."""
        return self._replace(at=0)


def read(data: bytes, cuts: list[int] | None = None, limit: int = MAX_MESSAGE) -> Outcome:
    """Read ``data`` as it arrives in the pieces between ``cuts``."""
    buffer, events, ended = bytearray(), [], False
    reader = read_events(buffer, limit)
    edges = sorted({min(cut, len(data)) for cut in cuts or []} | {0, len(data)})
    for start, end in itertools.pairwise(edges):
        buffer += data[start:end]
        if ended:
            continue
        try:
            while event := next(reader):
                events.append(event)
        except StopIteration:
            ended = True
        except WebSocketError as error:
            return Outcome(events, error.code, False, None, end)
    return Outcome(events, 0, ended, bytes(buffer))


def bytewise(data: bytes, limit: int = MAX_MESSAGE) -> Outcome:
    return read(data, list(range(len(data))), limit)
