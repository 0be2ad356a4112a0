# Believes that a health check comes in between.
# Message: you predicted inside 1, rounds 5, answered 1
# Message: why the loop is one thread

PREDICTIONS = {
    "A inside": 50,
    "A rounds": 1,
    "A answered": 1,
    "B inside": 1,
    "B rounds": 5,
    "B answered": 1,
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
