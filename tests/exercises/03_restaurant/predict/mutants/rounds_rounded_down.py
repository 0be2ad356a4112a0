# Divides and rounds down: the last, half-empty round is forgotten.
# Message: called python -m minimal_servers wsgi … --workers 1 --threads 3, 7 parties at once
# Message: you predicted inside 3, waiting 4, rounds 2
# Message: measured: inside 3, waiting 4, rounds 3

PREDICTIONS = {
    "A inside": 1,
    "A waiting": 4,
    "A rounds": 5,
    "B inside": 3,
    "B waiting": 4,
    "B rounds": 2,
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
