# Waits before every turn, for 0 seconds too.
# Message: came back wait 0, soup at 0
# Message: expected soup at 0, wait 2

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
        wait(max(0, left))
        heapq.heappop(heap)
        try:
            seconds = next(generator)
        except StopIteration:
            continue
        heapq.heappush(heap, (now() + max(0, seconds), next(asked), generator))
