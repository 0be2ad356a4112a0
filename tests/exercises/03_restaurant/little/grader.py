"""Grader of restaurant-little: small evenings, a real one, and evenings that nobody has seen.

The real one runs on the server of the course, and so does the evening with the predicted number of
threads: who waits there is seen, not computed.
"""

import random
from functools import cache
from itertools import pairwise
from math import isclose

from playground.grading import Learner, fail, short
from playground.grading.house import House

Visit = tuple[float, float, float]

EVENING = [(0.0, 0.0, 4.0), (1.0, 4.0, 6.0), (7.0, 7.0, 8.0)]
PLAN = "+a +b +c +d -b -a +e -c -d +f -e -f +g +h -h -g"  # +: comes, -: is let go
RATE = "λ = number of arrivals / length of the time"
TIME = "W is the mean of left - arrived: waiting at the door is part of the visit"
MEAN = "L is a mean over time: the area under the number of parties, divided by the time"
MEALS = "with enough workers a party is seated on arrival, and occupies one for left - seated"


def check_rate(learner: Learner) -> None:
    """Counts the arrivals per second."""
    number(learner, "arrival_rate", EVENING, 0.0, 8.0, 0.375, RATE)
    number(learner, "arrival_rate", EVENING, 0.0, 7.0, 2 / 7, f"{RATE}; who comes at end is late")
    number(learner, "arrival_rate", EVENING, 1.0, 3.0, 0.5, f"{RATE}; who comes at start counts")
    number(learner, "arrival_rate", EVENING, 2.0, 4.0, 0.0, RATE)


def check_time(learner: Learner) -> None:
    """Takes the mean of the whole stays."""
    number(learner, "mean_time", EVENING, 0.0, 8.0, 10 / 3, TIME)
    number(learner, "mean_time", EVENING, 0.0, 2.0, 4.5, f"{TIME}, also after end")
    number(learner, "mean_time", EVENING, 1.0, 7.0, 5.0, TIME)
    number(learner, "mean_time", EVENING, 2.0, 4.0, 0.0, "nobody arrived")


def check_inside(learner: Learner) -> None:
    """Takes the mean number of parties over time."""
    number(learner, "mean_inside", [(0.0, 0.0, 1.0)] * 2, 0.0, 4.0, 0.5, MEAN)
    number(learner, "mean_inside", EVENING, 0.0, 8.0, 1.25, MEAN)
    number(learner, "mean_inside", [], 0.0, 8.0, 0.0, MEAN)


def check_inside_cut(learner: Learner) -> None:
    """Counts only what lies between start and end."""
    number(learner, "mean_inside", EVENING, 2.0, 5.0, 5 / 3, MEAN)
    number(learner, "mean_inside", EVENING, 2.0, 4.0, 2.0, MEAN)
    number(learner, "mean_inside", EVENING, 6.0, 7.0, 0.0, MEAN)
    number(learner, "mean_inside", EVENING, 7.5, 8.5, 0.5, MEAN)


def check_law(learner: Learner) -> None:
    """Finds that L = λW on the records of a real run."""
    visits = real_evening(2)
    start, end = min(visits)[0], max(left for _, _, left in visits)
    law: dict[str, float] = {}
    for name in ("arrival_rate", "mean_time", "mean_inside"):
        law[name] = number(learner, name, visits, start, end, REFERENCE[name](visits, start, end))
    if not isclose(law["mean_inside"], law["arrival_rate"] * law["mean_time"], rel_tol=1e-6):
        fail(
            f"the three functions with the {len(visits)} visits of a run",
            f"L = {law['mean_inside']}, λW = {law['arrival_rate'] * law['mean_time']}",
            "L = λW", why="Little 1961: the house was empty at both ends",
        )  # fmt: skip


def check_unseen(learner: Learner) -> None:
    """Is right on 30 evenings that nobody has seen, over any part of them."""
    chance = random.Random(1961)
    for _ in range(30):
        visits = random_evening(chance)
        start = chance.randrange(0, 300) / 8
        end = start + chance.randrange(1, 200) / 8
        for name, reference in REFERENCE.items():
            number(learner, name, visits, start, end, reference(visits, start, end))


def check_workers(learner: Learner) -> None:
    """Tells how many workers would have kept the door free."""
    cases: list[tuple[list[Visit], int]] = [
        ([], 0),
        ([(0.0, 0.0, 1.0)], 1),
        (EVENING, 2),
        ([(0.0, 0.0, 1.0), (1.0, 1.0, 2.0), (2.0, 2.0, 3.0)], 1),
        ([(0.0, 0.0, 1.0), (0.0, 1.0, 2.0), (0.0, 2.0, 3.0)], 3),
        ([(0.0, 0.0, 4.0), (1.0, 4.0, 5.0), (2.0, 5.0, 6.0), (3.0, 6.0, 7.0)], 2),
    ]
    for visits, expected in cases:
        learner.expect("workers_needed", visits).returns(
            expected, why=MEALS, nudge="Draw a bar for each meal, from the moment of arrival."
        )


