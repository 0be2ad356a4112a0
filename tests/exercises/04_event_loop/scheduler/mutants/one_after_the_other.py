# Runs each generator to its end before the next one begins.
# Message: came back turns: soup 1, soup 2, tea 1
# Message: expected turns: soup 1, tea 1, stew 1, soup 2, tea 2, stew 2

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
        except Exception as error:
            results[number] = error
        else:
            ready.appendleft((number, generator))
    return results
