"""Grader of uvicorn-rolling: evenings on the street, told step by step."""

from __future__ import annotations

from playground.grading import Learner, fail


def play(learner: Learner, workers: int, evening: str, *, why: str, nudge: str = "") -> None:
    """Run an evening: one step a line, `what argument … -> order number, order number`."""
    street = learner.obtain("Rolling", workers)
    told = [f"street = Rolling({workers})"]
    for line in filter(None, evening.splitlines()):
        what, _, expected = line.partition("->")
        method, *words = what.split()
        args = [int(word) if word.lstrip("-").isdigit() else word for word in words]
        orders = [
            (order.split()[0], int(order.split()[1]))
            for order in expected.split(",")
            if order.strip()
        ]
        told.append(f"{method}({', '.join(map(repr, args))})")
        got = street.call(method, *args)
        if got != orders:
            fail("; ".join(told), repr(got), repr(orders), why=why, nudge=nudge)


OPEN = """
begin -> spawn 1, spawn 2
ready 1 ->
ready 2 ->
"""


def check_deaths(learner: Learner) -> None:
    """Fills its places, and fills them again."""
    play(
        learner, 2,
        OPEN + """
died 2 -9 -> spawn 3
ready 3 ->
died 3 0 -> spawn 4
died 1 3 -> spawn 5
died 4 1 -> spawn 6
""",
        why="who dies is replaced at once; code 3 of one that has served is like any other",
        nudge="Which place has become empty?",
    )  # fmt: skip


def check_roll(learner: Learner) -> None:
    """Rolls: one new, then one old, place by place."""
    play(
        learner, 2,
        OPEN + """
signal HUP -> spawn 3
ready 3 -> term 1
died 1 0 -> spawn 4
ready 4 -> term 2
died 2 0 ->
died 3 -9 -> spawn 5
""",
        why="the old one goes when the new one serves, and not before",
        nudge="Which event is answered with the next spawn?",
    )  # fmt: skip
    play(
        learner, 3,
        """
begin -> spawn 1, spawn 2, spawn 3
ready 2 ->
ready 3 ->
ready 1 ->
signal HUP -> spawn 4
ready 4 -> term 1
died 1 -15 -> spawn 5
ready 5 -> term 2
died 2 0 -> spawn 6
ready 6 -> term 3
died 3 0 ->
signal HUP -> spawn 7
ready 7 -> term 4
""",
        why="the places have an order; after a roll, the next HUP begins at the first place",
    )  # fmt: skip


def check_broken_code(learner: Learner) -> None:
    """Gives the roll up when the new one does not start, and keeps the old ones."""
    for code in (1, 3):
        play(
            learner, 2,
            OPEN + f"""
signal HUP -> spawn 3
died 3 {code} ->
died 2 -9 -> spawn 4
signal HUP -> spawn 5
ready 5 -> term 1
died 1 0 -> spawn 6
died 6 {code} ->
died 5 -9 -> spawn 7
""",
            why="this is what the rolling is for: broken code costs nobody his table",
            nudge="A replacement that was never ready is not in a place.",
        )  # fmt: skip
    play(
        learner, 2,
        OPEN + """
signal HUP -> spawn 3
died 3 1 ->
died 1 -9 -> spawn 4
""",
        why="the roll is over, so whoever dies is replaced at once",
    )  # fmt: skip


def check_late(learner: Learner) -> None:
    """Kills who is not ready in time, and only them."""
    play(
        learner, 2,
        """
begin -> spawn 1, spawn 2
ready 1 ->
late 1 ->
late 2 -> kill 2
died 2 -9 -> spawn 3
late 2 ->
ready 3 ->
signal HUP -> spawn 4
late 4 -> kill 4
died 4 -9 ->
late 4 ->
signal HUP -> spawn 5
""",
        why="whoever watches the clock tells it of everybody; it knows who is ready",
        nudge="Who is there, and has not been ready?",
    )  # fmt: skip


