"""Grader of truck-find-blocking: small timelines drawn by hand, then two real runs.

What a real run holds is not known here: the same records go through a second reading, below, which
cuts time into pieces. A slow machine makes other records, never another verdict.
"""

from functools import cache
from itertools import pairwise
from math import isclose
from typing import Any

from playground.grading import Learner, Raised, fail, short
from playground.load.run import Run
from playground.trace.records import Kind

Record = tuple[str, int, int, float, float]
Found = list[tuple[int, float, dict[int, float]]]

LIMIT_US = 100_000.0  # asyncio's slow_callback_duration
FEW = 20  # records that are drawn by hand
KINDS = (Kind.QUEUE, Kind.REQUEST, Kind.STEP, Kind.AWAIT, Kind.READY, Kind.WORKER)
HOLDS = "a loop is held by a STEP: until its end, nothing else happens on that loop"
WAITS = "who is READY, or in the QUEUE, waits for the loop; only what lies within the step counts"
LOOPS = "each process has a loop of its own: the lane tells which"

EXAMPLE: list[Record] = [
    ("QUEUE", 0, 1, 0.0, 500.0),
    ("REQUEST", 1, 1, 500.0, 150_000.0),
    ("STEP", 1, 1, 500.0, 150_000.0),
    ("QUEUE", 0, 2, 100_500.0, 50_200.0),
    ("REQUEST", 1, 2, 150_700.0, 300.0),
    ("STEP", 1, 2, 150_700.0, 300.0),
]


def check_example(learner: Learner) -> None:
    """Finds the step of the example, and who waited."""
    read(learner, EXAMPLE, LIMIT_US, f"{HOLDS}; {WAITS}", "Draw a bar for each record.")


def check_nobody(learner: Learner) -> None:
    """Accuses nobody who waits, or who lets a thread work."""
    waits = [
        ("REQUEST", 1, 1, 0.0, 900_000.0),
        ("STEP", 1, 1, 0.0, 300.0),
        ("AWAIT", 1, 1, 300.0, 899_000.0),
        ("WORKER", 5, 1, 400.0, 898_000.0),
        ("STEP", 1, 1, 899_300.0, 700.0),
    ]
    nudge = "Which of these kinds keeps others from the loop?"
    read(learner, [], LIMIT_US, "no records, nobody", nudge)
    read(learner, waits, LIMIT_US, HOLDS, nudge)


def check_limit(learner: Learner) -> None:
    """Tells each step that is as long as the limit or longer, in order."""
    steps = [
        ("STEP", 1, 7, 0.0, 2_000.0),
        ("STEP", 1, 3, 2_000.0, 1_999.0),
        ("STEP", 1, 3, 4_000.0, 2_001.0),
        ("STEP", 1, 7, 7_000.0, 5_000.0),
    ]
    nudge = "A limit counts for one step: two short ones with an await between them hold nobody."
    why = "one tuple for each step of `limit_us` or longer, in order of their beginning"
    read(learner, steps, 2_000.0, why, nudge)
    read(learner, steps, 5_001.0, why, nudge)


def check_ready(learner: Learner) -> None:
    """Counts a request that is READY, and one that is READY twice, and not one that awaits."""
    records = [
        ("STEP", 1, 2, 0.0, 100.0),
        ("READY", 1, 3, 50.0, 150.0),
        ("READY", 1, 2, 100.0, 5_150.0),
        ("STEP", 1, 3, 200.0, 5_000.0),
        ("READY", 1, 4, 1_000.0, 4_500.0),
        ("AWAIT", 1, 5, 1_000.0, 4_500.0),
        ("READY", 1, 7, 5_199.5, 100.5),
        ("STEP", 1, 2, 5_250.0, 10.0),
        ("STEP", 1, 7, 5_300.0, 10.0),
        ("STEP", 1, 4, 5_500.0, 10.0),
        ("READY", 1, 6, 6_000.0, 7_000.0),
        ("STEP", 1, 5, 6_000.0, 3_000.0),
        ("STEP", 1, 5, 9_500.0, 2_500.0),
        ("STEP", 1, 6, 13_000.0, 10.0),
    ]
    nudge = "Draw the step as a bar, and the READY as another one: how long is what they share?"
    read(learner, records, 1_000.0, WAITS, nudge)


