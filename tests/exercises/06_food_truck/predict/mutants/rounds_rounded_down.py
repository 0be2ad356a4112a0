# 8 guests at 3 places are two rounds, and two guests are forgotten.
# Message: you predicted inside 3, rounds 2, answered 1
# Message: measured: inside 3, rounds 3, answered 1

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
    "D answered": 0,
    "E inside": 3,
    "E rounds": 2,
    "E answered": 1,
    "F order": 213,
}
