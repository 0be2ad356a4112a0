# Believes that what is awaited is a task of its own, with steps of its own.
# Message: called program B
# Message: you predicted order 212314, steps 2
# Message: (steps of each: program_b 3, guest 2)

PREDICTIONS = {
    "A order": 123131,
    "A steps": 9,
    "B order": 212314,
    "B steps": 2,
    "C order": 123495,
    "C steps": 2,
    "D order": 9213,
    "D steps": 7,
    "E order": 311422,
    "F ours": 14,
    "F asyncio": 143,
}
