# Counts the threads of one worker only.
# Message: you predicted served 3, starved 17
# Message: measured: served 6, starved 14
# Message: why each open stream holds a thread

PREDICTIONS = {
    "A served": 1,
    "A starved": 4,
    "A answered": 0,
    "B served": 3,
    "B starved": 17,
    "B answered": 0,
    "C served": 3,
    "C starved": 0,
    "C answered": 1,
    "D served": 3,
    "D more": 0,
    "E served": 60,
    "E starved": 0,
    "E answered": 1,
    "F served": 1,
    "F starved": 4,
    "F answered": 0,
}
