# At least one round, even when nobody came.
# Message: called last_served(0, 4, 2.0)

import math


def last_served(parties, waiters, meal):
    return max(1, math.ceil(parties / waiters)) * meal
