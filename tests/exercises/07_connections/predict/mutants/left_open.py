# Leaves one number open.
# Message: called PREDICTIONS['B answered']
# Message: came back None

PREDICTIONS = {
    "A served": 1,
    "A starved": 4,
    "A answered": 0,
    "B served": 6,
    "B starved": 14,
    "B answered": None,
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