def check_queue(learner: Learner) -> None:
    """Counts a request that stands in the QUEUE, from the moment when it was sent."""
    records = [
        ("QUEUE", 0, 1, 0.0, 1_000.0),
        ("QUEUE", 0, 2, 0.0, 6_500.0),
        ("STEP", 1, 1, 1_000.0, 5_000.0),
        ("QUEUE", 0, 3, 4_000.0, 2_000.0),
        ("QUEUE", 0, 4, 4_500.0, 9_000.0),
        ("STEP", 1, 3, 6_000.0, 100.0),
        ("STEP", 1, 2, 6_500.0, 100.0),
    ]
    nudge = "Request 4 never got a step: its client gave up. Which loop would have taken it?"
    read(learner, records, 1_000.0, WAITS, nudge)


def check_both(learner: Learner) -> None:
    """Adds the times up for a request that was in the QUEUE and READY during one step."""
    records = [
        ("QUEUE", 0, 2, 500.0, 1_500.0),
        ("STEP", 1, 1, 1_000.0, 9_000.0),
        ("READY", 1, 2, 2_500.0, 3_000.0),
        ("READY", 1, 2, 6_000.0, 4_500.0),
        ("STEP", 1, 2, 10_500.0, 100.0),
    ]
    read(learner, records, 1_000.0, WAITS, "A request may wait more than once during one step.")


def check_loops(learner: Learner) -> None:
    """Keeps two loops apart."""
    records = [
        ("QUEUE", 0, 3, 0.0, 9_000.0),
        ("QUEUE", 0, 4, 0.0, 7_000.0),
        ("STEP", 1, 1, 1_000.0, 5_000.0),
        ("STEP", 2, 2, 2_000.0, 6_000.0),
        ("READY", 1, 5, 2_000.0, 4_100.0),
        ("READY", 2, 6, 3_000.0, 5_500.0),
        ("STEP", 1, 5, 6_100.0, 100.0),
        ("STEP", 1, 4, 7_000.0, 100.0),
        ("STEP", 2, 6, 8_500.0, 100.0),
        ("STEP", 2, 3, 9_000.0, 100.0),
        ("STEP", 2, 3, 9_200.0, 2_000.0),
        ("READY", 1, 4, 9_300.0, 800.0),
        ("STEP", 1, 4, 10_100.0, 1_500.0),
    ]
    read(learner, records, 1_000.0, LOOPS, "On which lane is the first STEP of a request?")


def check_real(learner: Learner) -> None:
    """Reads a real run of one process: blocking, awaiting, and in threads."""
    why = "the records of a real run, as its timeline shows it"
    read(learner, records_of(real_run(1)), LIMIT_US, why)
    read(learner, records_of(real_run(1)), 200.0, why)


def check_real_workers(learner: Learner) -> None:
    """Reads a real run of two processes."""
    why = f"the records of a real run with two workers; {LOOPS}"
    read(learner, records_of(real_run(2)), LIMIT_US, why)


def draw(file: Any) -> Run:
    """The real run that was read."""
    return real_run(1)


def read(learner: Learner, records: list[Record], limit: float, why: str, nudge: str = "") -> None:
    """Let the learner's function read, and hold it against the second reading."""
    expected = second_reading(records, limit)
    try:
        found = learner.call("find_blocking", records, limit)
    except Raised as raised:
        raised.called = told(records, limit)
        raise
    if not alike(found, expected):
        got, wanted = f"returned {short(found, 600)}", f"returned {short(expected, 600)}"
        fail(told(records, limit), got, wanted, why=why, nudge=nudge)


