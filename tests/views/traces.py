"""Traces made by a small model: no server, no clock, the same every time."""

import heapq
import math

from playground.trace.records import Flag, Kind
from playground.trace.trace import Lane, RequestInfo, Trace, from_tuples

START = 5_000_000.0  # µs
S = 1_000_000.0


def restaurant(
    requests: int = 8,
    workers: int = 2,
    *,
    wait_s: float = 1.0,
    cpu_s: float = 0.02,
    sampled: bool = True,
    failed: tuple[int, ...] = (),
    parts: int = 1,
    until_s: float = math.inf,
    **meta: object,
) -> Trace:
    """All requests at once for some workers: each computes, waits, computes.

    ``parts`` repeats computing and waiting within a request; without ``sampled`` nothing tells
    running from waiting. Spans later than ``until_s`` are left out, those that reach beyond it are
    open.
    """
    free = [(START, lane) for lane in range(1, workers + 1)]
    heapq.heapify(free)
    rows: list[tuple[float, float, int, int, int, int]] = []
    infos = {}
    for number in range(1, requests + 1):
        sent = START + number * 100
        at, lane = heapq.heappop(free)
        began = max(at, sent) + 2000
        now = began
        if sampled:
            for _ in range(parts):
                rows.append((now, cpu_s * S / parts, number, lane, Kind.STEP, Flag.SAMPLED))
                now += cpu_s * S / parts
                rows.append((now, wait_s * S / parts, number, lane, Kind.AWAIT, Flag.SAMPLED))
                now += wait_s * S / parts
            rows.append((now, cpu_s * S / 2, number, lane, Kind.STEP, Flag.SAMPLED))
            now += cpu_s * S / 2
        else:
            now += (wait_s + cpu_s) * S
        flag = Flag.ERROR if number in failed else 0
        rows.append((began, now - began, number, lane, Kind.WORKER, flag))
        rows.append((began, now - began, number, lane, Kind.REQUEST, flag))
        rows.append((sent, now + 1500 - sent, number, 0, Kind.CLIENT, 0))
        heapq.heappush(free, (now, lane))
        error = "RuntimeError: broken on purpose" if number in failed else None
        infos[number] = RequestInfo("GET /slow", 500 if error else 200, error, cpu_s * 1.5 * S)
    return Trace(_cut(rows, until_s), _lanes(workers), infos, _meta(workers, **meta))


def loop(
    requests: int = 8, *, wait_s: float = 0.3, blocked: int = 4, block_s: float = 0.5
) -> Trace:
    """One event loop: every request awaits; one of them blocks the loop after its await."""
    rows: list[tuple[float, float, int, int, int, int]] = []
    free = START + 10_000
    ready = []
    for number in range(1, requests + 1):
        sent = START + number * 50
        rows.append((free, 6000.0, number, 1, Kind.STEP, 0))
        ready.append((free + 6000 + wait_s * S, number, sent, free))
        free += 6000
    rows.append((free, ready[0][0] - free, 0, 1, Kind.IDLE, 0))
    free = ready[0][0]
    for due, number, sent, began in sorted(ready, key=lambda r: (r[1] != blocked, r)):
        work = block_s * S if number == blocked else 2000.0
        resumed = max(free, due)
        rows.append((began + 6000, due - began - 6000, number, 1, Kind.AWAIT, 0))
        if resumed > due:
            rows.append((due, resumed - due, number, 1, Kind.READY, Flag.LOWER_BOUND))
        rows.append((resumed, work, number, 1, Kind.STEP, 0))
        free = resumed + work
        rows.append((began, free - began, number, 1, Kind.REQUEST, 0))
        rows.append((sent, free + 500 - sent, number, 0, Kind.CLIENT, 0))
    lanes = [Lane(0, "client", "client", 100, 100), Lane(1, "loop 1", "loop", 417, 417)]
    infos = {n: RequestInfo("GET /slow", 200) for n in range(1, requests + 1)}
    told = _meta(1, title="The food truck", interface="asgi", command="uvicorn app:app")
    return Trace(from_tuples(rows), lanes, infos, told)


