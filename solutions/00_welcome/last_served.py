"""When is the last party served?"""


def last_served(parties: int, waiters: int, meal: float) -> float:
    """Return after how many seconds the last party has been served."""
    rounds = -(-parties // waiters)
    return rounds * meal
