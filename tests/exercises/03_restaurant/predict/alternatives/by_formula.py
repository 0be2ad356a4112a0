"""The same numbers, worked out."""

from math import ceil


def evening(letter, workers, threads, parties):
    inside = min(parties, workers * threads)
    return {
        f"{letter} inside": inside,
        f"{letter} waiting": parties - inside,
        f"{letter} rounds": ceil(parties / (workers * threads)),
    }


PREDICTIONS = {
    **evening("A", 1, 1, 5),
    **evening("B", 1, 3, 7),
    **evening("C", 2, 2, 7),
    **evening("D", 2, 2, 3),
    "D processes": ceil(3 / 2),
    "E inside": 1 + 1,
    "E waiting": 3 - 1,
    "E rounds": max(3, 1),
    **evening("F", 1, 2, 3),
}