def _cut(rows: list[tuple[float, float, int, int, int, int]], until_s: float):
    until = START + until_s * S
    known = [row for row in rows if row[0] <= until]
    return from_tuples((t, math.nan if t + d > until else d, *rest) for t, d, *rest in known)


def _lanes(workers: int) -> list[Lane]:
    own = [Lane(i, f"worker {i}", "worker", 416 + i, 416 + i) for i in range(1, workers + 1)]
    return [Lane(0, "client", "client", 100, 100), *own]


def _meta(workers: int, **meta: object) -> dict[str, object]:
    return {
        "title": "The restaurant",
        "command": f"gunicorn -w {workers} app:app · GET /slow, all at once",
        "setup": "gunicorn-sync",
        "interface": "wsgi",
        "workers": workers,
        "threads": 1,
        "started_us": START,
        "dropped": 0,
        "traced": True,
        "simulated": False,
        **meta,
    }


def truck(requests: int = 8, *, pool: int = 2, wait_s: float = 0.3, block_s: float = 0.4) -> Trace:
    """One event loop and ``pool`` threads: even requests are helped by a thread, odd ones wait; the
    first one blocks the loop after its await. With the loop's lag as a gauge.
    """
    rows: list[tuple[float, float, int, int, int, int]] = []
    free = [START + 20_000.0] * pool
    for number in range(1, requests + 1):
        sent, began = START + number * 50, START + 10_000 + number * 500
        rows += [(sent, 2 * S, number, 0, Kind.CLIENT, 0)]
        rows += [(began, 2 * S - 20_000, number, 1, Kind.REQUEST, 0)]
        rows += [(began, 400.0, number, 1, Kind.STEP, 0)]
        rest = began + 400
        if number == 1:
            rows += [(rest, START + wait_s * S - rest, number, 1, Kind.AWAIT, 0)]
            rest = START + (wait_s + block_s) * S
        rows += [(rest, began + 2 * S - 20_000 - rest, number, 1, Kind.AWAIT, 0)]
        if number % 2 == 0:
            thread = min(range(pool), key=free.__getitem__)
            rows += [(free[thread], wait_s * S, number, 10 + thread, Kind.WORKER, 0)]
            free[thread] += wait_s * S
    blocked = START + wait_s * S
    rows += [(blocked, block_s * S, 1, 1, Kind.STEP, 0)]
    rows += [(START + 20_000, blocked - START - 20_000, 0, 1, Kind.IDLE, 0)]
    rows += [(START + 50_000 * i, 100.0, 0, 20, Kind.GAUGE, 0) for i in range(1, 6)]
    rows += [(blocked + block_s * S, block_s * S - 20_000, 0, 20, Kind.GAUGE, 0)]
    lanes = [Lane(0, "client", "client", 100, 100), Lane(1, "loop 1", "loop", 417, 417)]
    lanes += [Lane(10 + i, f"pool {i + 1}", "thread", 417, 500 + i) for i in range(pool)]
    lanes += [Lane(20, "loop lag", "gauge", 417, 417)]
    infos = {n: RequestInfo("GET /slow", 200, cpu_us=900.0) for n in range(1, requests + 1)}
    told = _meta(1, title="The food truck", interface="asgi", command="uvicorn app:app")
    return Trace(from_tuples(rows), lanes, infos, told)


