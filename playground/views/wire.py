"""What a view in the browser gets: one JSON line, then rows of 24 bytes.

A row is a record whose ``kind`` holds a ``State``, or 100 and the ``Kind`` of a record that is no
state of a request: CLIENT, IDLE, GAUGE. The first line has ``seq`` and ``base`` (0 = everything;
else only the requests named in ``touched``, and of loops and gauges what follows, are new since
``base``), ``live``, and ``runs``: names, lanes and requests of each run and the ``count`` of its
rows. The same bytes travel as live messages, in the saved notebook, and inside the HTML page.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from playground.trace.records import Kind
from playground.trace.states import spans
from playground.trace.trace import Trace
from playground.views.summary import end_us, zero_us

AS_THEY_ARE = 100  # added to the kind of a record that is sent as it is
CLIENT_ROW = AS_THEY_ARE + Kind.CLIENT
OF_LOOPS = (Kind.IDLE, Kind.GAUGE)  # what belongs to no request
TOLD = (
    "title",
    "command",
    "interface",
    "simulated",
    "dropped",
    "traced",
    "workers",
    "threads",
    "probe_from",
    "awaits",
    "processes",
    "marks",
    "actions",
)


@dataclass(frozen=True)
class Part:
    """One run of a message: its trace, and what is known only outside of it.

    ``touched``: the trace holds all records of these requests, of no others, and what is new of the
    loops and gauges.
    """

    trace: Trace
    zero_us: float
    end_us: float
    title: str | None = None
    expected: int = 0
    touched: tuple[int, ...] | None = None


def whole(trace: Trace, title: str | None = None) -> Part:
    """A finished trace."""
    return Part(trace, zero_us(trace), end_us(trace), title)


def pack(parts: list[Part], *, seq: int = 1, base: int = 0, live: bool = False) -> bytes:
    """One message."""
    heads, bodies = [], []
    for part in parts:
        rows = _rows(part.trace)
        heads.append(_head(part, len(rows)))
        bodies.append(rows.tobytes())
    head = {"v": 1, "seq": seq, "base": base, "live": live, "runs": heads}
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + b"".join(bodies)


def shorten(part: Part, limit: int) -> Part:
    """The part with at most about ``limit`` records: the first ones."""
    if len(part.trace.records) <= limit:
        return part
    return replace(part, trace=replace(part.trace, records=part.trace.records[:limit]))


def _rows(trace: Trace) -> np.ndarray:
    records = trace.records
    others = records[np.isin(records["kind"], (Kind.CLIENT, *OF_LOOPS))].copy()
    others["kind"] += AS_THEY_ARE
    return np.concatenate([spans(trace), others])


def _head(part: Part, count: int) -> dict[str, Any]:
    trace = part.trace
    told = {name: trace.meta[name] for name in TOLD if name in trace.meta}
    if part.title is not None or "title" not in told:
        told["title"] = part.title or "A run"
    return {
        **told,
        "expected": part.expected,
        "t0_us": part.zero_us,
        "end_us": part.end_us,
        "count": count,
        "touched": None if part.touched is None else list(part.touched),
        "lanes": [
            {"id": lane.id, "name": lane.name, "kind": lane.kind, "pid": lane.pid, "tid": lane.tid}
            for lane in trace.lanes
        ],
        "requests": {
            number: [info.label, info.status, info.error, info.cpu_us]
            for number, info in trace.requests.items()
        },
    }
