# Believes that the last await is the end of a coroutine: no step follows it.
# Message: you predicted order 123131, steps 6
# Message: measured: order 123131, steps 9
# Message: why each sleep(0) gives the thread back

PREDICTIONS = {
    "A order": 123131,
    "A steps": 6,
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
