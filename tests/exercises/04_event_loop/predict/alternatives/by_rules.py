"""The same numbers, put together from what happens."""


def number(text):
    return int(text.replace(" ", ""))


COOKS = {1: 3, 2: 1, 3: 2}
TURNS = [cook for turn in range(3) for cook, dishes in COOKS.items() if turn < dishes]

PREDICTIONS = {
    "A order": number("".join(map(str, TURNS))),
    "A steps": sum(dishes + 1 for dishes in COOKS.values()),
    "B order": number("2 1 2 3 1 4"),
    "B steps": 1 + len(["sleep(0)", "await task"]),
    "C order": number("123 4 9 5"),
    "C steps": 1 + len(["sleep(0)"]),
    "D order": number("9 2 1 3"),
    "D steps": 3 * 2 + 1,
    "E order": number("3 11 4 22"),
    "F ours": number("1 4"),
    "F asyncio": number("1 4 3"),
}
