# Gives the numbers another name.
# Message: called PREDICTIONS
# Message: came back no dictionary of that name

MINE = {
    "A inside": 1,
    "A waiting": 4,
    "A rounds": 5,
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