def check_again(learner: Learner) -> None:
    """Remembers a HUP during a roll, once."""
    play(
        learner, 2,
        OPEN + """
signal HUP -> spawn 3
signal HUP ->
ready 3 -> term 1
signal HUP ->
died 1 0 -> spawn 4
ready 4 -> term 2
died 2 0 -> spawn 5
ready 5 -> term 3
died 3 0 -> spawn 6
ready 6 -> term 4
died 4 0 ->
""",
        why="the file may have changed again after the first replacement was started",
        nudge="A flag, not a number.",
    )  # fmt: skip
    play(
        learner, 2, OPEN + """
signal HUP -> spawn 3
signal HUP ->
died 3 1 -> spawn 4
died 4 1 ->
""",
        why="a roll that is given up is over as well", nudge="Where does a roll end?",
    )  # fmt: skip


def check_crash_during_roll(learner: Learner) -> None:
    """Keeps its head when an old one dies while its replacement starts."""
    play(
        learner, 2,
        OPEN + """
signal HUP -> spawn 3
died 1 -9 ->
ready 3 -> spawn 4
ready 4 -> term 2
died 2 0 ->
died 4 -9 -> spawn 5
""",
        why="its replacement is on its way: two for one place would be one too many",
        nudge="When the replacement is ready, is there somebody to dismiss?",
    )  # fmt: skip
    play(
        learner, 2,
        OPEN + """
signal HUP -> spawn 3
died 1 -9 ->
signal HUP ->
died 3 1 -> spawn 4, spawn 5
ready 4 ->
ready 5 -> term 4
""",
        why="the place is empty now: it is filled first, then the remembered roll begins",
    )  # fmt: skip
    play(
        learner, 2,
        OPEN + """
signal HUP -> spawn 3
ready 3 -> term 1
died 3 -9 -> spawn 4
ready 4 ->
died 1 0 -> spawn 5
ready 5 -> term 2
""",
        why="the new one has its place already; the old one still goes",
        nudge="From when on is a replacement a worker like any other?",
    )  # fmt: skip
    play(
        learner, 2,
        OPEN + """
signal HUP -> spawn 3
died 2 -9 -> spawn 4
ready 3 -> term 1
ready 4 ->
died 1 0 -> spawn 5
ready 5 -> term 4
died 3 -9 -> spawn 6
died 4 0 ->
""",
        why="another place is filled at once, roll or not",
        nudge="Whose place is it, and is a replacement for it on its way?",
    )  # fmt: skip


def check_cannot_start(learner: Learner) -> None:
    """Ends with code 3 when a worker in a place could not start."""
    play(
        learner, 2,
        """
begin -> spawn 1, spawn 2
died 2 3 -> term 1
signal TERM ->
died 1 0 -> exit 3
""",
        why="the one who started the supervisor learns it by the code, and by nothing else",
    )  # fmt: skip
    play(
        learner, 1,
        """
begin -> spawn 1
died 1 3 -> exit 3
""",
        why="nobody is left to wait for",
    )  # fmt: skip
    play(
        learner, 2,
        OPEN + """
died 1 -9 -> spawn 3
signal HUP -> spawn 4
died 3 3 -> term 2, term 4
ready 4 ->
died 4 0 ->
died 2 0 -> exit 3
""",
        why="it is in a place, it never was ready, and its code is 3",
    )  # fmt: skip


def check_term(learner: Learner) -> None:
    """Closes: everybody gets one term, and the last one turns off the light."""
    play(
        learner, 2,
        OPEN + """
signal HUP -> spawn 3
ready 3 -> term 1
signal TERM -> term 2, term 3
signal TERM ->
signal HUP ->
died 2 3 ->
died 1 0 ->
died 3 -9 -> exit 0
""",
        why="one term for each; what closed the street first decides about the code",
        nudge="Who has got a term before?",
    )  # fmt: skip
    play(
        learner, 2,
        OPEN + """
signal HUP -> spawn 3
signal TERM -> term 1, term 2, term 3
ready 3 ->
died 1 0 ->
died 2 0 ->
late 3 ->
died 3 0 -> exit 0
""",
        why="nobody is spawned, and nobody gets a second term",
    )  # fmt: skip
    play(
        learner, 1,
        """
begin -> spawn 1
signal TERM -> term 1
late 1 -> kill 1
died 1 -9 -> exit 0
""",
        why="who does not get ready does not go by itself either",
    )  # fmt: skip
