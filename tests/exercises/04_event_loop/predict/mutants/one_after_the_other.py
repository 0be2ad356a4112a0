# Believes that a coroutine runs to its end before the next one begins.
# Message: you predicted order 111233, steps 9
# Message: measured: order 123131

PREDICTIONS = {
    "A order": 111233,
    "A steps": 9,
    "B order": 212314,
    "B steps": 3,
    "C order": 123495,
    "C steps": 2,
    "D order": 9213,
    "D steps": 7,
    "E order": 311422,
    "F ours": 14,
    "F asyncio": 143,
}
