# Gives a fraction of a round.
# Message: called PREDICTIONS['B rounds']
# Message: expected a whole number

PREDICTIONS = {
    "A inside": 1,
    "A waiting": 4,
    "A rounds": 5,
    "B inside": 3,
    "B waiting": 4,
    "B rounds": 7 / 3,
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
