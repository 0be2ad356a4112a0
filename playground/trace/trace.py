"""A trace: what happened in one run, as an array of records with the names that go with it."""

import contextlib
import json
import os
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from playground.errors import Told
from playground.trace.records import UNTRACKED, Kind

DTYPE = np.dtype(
    [
        ("t_us", "<f8"),
        ("dur_us", "<f8"),
        ("request", "<u4"),
        ("lane", "<u2"),
        ("kind", "u1"),
        ("flags", "u1"),
    ]
)
FORMAT = "web-server-playground-trace"
VERSION = 1
HEADER_LIMIT = 64 * 1024 * 1024  # bytes: no honest header line is longer

LaneKind = Literal["client", "worker", "loop", "thread", "gauge"]


class TraceFileError(Told, ValueError):
    """A file that is not a trace, or cannot be read or written; the message is one sentence."""


@dataclass(frozen=True)
class Lane:
    """A row of the picture: a worker, a thread, an event loop, or a gauge. Id 0 is the client's
    clock.
    """

    id: int
    name: str
    kind: LaneKind
    pid: int
    tid: int


@dataclass(frozen=True)
class RequestInfo:
    """What is known of one request besides its times. ``cpu_us`` is the processor time its thread
    spent on it.
    """

    label: str
    status: int | None = None
    error: str | None = None
    cpu_us: float | None = None


@dataclass
class Trace:
    """Records of one run, sorted by time, each span once (a closed span has replaced its open one).

    ``records`` is a structured array of ``DTYPE``; ``meta`` is what JSON can hold.
    """

    records: np.ndarray
    lanes: list[Lane] = field(default_factory=list)
    requests: dict[int, RequestInfo] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.records = settle(np.asarray(self.records, DTYPE))

    def slice(self, t0_us: float, t1_us: float) -> "Trace":
        """The part that touches ``t0_us <= t < t1_us``; spans keep their true ends."""
        start = self.records["t_us"]
        length = np.where(self.records["kind"] == Kind.GAUGE, 0.0, self.records["dur_us"])
        end = np.where(np.isnan(length), np.inf, start + np.nan_to_num(length))
        return replace(self, records=self.records[(start < t1_us) & (end >= t0_us)])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one JSON line and the raw records, in one move.

        Raises ``TraceFileError`` when the file cannot be written.
        """
        target = Path(path)
        header = {
            "format": FORMAT,
            "version": VERSION,
            "count": len(self.records),
            "meta": self.meta,
            "lanes": [asdict(lane) for lane in self.lanes],
            "requests": {number: asdict(info) for number, info in self.requests.items()},
        }
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            part.write_bytes(json.dumps(header).encode() + b"\n" + self.records.tobytes())
            part.replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise TraceFileError(
                f"Cannot write {target} ({error.strerror}): choose another file or folder."
            ) from error
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Trace":
        """Read a saved trace. A file cut short gives what is whole, with one warning.

        Raises ``TraceFileError`` for a file that is not a trace, or cannot be read.
        """
        try:
            with Path(path).open("rb") as file:
                header = _header(file.readline(HEADER_LIMIT), path)
                raw = file.read()
        except OSError as error:
            raise TraceFileError(
                f"Cannot read {path} ({error.strerror}): name a file that run.save(path) wrote."
            ) from error
        whole = len(raw) // DTYPE.itemsize
        records = np.frombuffer(raw[: whole * DTYPE.itemsize], DTYPE)
        expected = header["count"]
        if whole < expected:
            warnings.warn(
                f"{path} was cut short: {whole} of its {expected} records are whole and loaded.",
                stacklevel=2,
            )
        try:
            lanes = [_lane(entry) for entry in header["lanes"]]
            requests = {
                int(number): RequestInfo(**info) for number, info in header["requests"].items()
            }
            return cls(records[:expected].copy(), lanes, requests, dict(header["meta"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _foreign(path) from error


def without_earlier(trace: Trace) -> Trace:
    """The trace without the requests that were over before its own were to be sent."""
    records = trace.records
    earlier = over_before(records)
    if len(earlier) == 0:
        return trace
    requests = {number: info for number, info in trace.requests.items() if number not in earlier}
    return replace(trace, records=records[~np.isin(records["request"], earlier)], requests=requests)


def over_before(records: np.ndarray) -> np.ndarray:
    """The untracked requests that ended before the first intended send of the run."""
    tracked = records["request"] < UNTRACKED
    sends = records["t_us"][tracked & (records["kind"] == Kind.CLIENT)]
    strangers = records[~tracked]
    if len(sends) == 0 or len(strangers) == 0:
        return np.empty(0, "u4")
    lasting = ~(strangers["t_us"] + strangers["dur_us"] < sends.min())  # NaN: it is open
    return np.setdiff1d(strangers["request"], strangers["request"][lasting])


def settle(records: np.ndarray) -> np.ndarray:
    """Sort by time and keep one record a span: of those with the same (kind, request, lane, t_us)
    the last closed one.
    """
    if len(records) == 0:
        return records.copy()
    arrival = np.arange(len(records))
    closed = ~np.isnan(records["dur_us"])
    keys = (records["kind"], records["lane"], records["request"], records["t_us"])
    order = np.lexsort((arrival, closed, *keys))
    ranked = records[order]
    last = np.ones(len(ranked), bool)
    last[:-1] = False
    for name in ("kind", "lane", "request", "t_us"):
        last[:-1] |= ranked[name][1:] != ranked[name][:-1]
    return ranked[last]


def from_tuples(rows: Iterable[tuple[float, float, int, int, int, int]]) -> np.ndarray:
    """Records from ``(t_us, dur_us, request, lane, kind, flags)`` tuples."""
    return np.array(list(rows), DTYPE)


def _header(line: bytes, path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except ValueError as error:
        if line.startswith(b'{"format": "%s"' % FORMAT.encode()):
            raise TraceFileError(
                f"{path} was cut short before its first record; nothing in it can be shown."
            ) from error
        raise _foreign(path) from error
    if (
        not isinstance(header, dict)
        or header.get("format") != FORMAT
        or not isinstance(header.get("count"), int)
    ):
        raise _foreign(path)
    if header.get("version") != VERSION:
        raise TraceFileError(
            f"{path} is a trace of version {header.get('version')}; this playground reads version"
            f" {VERSION}: record the run again."
        )
    return header


def _lane(entry: dict[str, Any]) -> Lane:
    lane = Lane(**entry)
    if lane.kind not in get_args(LaneKind):
        raise ValueError(lane.kind)
    return lane


def _foreign(path: str | os.PathLike[str]) -> TraceFileError:
    return TraceFileError(
        f"{path} is not a trace of this playground: choose a file that run.save(path) wrote."
    )
