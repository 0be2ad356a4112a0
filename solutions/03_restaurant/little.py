"""Little's law, on the records of a real evening: L = λW."""

from itertools import accumulate

Visit = tuple[float, float, float]  # arrived, seated, left; seconds


def arrival_rate(visits: list[Visit], start: float, end: float) -> float:
    """Return λ: how many parties a second arrived, counting those with start <= arrived < end."""
    return len(stays(visits, start, end)) / (end - start)


def mean_time(visits: list[Visit], start: float, end: float) -> float:
    """Return W: how long the parties with start <= arrived < end stayed on average, in seconds."""
    found = stays(visits, start, end)
    return sum(found) / len(found) if found else 0.0


def mean_inside(visits: list[Visit], start: float, end: float) -> float:
    """Return L: the mean number of parties between arrival and leaving, over the time start … end.

    The area under the number of parties is the sum of the bars that each of them contributes.
    """
    bars = [min(left, end) - max(arrived, start) for arrived, _, left in visits]
    return sum(bar for bar in bars if bar > 0) / (end - start)


def workers_needed(visits: list[Visit]) -> int:
    """Return the smallest number of workers with which nobody would have waited at the door."""
    begins = [(arrived, 1) for arrived, _, _ in visits]
    ends = [(arrived + left - seated, -1) for arrived, seated, left in visits]
    changes = sorted(begins + ends)  # subtle: at the same time, -1 comes before 1
    return max(accumulate(change for _, change in changes), default=0)


def stays(visits: list[Visit], start: float, end: float) -> list[float]:
    """The whole stays of those who arrived in time."""
    return [left - arrived for arrived, _, left in visits if start <= arrived < end]
