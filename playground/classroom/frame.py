"""One message of a run that goes on, looked through before a page sees it.

A message is what ``playground.views.wire`` packs: a line of JSON, then a row of 24 bytes for each
record. The page that draws it is alone in its origin, and has no network. What is left to see to
is that it can draw it at all: every number has a bound, and no text steers the one beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from playground.classroom.room import Refused
from playground.trace.records import RECORD

DAY_US = 86_400e6
LARGEST = 1e16  # of any number; a clock in µs that has run for three centuries
DEEPEST = 6  # lists in lists
LONGEST = 300  # characters of a text
WHOLE = {"workers": 64, "threads": 64, "expected": 100_000}  # from 0 to this: so many are drawn
KEPT = (
    *WHOLE,
    "title",
    "command",
    "interface",
    "simulated",
    "dropped",
    "traced",
    "probe_from",
    "awaits",
    "processes",
    "marks",
    "t0_us",
    "end_us",
    "lanes",
    "requests",
)


@dataclass(frozen=True)
class Frame:
    """What is known of a run by now: ``run`` is what the first line says of it."""

    run: dict[str, Any]
    rows: bytes

    @property
    def title(self) -> str:
        """What the run is called."""
        return str(self.run.get("title") or "A run")

    def packed(self, number: int) -> bytes:
        """The message for a page, which takes those with a higher number than the last one's."""
        head = {"v": 1, "seq": number, "base": 0, "live": True, "runs": [self.run]}
        return json.dumps(head, separators=(",", ":")).encode() + b"\n" + self.rows


def read(message: bytes) -> Frame:
    """Look through a message. Raises ``Refused`` for what is none, or cannot be drawn."""
    line, _, rows = message.partition(b"\n")
    try:
        (told,) = json.loads(line, parse_constant=_refuse)["runs"]
        run = {name: _plain(told[name]) for name in KEPT if name in told}
        if told.get("touched") is not None:
            raise ValueError("it is a part of a message")
        for name, most in WHOLE.items():
            if not 0 <= int(run.get(name) or 0) <= most:
                raise ValueError(f"{name} is {run[name]!r}")
        _look_through(rows, float(run["t0_us"]), float(run["end_us"]))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Refused(422, "This is no picture of a run: share it when it is over.") from None
    return Frame({**run, "touched": None, "count": len(rows) // RECORD.size}, rows)


def _plain(value: Any, depth: int = 0) -> Any:
    """The same, if it is of this size; texts without what acts on others."""
    if isinstance(value, str):
        text = value[:LONGEST]
        return text if text.isprintable() else "".join(filter(str.isprintable, text))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not abs(value) <= LARGEST:
            raise ValueError("a number is too large")
        return value
    if depth == DEEPEST:
        raise ValueError("it is too deep")
    if isinstance(value, list):
        return [_plain(each, depth + 1) for each in value]
    return {_plain(name): _plain(each, depth + 1) for name, each in value.items()}


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _look_through(rows: bytes, zero_us: float, end_us: float) -> None:
    """A length may be open (NaN); all times lie within a day."""
    if len(rows) % RECORD.size or not abs(end_us - zero_us) <= DAY_US:
        raise ValueError("it is cut short, or without an end")
    for t_us, length_us, *_ in RECORD.iter_unpack(rows):
        is_open = length_us != length_us
        if not abs(t_us - zero_us) <= DAY_US or not (is_open or abs(length_us) <= DAY_US):
            raise ValueError("a time is out of all bounds")
