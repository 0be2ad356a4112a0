# Believes that the requests of one connection are served at the same time.
# Message: you predicted inside 4, waiting 0, rounds 1
# Message: measured: inside 2, waiting 2, rounds 3
# Message: why RFC 9112 §9.3.2

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
    "D processes": 2,
    "E inside": 4,
    "E waiting": 0,
    "E rounds": 1,
    "F inside": 2,
    "F waiting": 1,
    "F rounds": 2,
}
