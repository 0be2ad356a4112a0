# Forgets that a `def` health check needs a thread of the same pool.
# Message: you predicted inside 40, rounds 2, answered 1
# Message: why all `def` endpoints of a process share one pool

PREDICTIONS = {
    "A inside": 50,
    "A rounds": 1,
    "A answered": 1,
    "B inside": 1,
    "B rounds": 5,
    "B answered": 0,
    "C inside": 40,
    "C rounds": 3,
    "C answered": 1,
    "D inside": 40,
    "D rounds": 2,
    "D answered": 1,
    "E inside": 3,
    "E rounds": 3,
    "E answered": 1,
    "F order": 213,
}
