# The seconds count from the beginning of the turn.
# Message: came back soup at 0, tea at 3, soup at 3.5
# Message: why the seconds count from the end of the turn

"""Timers: generators that sleep, on one thread that sleeps only when all of them do."""

import heapq
from collections.abc import Callable, Generator, Iterable
from itertools import count


def run(
    generators: Iterable[Generator[float, None, None]],
    now: Callable[[], float],
    wait: Callable[[float], None],
) -> None:
    """Let the generators take turns, each when its time has come, until all are over."""
    start = now()
    asked = count()  # decides between equal deadlines; generators cannot be compared
    heap = [(start, next(asked), generator) for generator in generators]
    while heap:
        deadline, _, generator = heap[0]
        began = now()
        left = deadline - began
        if left > 0:
            wait(left)
            continue
        heapq.heappop(heap)
        try:
            seconds = next(generator)
        except StopIteration:
            continue
        heapq.heappush(heap, (began + max(0, seconds), next(asked), generator))
