# Believes that async def alone keeps a call from blocking.
# Message: you predicted served 5, starved 0, answered 1
# Message: measured: served 1, starved 4, answered 0
# Message: why the loop is one thread

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
    "E served": 60,
    "E starved": 0,
    "E answered": 1,
    "F served": 5,
    "F starved": 0,
    "F answered": 1,
}
