# Believes that a task makes its first step where it is made.
# Message: called program B
# Message: you predicted order 121234
# Message: why making a task runs nothing yet

PREDICTIONS = {
    "A order": 123131,
    "A steps": 9,
    "B order": 121234,
    "B steps": 3,
    "C order": 123495,
    "C steps": 2,
    "D order": 9213,
    "D steps": 7,
    "E order": 311422,
    "F ours": 14,
    "F asyncio": 143,
}
