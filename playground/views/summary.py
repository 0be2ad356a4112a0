"""The numbers beside every picture, and the order in which its rows stand."""

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from playground.trace.records import UNTRACKED, Flag, Kind
from playground.trace.states import State, spans
from playground.trace.trace import Lane, Trace
from playground.views.look import is_probe, percent


@dataclass(frozen=True)
class WorkerSummary:
    """One worker, thread or loop: its share of the run. Times in seconds."""

    lane: Lane
    requests: int
    occupied_s: float
    cpu_s: float | None  # None where processor time was not recorded for all of its requests


@dataclass
class Request:
    """One request as the views draw it. Times in seconds from the trace's zero."""

    number: int
    spans: np.ndarray
    start: float
    done: float  # infinity while it is open
    failed: bool  # no complete answer came
    wrong: bool  # an answer came, and says that something broke
    by_client: bool  # start and done are the client's own clock


@dataclass
class Picture:
    """A trace prepared for drawing: requests, lanes, zero and end."""

    trace: Trace
    zero_us: float
    end_s: float
    requests: list[Request]
    lanes: list[Lane]
    workers: list[WorkerSummary] = field(default_factory=list)

    @property
    def probe_from(self) -> int | None:
        """The number of the first probe, in a run that had some."""
        return self.trace.meta.get("probe_from")

    @property
    def probes(self) -> list[Request]:
        """The health checks that went on beside the run."""
        return [one for one in self.requests if is_probe(one.number, self.probe_from)]

    @property
    def guests(self) -> list[Request]:
        """All but the probes."""
        return [one for one in self.requests if not is_probe(one.number, self.probe_from)]

    @property
    def tracked(self) -> list[Request]:
        """The requests of the run itself, or all where none carried a number; no probes."""
        own = [request for request in self.guests if request.number < UNTRACKED]
        return own or self.guests

    def latencies(self) -> list[float]:
        """Seconds from the intended send to the reply, by the client's clock, sorted."""
        return _latencies(self.tracked)

    def numbers(self) -> dict[str, float]:
        """``total``, ``served`` (``errors`` of them), ``failed`` (no complete answer), ``dropped``,
        and ``p50_s``, ``p95_s``, ``max_s`` of the served (NaN where nothing was answered). Of the
        probes ``probes``, ``probes_failed`` and ``probe_max_s``.
        """
        over = [r for r in self.tracked if math.isfinite(r.done)]
        sorted_s = self.latencies()
        return {
            "total": len(self.tracked),
            "served": sum(not r.failed for r in over),
            "errors": sum(r.wrong for r in over),
            "failed": sum(r.failed for r in over),
            "dropped": self.trace.meta.get("dropped", 0),
            "p50_s": percentile(sorted_s, 0.50),
            "p95_s": percentile(sorted_s, 0.95),
            "max_s": percentile(sorted_s, 1.0),
            "probes": len(self.probes),
            "probes_failed": sum(one.failed for one in self.probes),
            "probe_max_s": percentile(_latencies(self.probes), 1.0),
        }


def probe_heading(shown: Picture) -> str:
    """What stands over the rows of the probes: ``"probe GET /health"``, and how many were lost."""
    info = shown.trace.requests.get(shown.probes[0].number)
    lost = int(shown.numbers()["probes_failed"])
    told = f", {lost} of {len(shown.probes)} without an answer" if lost else ""
    return f"{(info and info.label) or 'probe'}{told}"


def _latencies(requests: list[Request]) -> list[float]:
    return sorted(
        one.done - one.start
        for one in requests
        if one.by_client and math.isfinite(one.done) and not one.failed
    )


def troubles(shown: Picture) -> list[str]:
    """What went wrong, in words, the most frequent first: ``"2 requests: ValueError: cold"``."""
    infos = [
        shown.trace.requests.get(request.number)
        for request in shown.tracked
        if request.failed or request.wrong
    ]
    words = Counter(
        " ".join(info.error.split()) for info in infos if info is not None and info.error
    )
    return [f"{n} request{'s' * (n != 1)}: {text}" for text, n in words.most_common()]


def lag_samples(trace: Trace, lane: Lane) -> np.ndarray:
    """The gauge of the process that a loop runs in: ``dur_us`` is how late the loop was."""
    ids = [
        gauge.id
        for gauge in trace.lanes
        if gauge.kind == "gauge" and gauge.name == "loop lag" and gauge.pid == lane.pid
    ]
    records = trace.records
    return records[(records["kind"] == Kind.GAUGE) & np.isin(records["lane"], ids)]