def check_workers_unseen(learner: Learner) -> None:
    """Is right about the workers on 30 evenings that nobody has seen."""
    chance = random.Random(1909)
    for _ in range(30):
        visits = random_evening(chance)
        chance.shuffle(visits)
        learner.expect("workers_needed", visits).returns(
            needed(visits), why=MEALS, nudge="Draw a bar for each meal, from the moment of arrival."
        )


def check_workers_measured(learner: Learner) -> None:
    """Predicts the number of threads with which nobody waits on a real server."""
    visits = real_evening(2)
    predicted = learner.expect("workers_needed", visits).satisfies(
        lambda value: type(value) is int and 1 <= value <= 8, "a whole number, at most 8", why=MEALS
    )
    called = f"workers_needed({short(visits)}), then the evening again with --threads {predicted}"
    if waiting := replay(visits, predicted):
        fail(called, f"party {waiting} had to wait", "nobody waits", why=MEALS)
    if predicted > 1 and not replay(visits, predicted - 1):
        fail(
            called, f"nobody waits with {predicted - 1} threads either",
            "the smallest number with which nobody waits", why=MEALS,
        )  # fmt: skip


def number(
    learner: Learner,
    name: str,
    visits: list[Visit],
    start: float,
    end: float,
    expected: float,
    why: str = "",
) -> float:
    """Call a function and compare what it returns, up to rounding."""
    found: float = learner.expect(name, visits, start, end).satisfies(
        lambda value: type(value) in (int, float) and isclose(value, expected, abs_tol=1e-9),
        f"about {expected:.6g}",
        why=why or {"arrival_rate": RATE, "mean_time": TIME, "mean_inside": MEAN}[name],
        nudge="Draw a bar for each party, from arrival to leaving, and mark start and end.",
    )
    return found


@cache
def real_evening(threads: int) -> list[Visit]:
    """Run PLAN on a real server; the times are those of the clients, from the first visit on."""
    visits = []
    with House(1, threads) as house:
        for step in PLAN.split():
            if step[0] == "+":
                house.come(step[1])
            else:
                guest = next(guest for guest in house.inside if guest.name == step[1])
                house.leave(guest)
                visits.append((guest.arrived, guest.seated, guest.left))
            house.settle()
    first = min(visits)[0]
    return [(round(a - first, 6), round(s - first, 6), round(z - first, 6)) for a, s, z in visits]


def replay(visits: list[Visit], threads: int) -> str:
    """Let the same parties come to a house with `threads` threads, in the same order.

    Everybody stays for a meal from the moment of arrival. Returns the number of the first party
    that has to wait, or "".
    """
    begins = [(arrived, 1, str(n)) for n, (arrived, _, _) in enumerate(visits)]
    ends = [(a + left - seated, 0, str(n)) for n, (a, seated, left) in enumerate(visits)]
    with House(1, threads) as house:
        for _, comes, name in sorted(begins + ends):
            if comes:
                house.come(name)
                house.settle()
                if house.waiting:
                    return name
            else:
                house.leave(next(guest for guest in house.inside if guest.name == name))
    return ""


def random_evening(chance: random.Random) -> list[Visit]:
    """Up to 20 parties; times in eighths of a second, so that sums are exact."""
    visits = []
    for _ in range(chance.randrange(1, 21)):
        arrived = chance.randrange(0, 320)
        seated = arrived + chance.choice((0, 0, chance.randrange(0, 80)))
        left = seated + chance.randrange(1, 80)
        visits.append((arrived / 8, seated / 8, left / 8))
    return visits


def rate(visits: list[Visit], start: float, end: float) -> float:
    """λ."""
    return sum(start <= visit[0] < end for visit in visits) / (end - start)


def time_in_house(visits: list[Visit], start: float, end: float) -> float:
    """W."""
    stays = [visit[2] - visit[0] for visit in visits if start <= visit[0] < end]
    return sum(stays) / max(1, len(stays))


def height(visits: list[Visit], start: float, end: float) -> float:
    """L, step by step: the number of parties is constant between two events."""
    times = {moment for visit in visits for moment in (visit[0], visit[2]) if start < moment < end}
    edges = sorted({start, end, *times})
    area = 0.0
    for one, other in pairwise(edges):
        area += (other - one) * sum(a <= one < left for a, _, left in visits)
    return area / (end - start)


def needed(visits: list[Visit]) -> int:
    """The most meals at any arrival, if everybody were seated at once."""
    meals = [(arrived, arrived + left - seated) for arrived, seated, left in visits]
    return max(sum(begin <= moment < end for begin, end in meals) for moment, _ in meals)


REFERENCE = {"arrival_rate": rate, "mean_time": time_in_house, "mean_inside": height}
