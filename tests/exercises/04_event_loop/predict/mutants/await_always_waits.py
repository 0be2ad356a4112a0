# Believes that every await gives the thread back.
# Message: called program C
# Message: you predicted order 192345, steps 5
# Message: why await gives the thread back only if something in it really has to wait

PREDICTIONS = {
    "A order": 123131,
    "A steps": 9,
    "B order": 212314,
    "B steps": 3,
    "C order": 192345,
    "C steps": 5,
    "D order": 9213,
    "D steps": 7,
    "E order": 311422,
    "F ours": 14,
    "F asyncio": 143,
}