def told(records: list[Record], limit: float) -> str:
    """The call, with all records if they are few."""
    if len(records) > FEW:
        return f"find_blocking(the {len(records)} records of the run, {limit})"
    lines = "".join(f"\n    {record}," for record in records)
    return f"find_blocking([{lines}\n], {limit})"


def alike(value: Any, expected: Found) -> bool:
    """Compare, up to rounding; a wait that is shorter than the rounding may be there or not."""
    if not isinstance(value, list) or len(value) != len(expected):
        return False
    for found, (request, held, waited) in zip(value, expected, strict=True):
        if not isinstance(found, tuple) or len(found) != 3 or not isinstance(found[2], dict):
            return False
        if found[0] != request or not near(found[1], held):
            return False
        mine, theirs = beyond_rounding(found[2]), beyond_rounding(waited)
        if mine.keys() != theirs.keys() or not all(near(mine[n], theirs[n]) for n in theirs):
            return False
    return True


def beyond_rounding(waited: dict[Any, Any]) -> dict[Any, Any]:
    """Without times so short that only rounding makes them."""
    return {who: time for who, time in waited.items() if not (near(time, 0.0) and time > 0)}


def near(value: Any, expected: float) -> bool:
    """Equal up to rounding, and a number."""
    return type(value) in (int, float) and isclose(value, expected, abs_tol=0.01)


def second_reading(records: list[Record], limit: float) -> Found:
    """Cut each long step at every moment at which something begins or ends; add the pieces up."""
    found = []
    for kind, lane, request, begin, duration in records:
        if kind != "STEP" or duration < limit:
            continue
        end = begin + duration
        near_by = [r for r in records if r[3] < end and r[3] + r[4] > begin]
        moments = {m for r in near_by for m in (r[3], r[3] + r[4]) if begin < m < end}
        waited: dict[int, float] = {}
        for one, other in pairwise(sorted({begin, end, *moments})):
            for whose in {r[2] for r in near_by if wants(r, lane, one, records)}:
                waited[whose] = waited.get(whose, 0.0) + other - one
        found.append((request, duration, waited))
    return found


def wants(record: Record, lane: int, moment: float, records: list[Record]) -> bool:
    """Tell whether this record says that its request waits for that loop from this moment on."""
    kind, own, request, begin, duration = record
    if kind not in ("READY", "QUEUE") or not begin <= moment < begin + duration:
        return False
    steps = [r[1] for r in records if r[0] == "STEP" and r[2] == request]
    return lane == own if kind == "READY" else bool(steps) and steps[0] == lane


def records_of(run: Run) -> list[Record]:
    """The records of a run in the form of the exercise: times from its beginning on."""
    rows = [row for row in run.trace.records if row["kind"] in KINDS and row["dur_us"] >= 0]
    first = min(float(row["t_us"]) for row in rows)
    return [
        (
            Kind(int(row["kind"])).name,
            int(row["lane"]),
            int(row["request"]),
            round(float(row["t_us"]) - first, 3),
            round(float(row["dur_us"]), 3),
        )
        for row in rows
    ]


@cache
def real_run(workers: int) -> Run:
    """Serve guests who block, await and use threads, and health checks beside them."""
    from playground import burst, serve

    guests = [("/block", 2 * workers), ("/await", 2), ("/thread", 2)]
    with serve("minimal-asgi", three_ways, workers=workers) as server:
        return burst(server, guests, probe="/health", every=0.05, show=False)


async def three_ways(scope: Any, receive: Any, send: Any) -> None:
    """The application of the real run."""
    import asyncio
    import time

    if scope["type"] != "http":
        raise RuntimeError("http only")
    match scope["path"]:
        case "/block":
            time.sleep(0.12)  # the mistake that this exercise is about
        case "/await":
            await asyncio.sleep(0.12)
        case "/thread":
            await asyncio.to_thread(time.sleep, 0.12)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"."})
