"""Timelines that might be: what a server would do with some requests, if it had these places.

Nothing here runs a server. A ``Model`` says how many requests a set-up can have in service and how
many of them get on; ``schedule`` works out what follows. Times are in units of one request's work.
"""

import functools
import math
from dataclasses import dataclass, field, replace
from statistics import median

EPSILON = 1e-9
TOUCH = 0.04  # units: services that overlap for less only touch


@dataclass(frozen=True)
class Model:
    """``processes`` alike, each with so many ``seats`` (None: no limit). Of the requests seated in
    one, so many as it has ``hands`` (None: no limit) can compute at a time: either they ``share``,
    as threads share the GIL, or each keeps the hand until it has computed, as on an event loop.
    All processes together have so many ``cores`` to compute on (None: no limit).
    """

    processes: int = 1
    seats: int | None = None
    hands: int | None = None
    share: bool = True
    cores: int | None = None


@dataclass(frozen=True)
class Asked:
    """A request: when it is sent, how long it waits for others, then how long it computes."""

    at: float = 0.0
    wait: float = 0.0
    compute: float = 0.0


@dataclass(frozen=True)
class Span:
    """What became of it: sent, begun (before that it was queued), answered."""

    at: float
    begin: float
    end: float


@dataclass(frozen=True)
class Schedule:
    """All of them, in the order of their numbers, and the first health check, if there was one."""

    spans: tuple[Span, ...]
    probe: Span | None = None

    @property
    def peak(self) -> int:
        """The largest number in service at the same moment."""
        moments = [(one.begin, 1) for one in self.spans]
        moments += [(max(one.begin, one.end - TOUCH), -1) for one in self.spans]
        most = now = 0
        for _, change in sorted(moments):
            now += change
            most = max(most, now)
        return most

    @property
    def total(self) -> float:
        """From the first that is sent to the last that is answered."""
        return max(one.end for one in self.spans) - min(one.at for one in self.spans)

    @property
    def longest_wait(self) -> float:
        """The longest time from being sent to being begun."""
        return max(one.begin - one.at for one in self.spans)

    @property
    def service(self) -> float:
        """The median of the times from being begun to being answered."""
        return median(one.end - one.begin for one in self.spans)

    @property
    def before_probe(self) -> int:
        """How many were answered before the health check; 0 without one."""
        if self.probe is None:
            return 0
        return sum(one.end < self.probe.end - TOUCH for one in self.spans)

    @property
    def place_of_first(self) -> int:
        """Which one #1 is, in the order of the answers."""
        return 1 + sum(one.end < self.spans[0].end - TOUCH for one in self.spans[1:])


@dataclass
class _Guest:
    """A request while it is worked out."""

    place: int
    asked: Asked
    wait: float
    compute: float
    ready: float = math.inf  # since when it wants to compute
    begin: float = math.inf
    end: float = math.inf

    @property
    def computes(self) -> bool:
        return self.wait <= EPSILON


@dataclass
class _Process:
    model: Model
    guests: list[_Guest] = field(default_factory=list)

    @property
    def free(self) -> bool:
        return self.model.seats is None or len(self.guests) < self.model.seats

    def rates(self) -> list[tuple[_Guest, float]]:
        """How fast each gets on."""
        wanting = sorted((g.ready, g.place) for g in self.guests if g.computes)
        hands = len(wanting) if self.model.hands is None else self.model.hands
        handed = {place for _, place in wanting[:hands]}
        shared = min(1.0, hands / len(wanting)) if wanting else 1.0
        found = []
        for guest in self.guests:
            if not guest.computes:
                rate = 1.0
            elif self.model.share:
                rate = shared
            else:
                rate = float(guest.place in handed)
            found.append((guest, rate))
        return found


@functools.lru_cache(maxsize=4096)
def schedule(model: Model, asked: tuple[Asked, ...], probe_at: float | None = None) -> Schedule:
    """What becomes of these requests, and of a health check that is sent at ``probe_at``.

    Who comes first is seated first, in the process with the fewest guests.
    """
    probe = [] if probe_at is None else [Asked(probe_at, compute=2 * EPSILON)]
    guests = [
        _Guest(place, one, one.wait, one.compute) for place, one in enumerate((*asked, *probe))
    ]
    processes = [_Process(model) for _ in range(model.processes)]
    coming = sorted(guests, key=lambda guest: (guest.asked.at, guest.place))
    now = 0.0
    while coming or any(process.guests for process in processes):
        _seat(coming, processes, now)
        now = _advance(coming, processes, now)
    spans = [Span(one.asked.at, one.begin, one.end) for one in guests]
    return Schedule(tuple(spans[: len(asked)]), spans[-1] if probe else None)


def with_free_probe(found: Schedule, probe_at: float) -> Schedule:
    """The same, where the health check is answered at once, whatever else goes on."""
    return replace(found, probe=Span(probe_at, probe_at, probe_at))


def _seat(coming: list[_Guest], processes: list[_Process], now: float) -> None:
    while coming and coming[0].asked.at <= now + EPSILON:
        free = [process for process in processes if process.free]
        if not free:
            return
        guest = coming.pop(0)
        guest.ready = now if guest.computes else math.inf
        min(free, key=lambda process: len(process.guests)).guests.append(guest)


def _rates(processes: list[_Process]) -> list[tuple[_Guest, float]]:
    """How fast each gets on, in processes that share the cores."""
    rated = [pair for process in processes for pair in process.rates()]
    cores, wanted = processes[0].model.cores, sum(rate for one, rate in rated if one.computes)
    part = 1.0 if cores is None or wanted <= cores else cores / wanted
    return [(one, rate * part if one.computes else rate) for one, rate in rated]


def _advance(coming: list[_Guest], processes: list[_Process], now: float) -> float:
    """Go on to the next moment at which something changes, and return it."""
    rated = _rates(processes)
    ahead = [one.asked.at - now for one in coming if one.asked.at > now + EPSILON]
    for guest, rate in rated:
        if rate > 0:
            guest.begin = min(guest.begin, now)
            ahead.append((guest.compute if guest.computes else guest.wait) / rate)
    step = min(ahead)
    for guest, rate in rated:
        if guest.computes:
            guest.compute -= step * rate
        else:
            guest.wait -= step
            guest.ready = now + step if guest.computes else math.inf
    now += step
    for process in processes:
        for guest in process.guests:
            if guest.computes and guest.compute <= EPSILON:
                guest.end = now
        process.guests = [guest for guest in process.guests if math.isinf(guest.end)]
    return now
