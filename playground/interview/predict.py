"""Predict the timeline: a set-up and a load, pictures of what might happen, then what happens.

    for question in generate(seed=7, count=20): …
    outcome = run(question)                    # starts the server, sends the requests
    judged = judge(question, answer, outcome)  # the answer beside the capacity and the trace

Questions come from the catalogue: every set-up, framework and work that go together can be drawn,
and one seed always draws the same. No answer is stored with them. What is right is read from the
trace of the run; what the capacity of the set-up lets one expect stands beside it.
"""

from __future__ import annotations

import functools
import math
import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from playground.errors import Told
from playground.interview.hypotheses import (
    Asked,
    Model,
    Schedule,
    Span,
    schedule,
    with_free_probe,
)
from playground.panel.choices import Choice
from playground.setups.catalogue import SETUPS
from playground.setups.workloads import FRAMEWORKS, ONE_FRAMEWORK, cell
from playground.views.look import seconds

UNIT_S = 0.3  # what one request takes alone
LONG = 2.5  # times as long takes the long one: no multiple, so that no two end together
GAP = 0.4  # units between requests that come one by one
PROBE_AT = 0.5  # units, when the health check is sent
LETTERS = "ABCD"
COUNTS = (4, 5, 6, 8)  # requests
MOST_WORKERS, MOST_THREADS = 3, 4
APART = 1.5  # times as long must services of two pictures be, if nothing else tells them apart
POOL = 40  # threads of AnyIO in each process
TRUCK = "truck"  # the app with `def` endpoints and a blocking call
LOADS = ("together", "probe", "long", "steady")


class PredictError(Told, ValueError):
    """A question is asked for, or answered, in a way that makes no sense."""


@dataclass(frozen=True)
class Work:
    """What a request makes the app do: ``wait`` units for others, then ``compute`` units.

    ``sizes`` is what the path says of one second of work. ``path`` is an endpoint of the truck;
    without one it is the workload of that name. ``freely``: it computes without the GIL.
    ``pool``: in a thread of the pool. ``blocks``: it only sleeps, and holds the loop as if it
    computed.
    """

    name: str
    does: str
    wait: float
    compute: float
    sizes: dict[str, float]
    path: str = ""
    freely: bool = False
    pool: bool = False
    blocks: bool = False


WORKS = {
    work.name: work
    for work in (
        Work("waiting", "waits for {unit}", 1, 0, {"s": 1}),
        Work("upstream", "asks another service, which takes {unit}", 1, 0, {"s": 1}),
        Work("streaming", "sends five events in the course of {unit}", 1, 0, {"s": 0.2}),
        Work("cpu", "computes in Python for {unit} of processor time", 0, 1, {"ms": 1000}),
        Work(
            *("native", "computes in C, without the GIL, for {unit} of processor time", 0, 1),
            {"ms": 1000},
            freely=True,
        ),
        Work(
            "hybrid",
            "asks another service, which takes {unit}, then computes in Python for a quarter"
            " of that",
            *(1, 0.25),
            {"s": 1, "ms": 250},
        ),
        Work(
            *("block", "calls time.sleep for {unit} in an `async def` endpoint", 0, 1),
            {"s": 1},
            path="/block",
            blocks=True,
        ),
        Work(
            *("pool", "calls time.sleep for {unit} in a `def` endpoint", 1, 0),
            {"s": 1},
            path="/pool",
            pool=True,
        ),
        Work(
            *("pool-cpu", "computes in Python for {unit} in a `def` endpoint", 0, 1),
            {"ms": 1000},
            path="/pool-cpu",
            pool=True,
        ),
    )
}


@dataclass(frozen=True)
class Drawn:
    """One of the pictures to choose from: a hypothesis, and what would happen under it."""

    letter: str
    words: str
    schedule: Schedule
    health: str = ""  # what becomes of the health check, in words

    @property
    def told(self) -> str:
        """All of it, in words."""
        return ", ".join(filter(None, (self.words, self.health)))


@dataclass(frozen=True)
class Number:
    """A number to predict. ``whole`` numbers are right or wrong; times may be near."""

    key: str
    question: str
    of: Callable[[Schedule], float]
    whole: bool = False