def probed(
    requests: int = 3,
    probes: int = 8,
    *,
    block_s: float = 0.3,
    every_s: float = 0.1,
    **meta: object,
) -> Trace:
    """One loop that every request blocks; a probe each ``every_s`` gets in between two of them."""
    rows: list[tuple[float, float, int, int, int, int]] = []
    due = [START + every_s * S * place for place in range(1, probes + 1)]
    free, asked = START + 2000.0, 0
    for number in range(1, requests + 1):
        rows += [(START, free + block_s * S + 500 - START, number, 0, Kind.CLIENT, 0)]
        rows += [(free, block_s * S, number, 1, kind, 0) for kind in (Kind.REQUEST, Kind.STEP)]
        free += block_s * S
        while asked < probes and due[asked] <= free:
            probe = requests + 1 + asked
            rows += [(due[asked], free + 1500 - due[asked], probe, 0, Kind.CLIENT, 0)]
            rows += [(free, 900.0, probe, 1, kind, 0) for kind in (Kind.REQUEST, Kind.STEP)]
            free, asked = free + 1000, asked + 1
    lanes = [Lane(0, "client", "client", 100, 100), Lane(1, "loop 1", "loop", 417, 417)]
    infos = {n: RequestInfo("GET /block", 200) for n in range(1, requests + 1)}
    infos |= {requests + n: RequestInfo("probe GET /health", 200) for n in range(1, asked + 1)}
    told = {"title": "A food truck that is asked how it is", "interface": "asgi"}
    told |= {"command": "uvicorn app:app", "probe_from": requests + 1}
    return Trace(from_tuples(rows), lanes, infos, _meta(1, **{**told, **meta}))


def killed(at_s: float = 0.5, again_s: float = 0.7) -> Trace:
    """Two workers; the first gets a kill -9 in its service, and another comes for it. With what the
    system tells of the parent and them.
    """
    trace = restaurant(6, 2, wait_s=0.4, failed=())
    rows = [tuple(row) for row in trace.records if row["t_us"] < START + 3 * S]
    at, again = START + at_s * S, START + again_s * S
    rows = [(*row[:3], 3 if row[3] == 1 and row[0] > at else row[3], *row[4:]) for row in rows]
    rows = [row for row in rows if row[2] != 3]
    rows += [(START + 300, at - START - 300, 3, 0, Kind.CLIENT, Flag.ERROR)]
    rows += [
        (at - 60_000, 60_000.0, 3, 1, kind, Flag.ERROR) for kind in (Kind.WORKER, Kind.REQUEST)
    ]
    trace.requests[3] = RequestInfo("GET /slow", None, "its process (pid 417) ended")
    pids = {416: 10, 417: 20, 418: 30, 431: 40}
    lanes = [*trace.lanes, Lane(3, "worker 3", "worker", 431, 431)]
    for pid, first in pids.items():
        born = {417: 0.0, 431: again_s}.get(pid, 0.0) * S + START
        end = at if pid == 417 else START + 1.25 * S
        for place, (name, value) in enumerate((("CPU %", 50.0), ("PSS MiB", 31.0), ("state", 2.0))):
            lanes.append(Lane(first + place, name, "gauge", pid, pid))
            rows += [(born + 100_000, value, 0, first + place, Kind.GAUGE, 0)]
        rows += [(end - 50_000, 12.0, 0, first, Kind.GAUGE, 0)]
    lanes.append(Lane(13, "restarts", "gauge", 416, 416))
    rows += [(again + 50_000, 1.0, 0, 13, Kind.GAUGE, 0)]
    processes = [
        {"pid": 416, "role": "parent", "began_us": START - S, "ended_us": None},
        {"pid": 417, "role": "worker", "began_us": START - S, "ended_us": at + 4000},
        {"pid": 418, "role": "worker", "began_us": START - S, "ended_us": None},
        {"pid": 431, "role": "worker", "began_us": again, "ended_us": None},
    ]
    marks = [
        {"t_us": at, "what": "signal", "name": "kill -9", "pid": 417},
        {"t_us": at + 4000, "what": "ended", "name": "", "pid": 417},
        {"t_us": again, "what": "began", "name": "", "pid": 431},
    ]
    told = {**trace.meta, "processes": processes, "marks": marks}
    return Trace(from_tuples(rows), lanes, trace.requests, told)
