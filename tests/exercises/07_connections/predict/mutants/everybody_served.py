# Believes that a response which waits costs nothing in a WSGI server.
# Message: you predicted served 5, starved 0, answered 1
# Message: measured: served 1, starved 4, answered 0
# Message: 1 of 5 clients

PREDICTIONS = {
    "A served": 5,
    "A starved": 0,
    "A answered": 1,
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
    "F served": 1,
    "F starved": 4,
    "F answered": 0,
}
