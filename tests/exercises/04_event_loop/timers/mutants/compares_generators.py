# Leaves it to the generators to decide between equal deadlines.
# Message: came back raised TypeError: '<' not supported between instances of 'generator'

"""Timers: generators that sleep, on one thread that sleeps only when all of them do."""

import heapq
from collections.abc import Callable, Generator, Iterable


def run(
    generators: Iterable[Generator[float, None, None]],
    now: Callable[[], float],
    wait: Callable[[float], None],
) -> None:
    """Let the generators take turns, each when its time has come, until all are over."""
    start = now()
    heap = [(start, generator) for generator in generators]
    while heap:
        deadline, generator = heap[0]
        left = deadline - now()
        if left > 0:
            wait(left)
            continue
        heapq.heappop(heap)
        try:
            seconds = next(generator)
        except StopIteration:
            continue
        heapq.heappush(heap, (now() + max(0, seconds), generator))
