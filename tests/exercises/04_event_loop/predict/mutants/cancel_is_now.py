# Believes that cancel() throws at once, and that who is left is forgotten.
# Message: called program E
# Message: you predicted order 1314
# Message: why cancel() only notes it

PREDICTIONS = {
    "A order": 123131,
    "A steps": 9,
    "B order": 212314,
    "B steps": 3,
    "C order": 123495,
    "C steps": 2,
    "D order": 9213,
    "D steps": 7,
    "E order": 1314,
    "F ours": 14,
    "F asyncio": 143,
}
