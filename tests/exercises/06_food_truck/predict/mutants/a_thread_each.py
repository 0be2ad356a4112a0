# Believes that a waiting request holds the thread.
# Message: you predicted inside 1, rounds 50, answered 0
# Message: measured: inside 50, rounds 1, answered 1

PREDICTIONS = {
    "A inside": 1,
    "A rounds": 50,
    "A answered": 0,
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
    "E rounds": 3,
    "E answered": 1,
    "F order": 213,
}
