# Believes that half a request occupies a thread.
# Message: you predicted inside 0, waiting 3, rounds 0
# Message: measured: inside 2, waiting 1, rounds 2
# Message: why this server gives a request to a thread when it has arrived as a whole

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
    "E inside": 2,
    "E waiting": 2,
    "E rounds": 3,
    "F inside": 0,
    "F waiting": 3,
    "F rounds": 0,
}
