"""The same numbers, from rules."""

from math import ceil


def house(room, parties):
    """How many are inside and outside at first, and how many rounds it takes."""
    return min(room, parties), max(0, parties - room), ceil(parties / room)


A, B, C = house(1 * 3, 5), house(2 + 1 + 1 - 1, 6), house(2 - 1, 3)
PREDICTIONS = {
    "A inside": A[0],
    "A waiting": A[1],
    "A rounds": A[2],
    "B inside": B[0],
    "B waiting": B[1],
    "B processes": B[0],
    "C inside": C[0],
    "C rounds": C[2],
    "D lost": 1,
    "D inside": min(2, 3 - 1),
    "E processes": ceil(5 / 2),
    "E lost": 0,
}
