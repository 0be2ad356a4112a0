# Believes that wait() takes exactly as long as it was asked to.
# Message: wait number 1 comes back 3 s too early
# Message: came back soup at 0, tea at 0, wait 4, soup at 1
# Message: why wait() may come back too early or too late

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
        left = deadline - now()
        if left > 0:
            wait(left)
        heapq.heappop(heap)
        try:
            seconds = next(generator)
        except StopIteration:
            continue
        heapq.heappush(heap, (now() + max(0, seconds), next(asked), generator))
