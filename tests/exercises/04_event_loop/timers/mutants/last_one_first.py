# Of equal deadlines, takes the one who asked last.
# Message: came back soup at 0, tea at 0, stew at 0, pie at 0, wait 1, pie at 1
# Message: why equal deadlines: the turn is for the one who asked first

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
            continue
        heapq.heappop(heap)
        try:
            seconds = next(generator)
        except StopIteration:
            continue
        heapq.heappush(heap, (now() + max(0, seconds), -next(asked), generator))
