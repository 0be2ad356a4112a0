"""Little's law, on the records of a real evening: L = λW.

The mean number of parties in the house (L) is the rate at which they come (λ) times the mean time
that each stays (W). No assumption about who comes when, or how long a meal takes: J. D. C. Little,
"A Proof for the Queuing Formula L = λW", 1961. It is exact when the house is empty at both ends of
the time that you look at, and nearly true over any long time.

A visit is a tuple of three times in seconds: (arrived, seated, left), arrived <= seated < left. A
party waits at the door from `arrived` to `seated`, and occupies a waiter from `seated` to `left`.

    evening = [(0.0, 0.0, 4.0), (1.0, 4.0, 6.0), (7.0, 7.0, 8.0)]    # one waiter
    arrival_rate(evening, 0.0, 8.0) == 0.375                         # 3 parties in 8 s
    mean_time(evening, 0.0, 8.0) == 10.0 / 3                         # 4 s, 5 s and 1 s
    mean_inside(evening, 0.0, 8.0) == 1.25                           # = 0.375 * 10 / 3
    workers_needed(evening) == 2

In all functions `start` < `end`; visits come in any order, and may begin before `start` or last
longer than `end`. Results need not be exact to the last bit.
"""

Visit = tuple[float, float, float]


def arrival_rate(visits: list[Visit], start: float, end: float) -> float:
    """Return λ: how many parties a second arrived, counting those with start <= arrived < end."""
    raise NotImplementedError("your code")


def mean_time(visits: list[Visit], start: float, end: float) -> float:
    """Return W: how long the parties with start <= arrived < end stayed on average, in seconds.

    The whole stay counts, from arrival to leaving, also when it ends after `end`. 0.0 if nobody
    arrived.
    """
    raise NotImplementedError("your code")


def mean_inside(visits: list[Visit], start: float, end: float) -> float:
    """Return L: the mean number of parties between arrival and leaving, over the time start … end.

    It is a mean over *time*: two parties for one second and none for three seconds is 0.5. Only
    what lies between `start` and `end` counts; so λW is not what is asked for.
    """
    raise NotImplementedError("your code")


def workers_needed(visits: list[Visit]) -> int:
    """Return the smallest number of workers with which nobody would have waited at the door.

    Each party would have been seated on arrival, and its meal would have taken as long as it did:
    left - seated. A worker who becomes free at the moment in which a party arrives can take it.
    0 if there are no visits.

    The check runs the evening once more on a real server with as many threads as you say.
    """
    raise NotImplementedError("your code")
