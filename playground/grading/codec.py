"""Values on the channel between the grader and the learner's process: JSON with tags.

Only values whose type is *exactly* a plain built-in one travel as they are: None, bool, int, float,
str, bytes, bytearray, tuple, list, dict, set and frozenset. Members of an enumeration and named
tuples travel as the plain value inside them. Everything else is handed to `export`, which turns it
into a reference. So nothing that the learner's process sends can compare equal by overriding
`__eq__`: the grader compares plain values, in its own process.

Standard library only: the learner's process imports this file.
"""

from __future__ import annotations

import enum
import json
import struct
from collections.abc import Callable
from typing import Any

MAX_FRAME = 32 * 1024 * 1024  # bytes; a longer message is refused by both sides
MAX_DEPTH = 100  # levels of a value: the functions that look at one are recursive
HEADER = struct.Struct("!I")

_ATOMS = (type(None), bool, int, float, str)
_SEQUENCES: dict[type, str] = {tuple: "t", list: "l", set: "s", frozenset: "f"}
_BUILDERS: dict[str, Callable[[Any], Any]] = {"t": tuple, "l": list, "s": set, "f": frozenset}


def encode(value: Any, export: Callable[[Any], Any], depth: int = 0) -> Any:
    """Return the JSON form of `value`; `export` gives the reference for what is not plain.

    Raises ValueError for what is too large, RecursionError for what is nested too deep.
    """
    if depth > MAX_DEPTH:
        raise RecursionError(f"a value nested more than {MAX_DEPTH} levels deep")
    kind = type(value)
    if kind in (bytes, bytearray, str) and len(value) > MAX_FRAME:
        raise ValueError(f"a value of {len(value) // 1_000_000} MB is too large to look at")
    if kind in _ATOMS:
        return value
    if kind in (bytes, bytearray):
        return {"b" if kind is bytes else "ba": value.decode("latin-1")}
    if kind in _SEQUENCES:
        return {_SEQUENCES[kind]: [encode(item, export, depth + 1) for item in value]}
    if kind is dict:
        return {"d": [[encode(part, export, depth + 1) for part in pair] for pair in value.items()]}
    inside = _plain_inside(value)
    return {"o": export(value)} if inside is value else encode(inside, export, depth + 1)


def decode(data: Any, resolve: Callable[[Any], Any], depth: int = 0) -> Any:
    """Return the value that `encode` was given; `resolve` turns references into objects.

    Raises ValueError, TypeError, KeyError or AttributeError for what `encode` never gave.
    """
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    if not isinstance(data, dict):
        return data
    ((tag, body),) = data.items()
    if tag in ("b", "ba"):
        raw = body.encode("latin-1")
        return raw if tag == "b" else bytearray(raw)
    if tag in _BUILDERS:
        return _BUILDERS[tag]([decode(item, resolve, depth + 1) for item in body])
    if tag == "d":
        return {decode(k, resolve, depth + 1): decode(v, resolve, depth + 1) for k, v in body}
    return resolve(body)


def pack(message: dict[str, Any]) -> bytes:
    """Return one frame: four bytes of length, then JSON.

    Raises ValueError when the message is longer than MAX_FRAME.
    """
    body = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(body) > MAX_FRAME:
        raise ValueError(f"a value of about {len(body) // 1_000_000} MB is too large to look at")
    return HEADER.pack(len(body)) + body


class Frames:
    """Cut a byte stream into messages: `feed` bytes, take what is complete from `next`."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add bytes that arrived."""
        self._buffer += data

    def next(self) -> dict[str, Any] | None:
        """Return the next complete message, or None.

        Raises ValueError for bytes that are not a message.
        """
        if len(self._buffer) < HEADER.size:
            return None
        (length,) = HEADER.unpack_from(self._buffer)
        if length > MAX_FRAME:
            raise ValueError("not a message of the runner")
        if len(self._buffer) < HEADER.size + length:
            return None
        body = bytes(self._buffer[HEADER.size : HEADER.size + length])
        del self._buffer[: HEADER.size + length]
        message = json.loads(body)
        if not isinstance(message, dict):
            raise ValueError("not a message of the runner")
        return message


def _plain_inside(value: Any) -> Any:
    """Return the plain value inside an enumeration member or a named tuple, else `value` itself.

    Reads it with the methods of the base type, so overridden ones play no part.
    """
    kind = type(value)
    if issubclass(kind, enum.Enum):
        if issubclass(kind, int):
            return int.__add__(value, 0)
        if issubclass(kind, str):
            return str.__str__(value) if not hasattr(value, "_value_") else str(value._value_)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return tuple.__getitem__(value, slice(None))
    return value
