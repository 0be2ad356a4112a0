"""Grader of gunicorn-name-the-setup: evenings on paper, then three that are recorded here and now.

What the rows of a recorded evening prove is worked out from the rows themselves, so a busy machine
changes the evening and not the verdict.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from playground.grading import Learner
from playground.load.burst import burst
from playground.setups.server import serve
from playground.trace.states import State, spans

Row = tuple[float, int, int, float, float]

RECORDED = (
    ("gunicorn-sync", {"workers": 2}, 5),
    ("gunicorn-gthread", {"workers": 1, "threads": 3}, 5),
    ("gunicorn-asgi", {"workers": 1}, 4),
)


def expect(
    learner: Learner, rows: list[Row], expected: tuple[str, int, int], *, why: str, nudge: str = ""
) -> None:
    """Fail unless exactly this comes back, whatever the order of the rows."""
    for evening in (rows, rows[::-1]):
        learner.expect("name_the_setup", evening).returns(expected, why=why, nudge=nudge)


def check_one_at_a_time(learner: Learner) -> None:
    """One waiter at a time: the second guest begins when the first has ended."""
    rows = [(0.0, 71, 1, 0.0, 1.0), (0.0, 71, 1, 1.0, 2.0)]
    expect(
        learner, rows, ("one at a time", 1, 1), why="he waited until the process was free",
        nudge="Two who touch are not there at the same moment: `<`, not `<=`.",
    )  # fmt: skip
    rows = [(0.0, 71, 1, 0.0, 1.0), (0.9, 71, 1, 1.2, 2.0)]
    expect(
        learner, rows, ("one at a time", 1, 1),
        why="he arrived while the other one was served, and began later",
        nudge="Compare when he arrived with when the other one ended.",
    )  # fmt: skip


def check_loop(learner: Learner) -> None:
    """A loop: one thread, several requests at the same moment."""
    rows = [(0.0, 5, 9, 0.0, 1.0), (0.0, 5, 9, 0.1, 1.1), (0.0, 5, 9, 0.2, 0.3)]
    expect(
        learner, rows, ("loop", 1, 3), why="one thread cannot stand at three tables, a loop can",
        nudge="Two overlap if each begins before the other ends.",
    )  # fmt: skip
    rows = [(0.0, 5, 9, 0.0, 3.0), (0.0, 5, 9, 1.0, 2.0), (0.0, 6, 9, 0.0, 1.0)]
    expect(
        learner, rows, ("loop", 2, 2), why="the second one lies within the first",
        nudge="Two overlap if each begins before the other ends.",
    )  # fmt: skip


def check_same_end(learner: Learner) -> None:
    """A loop: two who end at the same moment."""
    rows = [(0.0, 5, 9, 0.0, 1.0), (0.0, 5, 9, 0.5, 1.0)]
    expect(learner, rows, ("loop", 1, 2), why="for half a second both were served")


def check_threads(learner: Learner) -> None:
    """Threads: one process, different threads."""
    rows = [(0.0, 5, 1, 0.0, 1.0), (0.0, 5, 2, 0.0, 1.0), (0.0, 5, 1, 1.0, 2.0)]
    expect(learner, rows, ("threads", 1, 2), why="two threads of one process served at once")
    rows = [(0.0, 5, 1, 0.0, 1.0), (3.0, 5, 2, 3.0, 4.0)]
    expect(
        learner, rows, ("threads", 1, 1), why="a sync worker has one thread, this process has two",
        nudge="They need not have served at the same time.",
    )  # fmt: skip


def check_processes(learner: Learner) -> None:
    """Two processes whose threads have the same number are two processes."""
    rows = [
        (0.0, 5, 1, 0.0, 1.0), (0.0, 6, 1, 0.0, 1.0), (0.0, 5, 1, 1.0, 2.0),
    ]  # fmt: skip
    expect(
        learner, rows, ("one at a time", 2, 1), why="after fork(2) all main threads look alike",
        nudge="A thread is known by its process *and* its number.",
    )  # fmt: skip
    rows = [(0.0, 5, 1, 0.0, 2.0), (0.0, 6, 2, 0.0, 1.0)]
    expect(
        learner, rows, ("unknown", 2, 1), why="different processes, so nothing about threads",
        nudge="Compare within one process only.",
    )  # fmt: skip


def check_unknown(learner: Learner) -> None:
    """Says unknown where the rows prove nothing."""
    why = "nobody waited for anybody: any set-up looks like this"
    expect(learner, [(0.0, 5, 1, 0.0, 1.0)], ("unknown", 1, 1), why=why)
    rows = [(0.0, 5, 1, 0.0, 1.0), (1.0, 5, 1, 1.0, 2.0)]
    expect(
        learner, rows, ("unknown", 1, 1), why=why,
        nudge="He arrived when the other one had ended: he did not wait.",
    )  # fmt: skip
    rows = [(0.0, 5, 1, 0.0, 2.0), (0.0, 6, 1, 1.0, 3.0)]
    expect(
        learner, rows, ("unknown", 2, 1), why="he waited, but for no one of his own process",
        nudge="Compare within one process only.",
    )  # fmt: skip
    expect(learner, [], ("unknown", 0, 0), why="no rows prove nothing", nudge="`default=0`")


def check_order_of_proof(learner: Learner) -> None:
    """Names the strongest proof first."""
    rows = [
        (0.0, 5, 1, 0.0, 2.0), (0.0, 5, 1, 1.0, 3.0), (0.0, 5, 2, 0.0, 1.5), (0.0, 5, 1, 3.0, 4.0),
    ]  # fmt: skip
    expect(
        learner, rows, ("loop", 1, 3), why="one thread served two at once: only a loop does that",
        nudge="Look at all pairs for the first kind, then for the next.",
    )  # fmt: skip


def check_recorded(learner: Learner) -> None:
    """Names three set-ups of Gunicorn, recorded a moment ago."""
    with ThreadPoolExecutor() as pool:
        evenings = list(pool.map(lambda plan: record(*plan), RECORDED))
    for (name, size, _), rows in zip(RECORDED, evenings, strict=True):
        learner.expect("name_the_setup", rows).returns(
            proof(rows), why=f"recorded on {name} with {size}", nudge="Draw the rows on paper."
        )


def record(name: str, size: dict[str, int], guests: int) -> list[Row]:
    """So many guests at once, as rows."""
    with serve(name, "slow", cpu=False, **size) as server:  # type: ignore[arg-type]
        trace = burst(server, guests, "/?s=0.3", show=False).trace
    pids = {lane.id: lane.pid for lane in trace.lanes}
    states = spans(trace)
    rows = []
    for request in np.unique(states["request"]):
        own = states[states["request"] == request]
        served = own[own["kind"] != State.QUEUED]
        lane = int(served["lane"][0])
        began, ended = served["t_us"].min(), (served["t_us"] + served["dur_us"]).max()
        rows.append((own["t_us"].min() / 1e6, pids[lane], lane, began / 1e6, ended / 1e6))
    return [(float(a), p, t, float(b), float(e)) for a, p, t, b, e in rows]


def proof(rows: list[Row]) -> tuple[str, int, int]:
    """What the rows prove."""
    together = max(
        sum(q == p and b <= began < e for _, q, _, b, e in rows) for _, p, _, began, _ in rows
    )
    same = [(r, s) for r in rows for s in rows if r is not s and r[1] == s[1]]
    tests = {
        "loop": any(r[2] == s[2] and r[3] < s[4] and s[3] < r[4] for r, s in same),
        "threads": any(r[2] != s[2] for r, s in same),
        "one at a time": any(r[0] < s[4] <= r[3] for r, s in same),
    }
    kind = next((kind for kind, proved in tests.items() if proved), "unknown")
    return kind, len({row[1] for row in rows}), together
