# Believes that time.sleep lets the others go on.
# Message: called program D
# Message: you predicted order 2319, steps 7
# Message: measured: order 9213

PREDICTIONS = {
    "A order": 123131,
    "A steps": 9,
    "B order": 212314,
    "B steps": 3,
    "C order": 123495,
    "C steps": 2,
    "D order": 2319,
    "D steps": 7,
    "E order": 311422,
    "F ours": 14,
    "F asyncio": 143,
}
