# Expects each party in a process of its own.
# Message: you predicted inside 3, waiting 0, processes 3
# Message: measured: inside 3, waiting 0, processes 2
# Message: why a process with 2 threads has room for 2

PREDICTIONS = {
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
    "D processes": 3,
    "E inside": 2,
    "E waiting": 2,
    "E rounds": 3,
    "F inside": 2,
    "F waiting": 1,
    "F rounds": 2,
}
