# Believes that both gathers let the others go on.
# Message: called program F
# Message: you predicted ours 143, asyncio 143
# Message: measured: ours 14, asyncio 143

PREDICTIONS = {
    "A order": 123131,
    "A steps": 9,
    "B order": 212314,
    "B steps": 3,
    "C order": 123495,
    "C steps": 2,
    "D order": 9213,
    "D steps": 7,
    "E order": 311422,
    "F ours": 143,
    "F asyncio": 143,
}