@dataclass(frozen=True)
class Question:
    """Number ``number`` of those of a seed."""

    seed: int
    number: int
    choice: Choice
    work: Work
    load: str
    n: int
    order: tuple[float, ...] = field(repr=False)  # by which the pictures are chosen and sorted

    @property
    def key(self) -> str:
        """What is asked, in one word; no two of a seed have the same."""
        size = f"{self.choice.workers}x{self.choice.threads}"
        who = self.choice.framework or TRUCK
        return f"{self.choice.setup}:{size}/{who}/{self.work.name}/{self.load}/{self.n}"

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The requests, in units."""
        gap = GAP if self.load == "steady" else 0.0
        times = [LONG if self.load == "long" and place == 0 else 1.0 for place in range(self.n)]
        work = self.work
        return tuple(Asked(gap * i, work.wait * t, work.compute * t) for i, t in enumerate(times))

    @property
    def server(self) -> str:
        """The set-up and its size, in words."""
        choice = self.choice
        sizes = [(choice.workers, "worker"), (choice.threads, "thread")]
        if SETUPS[choice.setup].max_threads == 1:
            sizes = sizes[:1]
        words = ", ".join(f"{count} {what}{'s' * (count != 1)}" for count, what in sizes)
        return f"{choice.setup}, {words}{' each' * (len(sizes) > 1 and choice.workers > 1)}"

    @property
    def command(self) -> str:
        """How one would start the server by hand."""
        choice, setup = self.choice, SETUPS[self.choice.setup]
        return setup.line("app:app", 8000, choice.workers, choice.threads, "asyncio")

    @property
    def written(self) -> str:
        """What the app is written in."""
        if self.work.path:
            return "FastAPI"
        framework = FRAMEWORKS[self.choice.framework]
        return framework.title if framework.package else f"by hand, {framework.name.upper()}"

    @property
    def unit(self) -> str:
        """What times are counted in."""
        alone = self.work.wait + self.work.compute
        times = "" if alone == 1 else f"{alone:g} times "
        return f"1 = {seconds(UNIT_S)}; one request alone takes {times}that"

    @property
    def does(self) -> str:
        """What a request makes the app do, in words."""
        return self.work.does.format(unit=seconds(UNIT_S))

    @property
    def sends(self) -> str:
        """The load, in words."""
        together = f"{self.n} requests at the same moment"
        return {
            "together": together,
            "probe": f"{together}; {seconds(PROBE_AT * UNIT_S)} later a health check",
            "long": f"{together}; #1 asks for {LONG:g} times as much",
            "steady": f"{self.n} requests, one every {seconds(GAP * UNIT_S)}",
        }[self.load]

    @property
    def model(self) -> Model:
        """What the set-up can have in service, by its description."""
        return capacity(self.choice, self.work)

    @functools.cached_property
    def expected(self) -> Schedule:
        """What the capacity of the set-up lets one expect."""
        return self._under(self.model)

    @functools.cached_property
    def pictures(self) -> tuple[Drawn, ...]:
        """The hypotheses to choose from; one of them is what the capacity lets one expect."""
        alone = self._under(replace(self.model, processes=1))  # one process gets them all
        rivals = [self._under(model) for model in _models(self.choice)]
        if self.load == "probe":
            at = PROBE_AT
            rivals += [with_free_probe(one, at) for one in (self.expected, *rivals)]
        chance = random.Random(str(self.order))
        chance.shuffle(rivals)
        found = [self.expected]
        for one in (alone, *rivals):
            if len(found) < len(LETTERS) and all(_differ(one, other) for other in found):
                found.append(one)
        chance.shuffle(found)
        return tuple(
            Drawn(letter, _words(one, self), one, _health(one))
            for letter, one in zip(LETTERS, found, strict=False)
        )

    @property
    def numbers(self) -> tuple[Number, ...]:
        """What else there is to predict."""
        most = Number("at_once", "How many are in service at once, at most?", _peak, whole=True)
        total = Number("total", "How long until the last is answered?", lambda one: one.total)
        third = Number(
            "longest_wait",
            "How long does the unluckiest wait before its service begins?",
            lambda one: one.longest_wait,
        )
        if self.load == "probe":
            third = Number("probe", "How long until the health check is answered?", _probe)
        elif self.load == "long":
            words = "In which place is #1 answered (1 = first)?"
            third = Number("place", words, lambda one: one.place_of_first, whole=True)
        return most, total, third

    def picture(self, letter: str) -> Drawn:
        """The one with that letter. Raises ``PredictError``."""
        for drawn in self.pictures:
            if drawn.letter == letter.strip().upper():
                return drawn
        known = ", ".join(one.letter for one in self.pictures)
        raise PredictError(f"There is no picture {letter.strip()!r}: choose one of {known}.")

    def nearest(self, seen: Schedule) -> Drawn:
        """The picture that is most like what was seen: first by how many were in service at once,
        then by whether the health check had to wait, then by how long the services took.
        """

        def distance(drawn: Drawn) -> tuple[float, ...]:
            one = drawn.schedule
            peaks = round(abs(math.log2(one.peak / seen.peak)), 2)
            free = float(free_probe(one) != free_probe(seen))
            return peaks, free, abs(math.log2(one.service / max(seen.service, 0.01)))

        return min(self.pictures, key=distance)

    def as_data(self) -> dict[str, Any]:
        """The question as JSON has it; it tells no answer."""
        return {
            "seed": self.seed,
            "number": self.number,
            "setup": self.choice.setup,
            "workers": self.choice.workers,
            "threads": self.choice.threads,
            "framework": self.choice.framework,
            "command": self.command,
            "work": self.work.name,
            "does": self.does,
            "load": self.load,
            "requests": self.n,
            "sends": self.sends,
            "unit_s": UNIT_S,
            "pictures": [
                {
                    "letter": one.letter,
                    "hypothesis": one.told,
                    "requests": [_times(span) for span in one.schedule.spans],
                    "health_check": _times(one.schedule.probe) if one.schedule.probe else None,
                }
                for one in self.pictures
            ],
            "numbers": {one.key: one.question for one in self.numbers},
        }

    def _under(self, model: Model) -> Schedule:
        return schedule(model, self.asked, PROBE_AT if self.load == "probe" else None)


@functools.cache
def combinations() -> tuple[tuple[str, str, str], ...]:
    """Every set-up, framework and work that go together here, in the order of the catalogue."""
    found = []
    for name in SETUPS:
        plain = SETUPS[name].interface
        for framework in FRAMEWORKS:
            own = framework in (plain, ONE_FRAMEWORK.get(name)) or FRAMEWORKS[framework].package
            for work in WORKS.values():
                if own and not work.path and cell(name, framework, work.name).valid:
                    found.append((name, framework, work.name))
        if cell(name, "fastapi").valid:
            found += [(name, "", work.name) for work in WORKS.values() if work.path]
    return tuple(found)


def generate(seed: int, count: int = 20) -> list[Question]:
    """The first questions of a seed, no two alike. Raises ``PredictError`` for bad numbers."""
    for name, value, least, most in (("seed", seed, 0, 2**63), ("count", count, 1, 500)):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise PredictError(f"{name} is a whole number from {least} to {most}, not {value!r}.")
    return list(islice(_questions(seed), count))


def question(seed: int, number: int) -> Question:
    """Question ``number`` (from 1) of a seed. Raises ``PredictError``."""
    return generate(seed, number)[-1]


def make(setup: str, framework: str, work: str, load: str, seed: int = 1) -> Question:
    """The question about one combination. Raises ``PredictError`` if there is none."""
    if (setup, framework, work) not in combinations() or load not in LOADS:
        raise PredictError(f"{setup}, {framework or TRUCK}, {work}, {load} do not go together.")
    return _question(random.Random(seed), seed, 1, (setup, framework, work), load)


def capacity(choice: Choice, work: Work) -> Model:
    """How many requests a set-up can have in service, and how many of them can compute.

    Threads hold one request each; of those of a process one computes at a time, for the GIL, unless
    the work is done without it. A loop, and greenlets, hold any number; what computes or blocks
    keeps all others of its process waiting.
    """
    setup = SETUPS[choice.setup]
    cores = None if work.blocks else processors()
    if work.pool:
        return Model(choice.workers, POOL, 1, cores=cores)
    if setup.interface == "asgi" or setup.greenlets:
        return Model(choice.workers, None, 1, share=False, cores=cores)
    seats = None if setup.name in ONE_FRAMEWORK else choice.threads
    return Model(choice.workers, seats, None if work.freely else 1, cores=cores)


def processors() -> int:
    """How many this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parse_number(text: str, asked: Number) -> float:
    """A number as a reader types it. Raises ``PredictError``."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not 0 <= value <= 1000 or (asked.whole and value % 1):
        kind = "a whole number, such as 2" if asked.whole else "a number, such as 2 or 1.5"
        raise PredictError(f"{text.strip()!r} is not {kind}.")
    return value


def _questions(seed: int) -> Iterator[Question]:
    chance = random.Random(seed)
    by_work: dict[str, list[tuple[str, str, str]]] = {}
    for one in combinations():
        by_work.setdefault(one[2], []).append(one)
    known: set[str] = set()
    number = 1
    works: list[str] = []
    while True:
        works = works or chance.sample(sorted(by_work), len(by_work))
        some = by_work[works.pop()]
        setup = chance.choice(sorted({one[0] for one in some}))
        one = chance.choice([one for one in some if one[0] == setup])
        found = _question(chance, seed, number, one, chance.choice(LOADS))
        if found.key not in known:
            known.add(found.key)
            number += 1
            yield found


def _question(
    chance: random.Random, seed: int, number: int, one: tuple[str, str, str], load: str
) -> Question:
    name, framework, work = one
    setup = SETUPS[name]
    computes = bool(WORKS[work].compute)  # with more processes than cores it would tell of those
    most = 2 if computes else MOST_WORKERS
    most = max(setup.min_workers, min(most, setup.max_workers))
    workers = chance.randint(setup.min_workers, most)
    threads = chance.randint(2, MOST_THREADS) if setup.max_threads > 1 else 1
    if WORKS[work].freely and threads > 1:
        workers, threads = 1, 2
    return Question(
        seed,
        number,
        Choice(name, framework, workers, threads),
        WORKS[work],
        load,
        chance.choice(COUNTS),
        (seed, number, chance.random()),
    )


def _models(choice: Choice) -> list[Model]:
    """What people might think that a set-up does."""
    workers, threads = choice.workers, choice.threads
    waves = {1, 2, 3, workers, threads, workers * threads}
    return [
        *(Model(places, 1) for places in sorted(waves)),
        Model(),  # all at once
        Model(1, None, 1),  # all at once, each with a share
        Model(workers, threads, 1),
    ]


def _differ(one: Schedule, other: Schedule) -> bool:
    """Whether a run can tell these two apart by structure."""
    if (one.peak, free_probe(one)) != (other.peak, free_probe(other)):
        return True
    ratio = one.service / other.service
    return not 1 / APART < ratio < APART


def free_probe(one: Schedule) -> bool:
    """Whether the health check was answered before any request was."""
    return one.probe is not None and one.probe.end < min(span.end for span in one.spans) - 0.01


def _words(one: Schedule, asked: Question) -> str:
    """A picture in words."""
    n = len(one.spans)
    if one.peak == 1:
        words = "one after the other"
    elif one.peak == n:
        words = "all at once"
    else:
        words = f"{one.peak} at once at most"
    stretched = one.service / (asked.work.wait + asked.work.compute)
    if one.peak > 1 and round(stretched, 1) > 1:
        words += f", each {stretched:.2g} × as long"
    return words


def _health(one: Schedule) -> str:
    if one.probe is None:
        return ""
    return "health check at once" if free_probe(one) else "health check in line"


def _peak(one: Schedule) -> float:
    return one.peak


def _probe(one: Schedule) -> float:
    return one.probe.end - one.probe.at if one.probe else math.nan


def _times(span: Span) -> list[float]:
    return [round(time, 3) for time in (span.at, span.begin, span.end)]
