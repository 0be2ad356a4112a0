# Counts the workers only.
# Message: you predicted inside 2, waiting 5, rounds 4
# Message: measured: inside 4, waiting 3, rounds 2

PREDICTIONS = {
    "A inside": 1,
    "A waiting": 4,
    "A rounds": 5,
    "B inside": 3,
    "B waiting": 4,
    "B rounds": 3,
    "C inside": 2,
    "C waiting": 5,
    "C rounds": 4,
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
