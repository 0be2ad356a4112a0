# Always adds a round for the rest, even when there is none.
# Message: called last_served(8, 2, 0.5)


def last_served(parties, waiters, meal):
    return (parties // waiters + 1) * meal
