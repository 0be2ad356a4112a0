"""Frames of a WebSocket as a client sends and sees them (RFC 6455, section 5), right or wrong."""

import os
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {
    CONTINUATION: "continuation",
    TEXT: "text",
    BINARY: "binary",
    CLOSE: "close",
    PING: "ping",
    PONG: "pong",
}
NO_CODE, NO_CLOSE = 1005, 1006  # of a close frame without a code, and of an end without a frame
SHOWN = 60  # characters of a payload in words


@dataclass(frozen=True)
class Frame:
    """One frame, whether or not it is allowed. ``rsv`` is the number that RSV1 to RSV3 make."""

    opcode: int
    payload: bytes = b""
    fin: bool = True
    masked: bool = True
    rsv: int = 0

    def to_bytes(self) -> bytes:
        """As it is sent, under a fresh mask if it has one."""
        first = self.fin << 7 | (self.rsv & 7) << 4 | self.opcode & 15
        size, bit = len(self.payload), self.masked << 7
        if size < 126:
            head = struct.pack("!BB", first, bit | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", first, bit | 126, size)
        else:
            head = struct.pack("!BBQ", first, bit | 127, size)
        if not self.masked:
            return head + self.payload
        key = os.urandom(4)
        return head + key + masked(self.payload, key)

    def __str__(self) -> str:
        """In words: ``text 'Hello'``, ``close 1000 'bye'``, ``ping, 4 bytes``."""
        words = f"{NAMES.get(self.opcode, f'opcode {self.opcode}')}{self._content()}"
        notes = ["not the end"] if not self.fin else []
        notes += [f"reserved bits {self.rsv:03b}"] if self.rsv else []
        return ", ".join([words, *notes])

    def _content(self) -> str:
        if self.opcode == CLOSE:
            code, reason = close_code(self.payload)
            return f"{' without a code' if code == NO_CODE else f' {code}'}{_quoted(reason)}"
        if self.opcode == TEXT or (self.opcode in (PING, PONG) and self.payload):
            return _quoted(self.payload.decode(errors="replace"))
        size = len(self.payload)
        return f", {size} byte{'s' * (size != 1)}"


def read_frame(data: bytes | bytearray) -> tuple[Frame, int] | None:
    """The first frame of some bytes, and how many of them it takes; None if it is not whole."""
    if len(data) < 2:
        return None
    size, at = data[1] & 127, 2
    if size > 125:
        form = "!H" if size == 126 else "!Q"
        at += struct.calcsize(form)
        if len(data) < at:
            return None
        (size,) = struct.unpack_from(form, data, 2)
    is_masked = bool(data[1] & 128)
    key, at = (bytes(data[at : at + 4]), at + 4) if is_masked else (b"", at)
    if len(data) < at + size:
        return None
    payload = bytes(data[at : at + size])
    payload = masked(payload, key) if is_masked else payload
    first = data[0]
    return Frame(first & 15, payload, bool(first & 128), is_masked, first >> 4 & 7), at + size


def masked(payload: bytes, key: bytes) -> bytes:
    """XOR with the repeated key; twice is the payload again (section 5.3)."""
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


def close_code(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame; 1005 if it has none (section 7.1.5)."""
    if len(payload) < 2:
        return NO_CODE, ""
    return int.from_bytes(payload[:2], "big"), payload[2:].decode(errors="replace")


def _quoted(text: str) -> str:
    if not text:
        return ""
    return f" {text!r}" if len(text) <= SHOWN else f" {text[:SHOWN]!r} … ({len(text)} characters)"
