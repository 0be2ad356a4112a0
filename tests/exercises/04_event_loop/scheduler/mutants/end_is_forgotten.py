# Does not look into StopIteration.
# Message: came back returned [None]
# Message: why PEP 380: what a generator returns is the `value` of its StopIteration

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
        except StopIteration:
            results[number] = None
        except Exception as error:
            results[number] = error
        else:
            ready.append((number, generator))
    return results
