# Believes that a full pool stops the loop.
# Message: you predicted inside 40, rounds 3, answered 0
# Message: measured: inside 40, rounds 3, answered 1

PREDICTIONS = {
    "A inside": 50,
    "A rounds": 1,
    "A answered": 1,
    "B inside": 1,
    "B rounds": 5,
    "B answered": 0,
    "C inside": 40,
    "C rounds": 3,
    "C answered": 0,
    "D inside": 40,
    "D rounds": 2,
    "D answered": 0,
    "E inside": 3,
    "E rounds": 3,
    "E answered": 1,
    "F order": 213,
}
