# Believes that a worker with a stream takes nothing else.
# Message: gunicorn --workers 1 --worker-class gthread --threads 4
# Message: measured: served 3, starved 0, answered 1

PREDICTIONS = {
    "A served": 1,
    "A starved": 4,
    "A answered": 0,
    "B served": 6,
    "B starved": 14,
    "B answered": 0,
    "C served": 3,
    "C starved": 0,
    "C answered": 0,
    "D served": 3,
    "D more": 0,
    "E served": 60,
    "E starved": 0,
    "E answered": 1,
    "F served": 1,
    "F starved": 4,
    "F answered": 0,
}