def occupied(shown: Picture, worker: WorkerSummary) -> str:
    """What stands beside a lane: ``"64 % busy"``, of a loop ``"held 64 %"``: what holds it may also
    sleep.
    """
    share = percent(worker.occupied_s, shown.end_s)
    return f"held {share}" if worker.lane.kind == "loop" else f"{share} busy"


def percentile(ordered: list[float], share: float) -> float:
    """Nearest rank: the smallest value that at least ``share`` of the values do not exceed."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def zero_us(trace: Trace) -> float:
    """The zero of a picture: the first intended send of the run, or the first record that is no
    gauge's.
    """
    records = trace.records
    sends = records[(records["kind"] == Kind.CLIENT) & (records["request"] < UNTRACKED)]
    for some in (sends, records[records["kind"] != Kind.GAUGE]):
        if len(some):
            return float(some["t_us"].min())
    return float(trace.meta.get("started_us", 0.0))


def end_us(trace: Trace) -> float:
    """The last moment of which the records tell, or a mark. Gauges go on: they do not count."""
    spans_ = trace.records[trace.records["kind"] != Kind.GAUGE]
    ends = spans_["t_us"] + np.nan_to_num(spans_["dur_us"])
    marks = [float(mark["t_us"]) for mark in trace.meta.get("marks", [])]
    return max([zero_us(trace), *marks, *([float(ends.max())] if len(ends) else [])])


def picture(trace: Trace, now_us: float | None = None) -> Picture:
    """Prepare a trace for drawing, as it stood at ``now_us`` or as a whole."""
    zero = zero_us(trace)
    end = end_us(trace) if now_us is None else now_us
    found = spans(trace, now_us)
    order = np.lexsort((found["t_us"], found["request"]))
    found = found[order]
    numbers, first = np.unique(found["request"], return_index=True)
    groups = dict(zip(numbers.tolist(), np.split(found, first[1:]), strict=False))
    clients = _clients(trace, now_us)
    requests = [
        _request(trace, number, groups.get(number, found[:0]), clients.get(number), zero)
        for number in sorted({*groups, *clients})
    ]
    lanes = [lane for lane in trace.lanes if lane.kind not in ("client", "gauge")]
    result = Picture(trace, zero, (end - zero) / 1e6, requests, lanes)
    result.workers = [_worker(trace, lane, found, end) for lane in lanes]
    return result


def _clients(trace: Trace, now_us: float | None) -> dict[int, np.void]:
    records = trace.records[trace.records["kind"] == Kind.CLIENT]
    if now_us is not None:
        records = records[records["t_us"] <= now_us].copy()
        records["dur_us"][records["t_us"] + records["dur_us"] > now_us] = np.nan
    return {int(row["request"]): row for row in records}


def _request(
    trace: Trace, number: int, own: np.ndarray, client: np.void | None, zero: float
) -> Request:
    info = trace.requests.get(number)
    if client is not None:
        start, done = _ends(client, zero)
    else:
        start, done = _ends(own[0], zero)[0], _ends(own[-1], zero)[1]
    flags = int(client["flags"]) if client is not None else 0
    status, error = (info.status, info.error) if info else (None, None)
    failed = bool(flags & Flag.ERROR) if client is not None else bool(error) and not status
    wrong = not failed and bool(error or (status or 0) >= 500)
    return Request(number, own, start, done, failed, wrong, client is not None)


def _ends(row: np.void, zero: float) -> tuple[float, float]:
    start, length = float(row["t_us"]), float(row["dur_us"])
    end = math.inf if math.isnan(length) else (start + length - zero) / 1e6
    return (start - zero) / 1e6, end


def _worker(trace: Trace, lane: Lane, found: np.ndarray, end: float) -> WorkerSummary:
    mine = found[(found["lane"] == lane.id) & (found["kind"] != State.QUEUED)]
    if lane.kind == "loop":
        mine = mine[mine["kind"] == State.RUNNING]
    lengths = np.where(np.isnan(mine["dur_us"]), np.maximum(end - mine["t_us"], 0), mine["dur_us"])
    numbers = np.unique(mine["request"])
    infos = [trace.requests.get(int(number)) for number in numbers]
    known = [info.cpu_us for info in infos if info is not None and info.cpu_us is not None]
    complete = len(known) == len(infos) > 0
    return WorkerSummary(
        lane, len(numbers), float(lengths.sum()) / 1e6, sum(known) / 1e6 if complete else None
    )
