# Leaves one number open.
# Message: called PREDICTIONS['E inside']
# Message: came back None

PREDICTIONS = {
    "A inside": 50,
    "A rounds": 1,
    "A answered": 1,
    "B inside": 1,
    "B rounds": 5,
    "B answered": 0,
    "C inside": 40,
    "C rounds": 3,
    "C answered": 1,
    "D inside": 40,
    "D rounds": 2,
    "D answered": 0,
    "E inside": None,
    "E rounds": 3,
    "E answered": 1,
    "F order": 213,
}
