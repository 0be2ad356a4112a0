from math import ceil

TOKENS = 40  # AnyIO's limit of threads


def lunch(letter: str, guests: int, places: int, answered: int) -> dict[str, int]:
    """The three numbers of a lunch."""
    inside = min(guests, places)
    numbers = {"inside": inside, "rounds": ceil(guests / inside), "answered": answered}
    return {f"{letter} {what}": number for what, number in numbers.items()}


PREDICTIONS = {
    **lunch("A", 50, 50, 1),
    **lunch("B", 5, 1, 0),
    **lunch("C", 100, TOKENS, 1),
    **lunch("D", 41, TOKENS, 0),
    **lunch("E", 8, 3, 1),
    "F order": 213,
}
