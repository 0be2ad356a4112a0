# Idle waiters share a meal, and make it faster.
# Message: called last_served(3, 8, 2.0)

import math


def last_served(parties, waiters, meal):
    if parties < waiters:
        return parties / waiters * meal
    return math.ceil(parties / waiters) * meal
