"""The order of steps, and how many: worked out on paper."""

PREDICTIONS = {
    "A order": 123131,  # turns in the order of the queue
    "A steps": 9,  # one for each await, and one to the end: 4 + 2 + 3
    "B order": 212314,  # the awaited guest is a part of the caller; the task has to wait
    "B steps": 3,  # to sleep(0), to `await task`, to the end
    "C order": 123495,  # nothing in a dish waits, so 9 comes at sleep(0)
    "C steps": 2,  # to sleep(0), to the end
    "D order": 9213,  # rude blocks until 2 and 1 are due; 3 begins its sleep after that
    "D steps": 7,  # two for each late, one for rude
    "E order": 311422,  # cancel() only notes it; who is left is cancelled at the end
    "F ours": 14,  # 3 is cancelled
    "F asyncio": 143,  # 3 goes on, for nobody
}
