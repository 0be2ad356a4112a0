# One guest more than there are threads, and no second round.
# Message: you predicted inside 41, rounds 1, answered 0

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
    "D inside": 41,
    "D rounds": 1,
    "D answered": 0,
    "E inside": 3,
    "E rounds": 3,
    "E answered": 1,
    "F order": 213,
}
