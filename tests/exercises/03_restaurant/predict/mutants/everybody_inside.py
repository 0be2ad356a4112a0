# Believes that everybody is in the app at once.
# Message: you predicted inside 5, waiting 0, rounds 1
# Message: measured: inside 1, waiting 4, rounds 5
# Message: why one thread runs one call of the app at a time

PREDICTIONS = {
    "A inside": 5,
    "A waiting": 0,
    "A rounds": 1,
    "B inside": 3,
    "B waiting": 4,
    "B rounds": 3,
    "C inside": 4,
    "C waiting": 3,
    "C rounds": 2,
    "D inside": 3,
    "D waiting": 0,
    "D processes": 2,
    "E inside": 2,
    "E waiting": 2,
    "E rounds": 3,
    "F inside": 2,
    "F waiting": 1,
    "F rounds": 2,
}
