# Believes that a thread notices at once that its client has gone.
# Message: you predicted served 3, more 2
# Message: measured: served 3, more 0
# Message: why WSGI has no word for a client that goes

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
    "D more": 2,
    "E served": 60,
    "E starved": 0,
    "E answered": 1,
    "F served": 1,
    "F starved": 4,
    "F answered": 0,
}
