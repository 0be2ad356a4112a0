"""The same numbers, worked out."""


def house(letter, room, streams):
    served = min(room, streams)
    return {
        f"{letter} served": served,
        f"{letter} starved": streams - served,
        f"{letter} answered": int(served < room),
    }


LOOP = 10**6
PREDICTIONS = {
    **house("A", 1 * 1, 5),
    **house("B", 2 * 3, 20),
    **house("C", 1 * 4, 3),
    "D served": min(1 * 3, 7),
    "D more": 0,
    **house("E", LOOP, 60),
    **house("F", 1, 5),
}
