"""Grader of restaurant-predict: every evening is run on a real server, and nothing is known here.

What is measured is who was in the app together. A thread that could still run is waited for.
"""

from dataclasses import dataclass

from playground.grading import Learner
from playground.grading.house import House, hold_against, predictions

HALF = b"GET /slow HTTP/1.1\r\nHos"


@dataclass(frozen=True)
class Evening:
    """Who comes to which house, and what is asked about it."""

    letter: str
    workers: int
    threads: int
    parties: tuple[int, ...]  # how many requests each sends over its connection
    told: str
    asked: tuple[str, ...] = ("inside", "waiting", "rounds")
    halves: int = 0  # connections with half a request


@dataclass(frozen=True)
class Measured:
    """What happened: the names of those who were inside together, round by round."""

    command: str
    rounds: list[list[str]]
    waiting: int
    processes: int

    def value(self, what: str) -> int:
        """One of the numbers that are asked for."""
        most = max(map(len, self.rounds))
        known = {"inside": most, "waiting": self.waiting, "rounds": len(self.rounds)}
        return {**known, "processes": self.processes}[what]


def check_a(learner: Learner) -> None:
    """Evening A: 1 worker × 1 thread, 5 parties."""
    why = "one thread runs one call of the app at a time; the others are in the accept queue"
    compare(learner, Evening("A", 1, 1, (1,) * 5, "5 parties at once"), why)


def check_b(learner: Learner) -> None:
    """Evening B: 1 worker × 3 threads, 7 parties."""
    why = "each thread takes one request at a time, and the last round is rarely full"
    compare(learner, Evening("B", 1, 3, (1,) * 7, "7 parties at once"), why)


def check_c(learner: Learner) -> None:
    """Evening C: 2 workers × 2 threads, 7 parties."""
    why = "there is room for workers × threads, whoever accepts"
    compare(learner, Evening("C", 2, 2, (1,) * 7, "7 parties at once"), why)


def check_d(learner: Learner) -> None:
    """Evening D: 2 workers × 2 threads, 3 parties."""
    why = "a process with 2 threads has room for 2; the third one is taken by the other process"
    asked = ("inside", "waiting", "processes")
    compare(learner, Evening("D", 2, 2, (1,) * 3, "3 parties at once", asked), why)


def check_e(learner: Learner) -> None:
    """Evening E: 1 worker × 4 threads, 3 requests over one connection and 1 over another."""
    why = "RFC 9112 §9.3.2: the answers on one connection come in the order of the requests"
    told = "2 parties at once, one of them with 3 requests over its connection"
    compare(learner, Evening("E", 1, 4, (3, 1), told), why)


def check_f(learner: Learner) -> None:
    """Evening F: 1 worker × 2 threads, 4 half requests and then 3 whole ones."""
    why = "this server gives a request to a thread when it has arrived as a whole"
    told = "4 parties with half a request, then 3 with whole ones"
    compare(learner, Evening("F", 1, 2, (1,) * 3, told, halves=4), why)


def compare(learner: Learner, evening: Evening, why: str) -> None:
    """Take the predictions first, then run the evening, then hold one against the other."""
    predicted = predictions(learner, [f"{evening.letter} {what}" for what in evening.asked])
    measured = measure(evening)
    found = {f"{evening.letter} {what}": measured.value(what) for what in evening.asked}
    together = "; ".join(
        f"round {number}: {' '.join(names)}" for number, names in enumerate(measured.rounds, 1)
    )
    hold_against(
        predicted, found, called=f"{measured.command}, {evening.told}", seen=together, why=why
    )


def measure(evening: Evening) -> Measured:
    """Run one evening."""
    with House(evening.workers, evening.threads) as house:
        slow = [house.connect(HALF) for _ in range(evening.halves)]
        house.settle()
        for party, requests in zip("abcdefg", evening.parties, strict=False):
            house.come(*(f"{party}{number}" for number in range(1, requests + 1)))
        rounds, waiting, processes = [], 0, 0
        while house.waiting:
            house.settle()
            rounds.append(sorted(guest.name for guest in house.inside))
            if len(rounds) == 1:
                waiting = len(house.waiting)
                processes = len({guest.pid for guest in house.inside})
            for guest in list(house.inside):
                house.leave(guest)
        for connection in slow:
            connection.close()
        return Measured(house.command, rounds, waiting, processes)
