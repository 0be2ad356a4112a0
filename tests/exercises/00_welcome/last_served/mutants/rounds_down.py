# Forgets the last round when it is not full.
# Message: called last_served(7, 2, 1.0)


def last_served(parties, waiters, meal):
    return (parties // waiters) * meal
