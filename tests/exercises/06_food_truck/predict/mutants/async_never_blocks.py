# Believes that `async def` is enough.
# Message: you predicted inside 5, rounds 1, answered 1
# Message: why the loop is one thread

PREDICTIONS = {
    "A inside": 50,
    "A rounds": 1,
    "A answered": 1,
    "B inside": 5,
    "B rounds": 1,
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
