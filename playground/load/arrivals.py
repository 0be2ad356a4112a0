"""When requests are meant to be sent: all at once, at a steady pace, at random, or when the last
answer is there.

The first three are *open*: a moment is settled before the first request goes out, and no answer, or
lack of one, changes it. ``closed`` is the other kind: so many clients, each of which waits for its
answer before it sends again. A slow server then is asked less often, and what would have waited
meanwhile is in no latency (coordinated omission).
"""

import random
from dataclasses import asdict, dataclass
from typing import Any

from playground.load.checks import MOST, check_seconds, check_whole
from playground.setups.catalogue import ServeError, nearest

TOGETHER, STEADY, POISSON, CLOSED = ARRIVALS = ("together", "steady", "poisson", "closed")
MOST_RATE = 10_000.0  # requests a second: more than this client can send
MOST_CLIENTS = 1_000
LONGEST_S = 600.0
SECONDS, COUNT = 5.0, 8  # unless it is said


@dataclass(frozen=True)
class Plan:
    """How many requests, and when. It ends with ``n`` requests or after ``seconds``, whichever
    comes first; at least one of them is a number.
    """

    arrivals: str
    n: int | None = None
    seconds: float | None = None
    rate: float = 20.0
    clients: int = 8
    seed: int = 1

    @property
    def open(self) -> bool:
        """Whether requests go out at moments that no answer changes."""
        return self.arrivals != CLOSED

    @property
    def most(self) -> int:
        """No more requests than this."""
        return self.n or MOST

    @property
    def longest_s(self) -> float:
        """For no more seconds than this are requests sent."""
        by_count = self.n / self.rate if self.open and self.n else LONGEST_S
        return min(by_count, LONGEST_S if self.seconds is None else self.seconds)

    @property
    def known_s(self) -> float:
        """The same where the plan tells; 0 where the answers do."""
        return 0.0 if self.seconds is None and not self.open else self.longest_s

    def offsets(self) -> list[float]:
        """The intended moments of an open plan in seconds from its start, in ascending order.

        ``steady``: one each ``1/rate`` seconds, the first at once. ``poisson``: gaps are
        exponentially distributed with the mean ``1/rate``, drawn with ``seed``; the same seed gives
        the same moments.
        """
        if self.arrivals == TOGETHER:
            return [0.0] * self.most
        chance = random.Random(self.seed)
        until = float("inf") if self.seconds is None else self.seconds
        moments: list[float] = []
        t = 0.0 if self.arrivals == STEADY else chance.expovariate(self.rate)
        while len(moments) < self.most and t < until:
            moments.append(t)
            steady = len(moments) / self.rate
            t = steady if self.arrivals == STEADY else t + chance.expovariate(self.rate)
        return moments

    def words(self) -> str:
        """Such as ``"Poisson 20/s for 5 s"``."""
        if self.arrivals == TOGETHER:
            return "all at once"
        kinds = {
            STEADY: f"steady {self.rate:g}/s",
            POISSON: f"Poisson {self.rate:g}/s",
            CLOSED: f"closed loop, {self.clients} client{'s' * (self.clients != 1)}",
        }
        length = "" if self.seconds is None else f" for {self.seconds:g} s"
        return kinds[self.arrivals] + length

    def meta(self) -> dict[str, Any]:
        """What a trace tells about it."""
        told = asdict(self)
        for name in {STEADY: ["clients", "seed"], POISSON: ["clients"]}.get(
            self.arrivals, ["rate", "seed"]
        ):
            del told[name]
        return told


def plan(
    arrivals: Any, n: Any, seconds: Any, rate: Any = 20.0, clients: Any = 8, seed: Any = 1
) -> Plan:
    """The plan of these numbers. Raises ``ServeError`` for those that make no sense."""
    if arrivals not in ARRIVALS:
        raise ServeError(f"There are no arrivals {arrivals!r}.{nearest(str(arrivals), ARRIVALS)}")
    if n is not None:
        check_whole("n", n, 1)
    if seconds is not None:
        check_seconds("seconds", seconds)
        _check_most("seconds", seconds, LONGEST_S)
    _check_rate(rate)
    check_whole("clients", clients, 1, MOST_CLIENTS)
    check_whole("seed", seed, 0, 2**63)
    if arrivals == TOGETHER:
        if seconds is not None:
            raise ServeError("All at once takes no time: leave out seconds=, and say n=.")
        return Plan(arrivals, COUNT if n is None else n, None, rate, clients, seed)
    if n is None and seconds is None:
        seconds = SECONDS
    made = Plan(arrivals, n, seconds, rate, clients, seed)
    if made.open:
        _check_size(made)
    return made


def most_within(moments: list[float], seconds: float) -> int:
    """How many of these moments, in ascending order, lie within so many seconds at most."""
    most = first = 0
    for place, moment in enumerate(moments):
        while moment - moments[first] > seconds:
            first += 1
        most = max(most, place - first + 1)
    return most


def _check_size(made: Plan) -> None:
    """That an open plan is neither endless nor too much."""
    if made.n is None and made.rate * (made.seconds or 0) > MOST * 0.9:
        raise ServeError(
            f"{made.rate:g}/s for {made.seconds:g} s is about {made.rate * (made.seconds or 0):.0f}"
            f" requests; at most {MOST} are sent: take a lower rate=, or fewer seconds=."
        )
    if made.seconds is None and made.most / made.rate > LONGEST_S:
        raise ServeError(
            f"{made.n} requests at {made.rate:g}/s take {made.most / made.rate:.0f} s; at most"
            f" {LONGEST_S:g} s are allowed: take a higher rate=, or a smaller n=."
        )


def _check_rate(rate: Any) -> None:
    number = isinstance(rate, int | float) and not isinstance(rate, bool)
    if not number or not 0 < rate <= MOST_RATE:
        raise ServeError(
            f"rate= is a number of requests a second up to {MOST_RATE:g}, not {rate!r}."
        )


def _check_most(name: str, value: float, most: float) -> None:
    if value > most:
        raise ServeError(f"{name}= is at most {most:g}, not {value!r}.")
