# Takes KeyboardInterrupt for a result.
# Message: expected KeyboardInterrupt left run()
# Message: nudge Which exceptions do you catch?

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
        except BaseException as error:
            results[number] = error
        else:
            ready.append((number, generator))
    return results
