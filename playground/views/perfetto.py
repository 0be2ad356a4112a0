"""A trace as Chrome trace events, which Perfetto and chrome://tracing open.

Work that a thread does is a complete event (``X``) on its real tid; what a request goes through is
asynchronous and nested (``b``, ``e``), under the request's number; an arrow (``s``, ``f``) leads
from the client's send to the server's work; gauges are counters (``C``); signals, and the
beginnings and ends of processes, are instants (``i``). Source: the Trace Event Format.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from playground.trace.records import NAME_SHIFT, Flag, Kind
from playground.trace.states import State, spans
from playground.trace.trace import Lane, Trace
from playground.views.look import STATE_WORDS, tag
from playground.views.summary import end_us, zero_us

Event = dict[str, Any]
INSTANTS = {Kind.RECV: "receive", Kind.SEND: "send"}


def export(trace: Trace) -> dict[str, Any]:
    """A JSON object with ``traceEvents``; times in microseconds from the picture's zero."""
    events = list(_Export(trace).events())
    return {
        "traceEvents": sorted(events, key=lambda event: (event["ph"] != "M", event.get("ts", 0))),
        "displayTimeUnit": "ms",
        "otherData": {
            name: value
            for name, value in trace.meta.items()
            if isinstance(value, str | int | float | bool)
        },
    }


class _Export:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.zero = zero_us(trace)
        self.end = end_us(trace)
        self.lanes = {lane.id: lane for lane in trace.lanes}
        self.trace_id = str(trace.meta.get("trace_id", "run"))
        client = next((lane for lane in trace.lanes if lane.kind == "client"), None)
        self.client = client or Lane(0, "client", "client", 0, 0)

    def events(self) -> Iterator[Event]:
        """All events, in no order."""
        yield from self._names()
        for record in self.trace.records:
            yield from self._record(record)
        for span in spans(self.trace):
            yield from self._state(span)
        yield from self._marks()

    def _marks(self) -> Iterator[Event]:
        """Signals, and processes that began or ended: a line through everything."""
        for mark in self.trace.meta.get("marks", []):
            name = f"{mark['name'] or 'process'} {mark['what']}".removesuffix(" signal")
            at = {"pid": mark["pid"], "tid": mark["pid"], "ts": mark["t_us"] - self.zero}
            yield {"ph": "i", "s": "g", "name": f"{name}: pid {mark['pid']}", **at}

    def _names(self) -> Iterator[Event]:
        named = set()
        for lane in (self.client, *self.trace.lanes):
            if lane.kind == "gauge":
                continue
            if lane.pid not in named:
                named.add(lane.pid)
                name = "client" if lane.kind == "client" else f"server, pid {lane.pid}"
                yield {"ph": "M", "name": "process_name", **_place(lane), "args": {"name": name}}
            yield {"ph": "M", "name": "thread_name", **_place(lane), "args": {"name": lane.name}}

    def _record(self, record: np.void) -> Iterator[Event]:
        kind = Kind(int(record["kind"]))
        lane = self.lanes.get(int(record["lane"]), self.client)
        if kind is Kind.GAUGE:
            value = {"value": float(record["dur_us"])}
            yield {
                "ph": "C",
                "name": lane.name,
                **_place(lane),
                **self._time(record),
                "args": value,
            }
        elif kind in INSTANTS:
            yield {
                "ph": "i",
                "s": "t",
                "name": INSTANTS[kind],
                **_place(lane),
                **self._time(record),
            }
        elif kind is Kind.IDLE:
            yield self._complete("idle", lane, record)
        elif kind is Kind.CLIENT:
            yield self._complete(self._name(record), self.client, record)
            yield self._flow("s", self.client, record)
        elif kind is Kind.REQUEST:
            yield from self._pair(self._name(record), "request", lane, record)
            yield {**self._flow("f", lane, record), "bp": "e"}
        elif kind is Kind.WORKER:
            yield self._complete(self._name(record), lane, record)
        elif kind is Kind.STEP and lane.kind == "loop":
            yield self._complete(f"{self._tag(int(record['request']))} step", lane, record)

    def _state(self, span: np.void) -> Iterator[Event]:
        lane = self.lanes.get(int(span["lane"]), self.client)
        yield from self._pair(STATE_WORDS[State(int(span["kind"]))], "request", lane, span)

    def _pair(self, name: str, category: str, lane: Lane, record: np.void) -> Iterator[Event]:
        both = {
            "cat": category,
            "name": name,
            "id": f"{self.trace_id}-{int(record['request'])}",
            **_place(lane),
        }
        start, length = self._extent(record)
        yield {"ph": "b", **both, "ts": start, "args": self._args(record)}
        yield {"ph": "e", **both, "ts": start + length}

    def _complete(self, name: str, lane: Lane, record: np.void) -> Event:
        start, length = self._extent(record)
        args = self._args(record)
        return {"ph": "X", "name": name, **_place(lane), "ts": start, "dur": length, "args": args}

    def _flow(self, phase: str, lane: Lane, record: np.void) -> Event:
        number = int(record["request"])
        return {
            "ph": phase,
            "cat": "request",
            "name": "request",
            "id": number,
            **_place(lane),
            **self._time(record),
        }

    def _extent(self, record: np.void) -> tuple[float, float]:
        start, length = float(record["t_us"]), float(record["dur_us"])
        if np.isnan(length):
            length = max(0.0, self.end - start)
        return start - self.zero, length

    def _time(self, record: np.void) -> Event:
        return {"ts": float(record["t_us"]) - self.zero}

    def _name(self, record: np.void) -> str:
        number = int(record["request"])
        info = self.trace.requests.get(number)
        label = info.label.removeprefix("probe ") if info else ""
        return f"{self._tag(number)} {label}".strip()

    def _tag(self, number: int) -> str:
        return tag(number, self.trace.meta.get("probe_from"))

    def _args(self, record: np.void) -> dict[str, Any]:
        flags = Flag(int(record["flags"]))
        told: dict[str, Any] = {"request": int(record["request"])}
        for flag in Flag:
            if flag and flag in flags:
                told[str(flag.name).lower()] = True
        if int(flags) >> NAME_SHIFT:
            told["awaits"] = self.trace.meta["awaits"][int(flags) >> NAME_SHIFT]
        if np.isnan(record["dur_us"]):
            told["open"] = True
        info = self.trace.requests.get(int(record["request"]))
        if info is not None and info.status is not None:
            told["http.response.status_code"] = info.status
        return told


def _place(lane: Lane) -> Event:
    return {"pid": lane.pid, "tid": lane.tid}
