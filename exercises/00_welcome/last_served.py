"""When is the last party served?

Some parties enter a restaurant at the same moment. Each waiter serves one party at a time, from the
order to the bill, and every meal takes equally long. The others wait at the door.
"""


def last_served(parties: int, waiters: int, meal: float) -> float:
    """Return after how many seconds the last party has been served.

    last_served(8, 2, 0.5) == 2.0

    `parties` is 0 or more, `waiters` 1 or more, and `meal` is in seconds. Nobody came: 0.0.
    """
    raise NotImplementedError("your code")
