# Looks for threads before it looks for a loop.
# Message: came back returned ('threads', 1, 3)
# Message: why one thread served two at once

"""Read a timeline and name the set-up: what can one tell from outside, and what not?"""

from collections import defaultdict
from itertools import permutations


def name_the_setup(rows: list[tuple]) -> tuple[str, int, int]:
    """Return (kind, processes, together)."""
    houses = defaultdict(list)
    for row in rows:
        houses[row[1]].append(row)
    pairs = [pair for house in houses.values() for pair in permutations(house, 2)]
    together = max((most(house) for house in houses.values()), default=0)
    if any(one[2] != other[2] for one, other in pairs):
        kind = "threads"
    elif any(one[2] == other[2] and overlap(one, other) for one, other in pairs):
        kind = "loop"
    elif any(late[0] < early[4] <= late[3] for early, late in pairs):
        kind = "one at a time"
    else:
        kind = "unknown"
    return kind, len(houses), together


def overlap(one: tuple, other: tuple) -> bool:
    """Whether both were served at the same moment."""
    return one[3] < other[4] and other[3] < one[4]


def most(rows: list[tuple]) -> int:
    """The most that were served at the same moment: some row begins then."""
    return max(sum(row[3] <= moment < row[4] for row in rows) for _, _, _, moment, _ in rows)
