"""Who held the loop? Read it from the records of a run, as the timeline does."""

from collections import Counter
from typing import NamedTuple

Record = tuple[str, int, int, float, float]


class Span(NamedTuple):
    """One record."""

    kind: str
    lane: int
    request: int
    begin: float
    duration: float

    @property
    def end(self) -> float:
        """When it is over."""
        return self.begin + self.duration

    def overlap(self, other: "Span") -> float:
        """How long both last, in µs."""
        return max(0.0, min(self.end, other.end) - max(self.begin, other.begin))


def find_blocking(
    records: list[Record], limit_us: float
) -> list[tuple[int, float, dict[int, float]]]:
    """Return who held a loop for `limit_us` or longer in one step, and whom that made wait."""
    spans = [Span(*record) for record in records]
    steps = [span for span in spans if span.kind == "STEP"]
    first = {step.request: step.lane for step in reversed(steps)}
    waiting = [span for span in spans if span.kind == "READY"]
    waiting += [
        span._replace(lane=first[span.request])
        for span in spans
        if span.kind == "QUEUE" and span.request in first
    ]
    return [
        (step.request, step.duration, whom(step, waiting))
        for step in steps
        if step.duration >= limit_us
    ]


def whom(step: Span, waiting: list[Span]) -> dict[int, float]:
    """Return how long everybody waited during this step."""
    times: Counter[int] = Counter()
    for span in waiting:
        if span.lane == step.lane:
            times[span.request] += span.overlap(step)
    return dict(+times)
