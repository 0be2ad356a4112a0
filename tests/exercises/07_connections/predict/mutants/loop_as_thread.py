# Takes the loop for a pool with one thread.
# Message: you predicted served 1, starved 59, answered 0
# Message: measured: served 60, starved 0, answered 1

PREDICTIONS = {
    "A served": 1,
    "A starved": 4,
    "A answered": 0,
    "B served": 6,
    "B starved": 14,
    "B answered": 0,
    "C served": 3,
    "C starved": 0,
    "C answered": 1,
    "D served": 3,
    "D more": 0,
    "E served": 1,
    "E starved": 59,
    "E answered": 0,
    "F served": 1,
    "F starved": 4,
    "F answered": 0,
}
