"""A small trace made by hand, for tests that need one without starting a server."""

import math

from playground.trace.records import Flag, Kind
from playground.trace.trace import Lane, RequestInfo, Trace, from_tuples

START = 1_000_000.0  # µs
MS = 1000.0
OPEN = math.nan


def example_trace() -> Trace:
    """Six requests at once for two workers: waiting, computing, failing, unknown, still open, never
    begun.
    """
    rows = [
        # 1: worker 1 at once; waits, then computes
        (START, 320 * MS, 1, 0, Kind.CLIENT, 0),
        (START, 10 * MS, 1, 0, Kind.QUEUE, 0),
        (START + 10 * MS, 300 * MS, 1, 1, Kind.WORKER, 0),
        (START + 10 * MS, 300 * MS, 1, 1, Kind.REQUEST, 0),
        (START + 10 * MS, 5 * MS, 1, 1, Kind.STEP, Flag.SAMPLED),
        (START + 15 * MS, 200 * MS, 1, 1, Kind.AWAIT, Flag.SAMPLED),
        (START + 215 * MS, 95 * MS, 1, 1, Kind.STEP, Flag.SAMPLED),
        # 2: worker 2 at once; computes
        (START + 1 * MS, 260 * MS, 2, 0, Kind.CLIENT, 0),
        (START + 1 * MS, 9 * MS, 2, 0, Kind.QUEUE, 0),
        (START + 10 * MS, 245 * MS, 2, 2, Kind.WORKER, 0),
        (START + 10 * MS, 245 * MS, 2, 2, Kind.STEP, Flag.SAMPLED),
        # 3: queued behind 2, fails
        (START + 2 * MS, 350 * MS, 3, 0, Kind.CLIENT, 0),
        (START + 2 * MS, 254 * MS, 3, 0, Kind.QUEUE, 0),
        (START + 256 * MS, 90 * MS, 3, 2, Kind.WORKER, Flag.ERROR),
        (START + 256 * MS, 90 * MS, 3, 2, Kind.AWAIT, Flag.SAMPLED),
        # 4: queued behind 1; running or waiting, unknown which
        (START + 3 * MS, 500 * MS, 4, 0, Kind.CLIENT, 0),
        (START + 3 * MS, 308 * MS, 4, 0, Kind.QUEUE, 0),
        (START + 311 * MS, 185 * MS, 4, 1, Kind.WORKER, 0),
        # 5: begun and not ended
        (START + 4 * MS, OPEN, 5, 0, Kind.CLIENT, 0),
        (START + 347 * MS, OPEN, 5, 2, Kind.WORKER, 0),
        (START + 347 * MS, OPEN, 5, 2, Kind.STEP, Flag.SAMPLED),
        # 6: still in the queue
        (START + 5 * MS, OPEN, 6, 0, Kind.CLIENT, 0),
    ]
    lanes = [
        Lane(0, "client", "client", 100, 100),
        Lane(1, "worker 1", "worker", 201, 201),
        Lane(2, "worker 2", "worker", 202, 202),
    ]
    requests = {
        1: RequestInfo("GET /slow", 200, cpu_us=96_000.0),
        2: RequestInfo("GET /cpu", 200, cpu_us=243_000.0),
        3: RequestInfo("GET /crash", 500, "RuntimeError: broken on purpose", 1_000.0),
        4: RequestInfo("GET /slow", 200),
        5: RequestInfo("GET /cpu"),
        6: RequestInfo("GET /slow"),
    }
    meta = {
        "title": "6 requests, 2 workers",
        "command": "made by hand",
        "setup": "example",
        "interface": "wsgi",
        "workers": 2,
        "threads": 1,
        "started_us": START,
        "dropped": 0,
        "traced": True,
        "simulated": False,
    }
    return Trace(from_tuples(rows), lanes, requests, meta)
