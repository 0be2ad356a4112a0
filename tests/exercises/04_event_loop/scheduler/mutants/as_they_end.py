# The results come in the order in which the generators ended.
# Message: came back returned ['a', 'c', 'd', 'b']
# Message: why the results are in the order of `generators`

"""A scheduler: several generators take turns on one thread."""

from collections import deque
from collections.abc import Generator, Iterable
from typing import Any


def run(generators: Iterable[Generator[Any, None, Any]]) -> list[Any]:
    """Let the generators take turns until all are over; return how each of them ended."""
    ready = deque(enumerate(generators))
    results = []
    while ready:
        number, generator = ready.popleft()
        try:
            next(generator)
        except StopIteration as end:
            results.append(end.value)
        except Exception as error:
            results.append(error)
        else:
            ready.append((number, generator))
    return results
