"""What became of a prediction: the question is run, and its trace tells what was right."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.interview.hypotheses import Schedule, Span
from playground.interview.predict import (
    GAP,
    LONG,
    PROBE_AT,
    TRUCK,
    UNIT_S,
    Drawn,
    Number,
    PredictError,
    Question,
    Work,
)
from playground.load.burst import burst
from playground.load.display import Show
from playground.load.order import Order, of_workload
from playground.load.paced import load
from playground.load.run import Run
from playground.setups.server import Server
from playground.trace.states import State
from playground.trace.trace import Trace
from playground.views.summary import Request, picture

NEAR = 1.25, 0.35  # a time is right within this factor, or within so many units


@dataclass(frozen=True)
class Answer:
    """What the reader said: a letter, and numbers by their keys (in units where they are times)."""

    letter: str
    numbers: dict[str, float]


@dataclass(frozen=True)
class Outcome:
    """What ran, and what its trace shows in units of ``unit_s``. ``trouble`` says in a sentence why
    there is nothing to judge; it is empty if there is.
    """

    run: Run
    seen: Schedule | None
    unit_s: float
    trouble: str = ""


@dataclass(frozen=True)
class Row:
    """One thing that was predicted, as words: said, by the capacity, seen; and the verdict."""

    question: str
    said: str
    expected: str
    seen: str
    verdict: str  # RIGHT, SOUND or OTHER


UNSETTLED = "Its processes accept from one socket: which of them gets a connection is not settled."
RIGHT, SOUND, OTHER = "as it ran", "as the capacity says", "it ran otherwise"


@dataclass(frozen=True)
class Judged:
    """A prediction beside the run. ``note`` tells where the run was not what the capacity says."""

    rows: tuple[Row, ...]
    note: str

    @property
    def right(self) -> int:
        """How many came out as they were predicted."""
        return sum(row.verdict == RIGHT for row in self.rows)


def run(
    asked: Question, *, show: Show = False, tell: Callable[[str, float | None], None] | None = None
) -> Outcome:
    """Start the server, send one request alone and then the load, end it, look at the trace.

    How long the one took is the unit for the others: on a busy machine computing takes longer.
    ``tell`` is called with what goes on, and may raise to stop. Raises ``ServeError``.
    """
    tell = tell or (lambda words, part: None)
    title = asked.choice.title
    usual, small = _order(asked, UNIT_S), _order(asked, UNIT_S / 10)
    sizes = {"workers": asked.choice.workers, "threads": asked.choice.threads}

    def starting() -> None:
        tell(f"Starting {title} …", None)

    starting()
    with usual.serve(asked.choice.setup, **sizes, look=starting) as server:
        burst(server, 2 * asked.choice.workers, small.path, show=False)  # imports and first calls
        starting()
        alone = burst(server, 1, usual.path, show=False)
        unit_s = _unit_s(alone, asked.work)
        found = _send(server, asked, unit_s, show, lambda part: tell(f"Asking {title} …", part))
    trouble = usual.complaint(title, [*alone.replies, *found.replies])
    seen = None if trouble else observed(found.trace, asked.n, unit_s)
    if seen is None and not trouble:
        trouble = "The trace does not hold every request, so there is nothing to compare with."
    return Outcome(found, seen, unit_s, trouble)


def _send(
    server: Server, asked: Question, unit_s: float, show: Show, progress: Callable[[float], None]
) -> Run:
    """The load of the question."""
    path = _order(asked, UNIT_S).path
    more: dict[str, Any] = {"show": show, "progress": progress}
    if asked.load == "steady":
        return load(server, path, arrivals="steady", rate=1 / (GAP * unit_s), n=asked.n, **more)
    if asked.load == "long":
        long = _order(asked, LONG * UNIT_S).path
        return burst(server, [(long, 1), (path, asked.n - 1)], **more)
    if asked.load == "probe":
        more |= {"probe": "/health", "every": PROBE_AT * unit_s}
    return burst(server, asked.n, path, **more)


def _unit_s(alone: Run, work: Work) -> float:
    """What a unit took in a run of one request."""
    found = observed(alone.trace, 1, 1.0)
    return max(UNIT_S, found.service / (work.wait + work.compute)) if found else UNIT_S


def observed(trace: Trace, n: int, unit_s: float) -> Schedule | None:
    """What a trace shows of the first ``n`` requests, in units; None if it lacks one of them.

    A service lasts from the first sign of the request in the server to the last before the client
    had its answer.
    """
    shown = picture(trace)
    spans = [_span(one, shown.zero_us, unit_s) for one in shown.guests if one.number <= n]
    if len(spans) != n or None in spans:
        return None
    probe = None
    if shown.probes:
        first = shown.probes[0]
        probe = Span(*(at / unit_s for at in (first.start, first.done, first.done)))
    return Schedule(tuple(span for span in spans if span is not None), probe)


def judge(asked: Question, answer: Answer, seen: Schedule) -> Judged:
    """The answer beside what the capacity lets one expect and what was seen.

    Raises ``PredictError`` for a letter that there is not, and for a number that is missing.
    """
    chosen, ran = asked.picture(answer.letter), asked.nearest(seen)
    by_capacity = next(one for one in asked.pictures if one.schedule == asked.expected)
    said, expected, seen_ = (f"{one.letter}, {one.told}" for one in (chosen, by_capacity, ran))
    verdict = _verdict(chosen == ran, chosen == by_capacity)
    rows = [Row("Which picture?", said, expected, seen_, verdict)]
    rows += [_number_row(one, answer, asked.expected, seen) for one in asked.numbers]
    return Judged(tuple(rows), _note(asked, by_capacity, ran, seen))


def _number_row(one: Number, answer: Answer, expected: Schedule, seen: Schedule) -> Row:
    said, due, was = answer.numbers.get(one.key), one.of(expected), one.of(seen)
    if said is None:
        raise PredictError(f"A number is missing: {one.question}")
    verdict = _verdict(_near(said, was, one.whole), _near(said, due, one.whole))
    words = [amount(value, one.whole) for value in (said, due, was)]
    return Row(one.question, words[0], words[1], words[2], verdict)


def _note(asked: Question, by_capacity: Drawn, ran: Drawn, seen: Schedule) -> str:
    """Where the run was not what the capacity says."""
    uneven = f" {UNSETTLED}" if asked.choice.workers > 1 else ""
    if ran != by_capacity:
        return (
            f"By its capacity {asked.choice.title} would give {by_capacity.letter}; this run was"
            f" nearer to {ran.letter}, with {seen.peak} at once at most. The timeline shows which"
            f" request went where, and what it waited for.{uneven}"
        )
    if seen.peak != ran.schedule.peak:
        return f"No picture is exact: {seen.peak} were in service at once; {ran.letter} is nearest."
    if not _near(seen.total, asked.expected.total, whole=False):
        took = f"{amount(seen.total, False)} instead of {amount(asked.expected.total, False)}"
        return f"It ran like {ran.letter}, and yet it took {took}: see who waited for whom.{uneven}"
    return ""


def _order(asked: Question, length_s: float) -> Order:
    """What is sent to the app, if a request shall take so long alone."""
    work = asked.work
    sizes = {name: each * length_s for name, each in work.sizes.items()}
    if work.path:
        query = "&".join(f"{name}={value:g}" for name, value in sizes.items())
        return Order(TRUCK, f"{work.path}?{query}")
    return of_workload(asked.choice.setup, work.name, asked.choice.framework, **sizes)


def _span(one: Request, zero_us: float, unit_s: float) -> Span | None:
    served = one.spans[one.spans["kind"] != State.QUEUED]
    if not len(served) or not math.isfinite(one.done):
        return None
    begin = (float(served["t_us"].min()) - zero_us) / 1e6
    ends = served["t_us"] + served["dur_us"]
    end = min(one.done, (float(ends[~np.isnan(ends)].max(initial=0.0)) - zero_us) / 1e6)
    return Span(one.start / unit_s, begin / unit_s, max(begin, end) / unit_s)


def _near(said: float, was: float, whole: bool) -> bool:
    if whole:
        return said == was
    factor, units = NEAR
    return abs(said - was) <= units or (was > 0 and 1 / factor <= said / was <= factor)


def _verdict(as_it_ran: bool, as_expected: bool) -> str:
    return RIGHT if as_it_ran else SOUND if as_expected else OTHER


def amount(value: float, whole: bool) -> str:
    """A number, as it is shown: a time in units, to two digits."""
    if whole:
        return f"{value:.0f}"
    words = f"{float(f'{value:.2g}'):g}"
    return f"{words} unit{'s' * (words != '1')}"
