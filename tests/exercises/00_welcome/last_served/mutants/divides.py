# A fluid of parties: half a round takes half as long.
# Message: called last_served(7, 2, 1.0)


def last_served(parties, waiters, meal):
    return parties / waiters * meal if parties > waiters else meal * bool(parties)
