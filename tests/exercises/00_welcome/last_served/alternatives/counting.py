def last_served(parties, waiters, meal):
    seconds = 0.0
    while parties > 0:
        parties -= waiters
        seconds += meal
    return seconds
