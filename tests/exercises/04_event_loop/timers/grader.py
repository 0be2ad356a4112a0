"""Grader of loop-timers: a clock that only moves when it is told to, and a diary of what happens.

The diary reads "soup at 0, wait 2, soup at 2": turns with the time of their beginning, and calls of
wait(). The clock starts at another number; times are shown from the start.
"""

from typing import NamedTuple

from playground.grading import Learner, fail

EARLIEST = "the next turn is for the earliest deadline of all"
ASKED = "equal deadlines: the turn is for the one who asked first"
END = "the seconds count from the end of the turn, as now() tells it"
NO_WAIT = "wait() is called only if no deadline has been reached: no wait(0)"
AGAIN = "wait() may come back too early or too late: now() is what counts"


class Turn(NamedTuple):
    """One turn of a generator: how long it takes, and what it then yields."""

    sleeps: float
    takes: float = 0


def kitchen(
    learner: Learner,
    plans: dict[str, list[float | Turn]],
    expected: str,
    why: str,
    nudge: str,
    drift: tuple[float, ...] = (),
) -> None:
    """Run the learner's loop on a clock of ours; fail unless the diary reads as expected.

    `plans` says what each generator yields. `drift` says for each call of wait() how much later it
    comes back than it was asked to.
    """
    turns = {
        dish: [turn if isinstance(turn, Turn) else Turn(turn) for turn in plan]
        for dish, plan in plans.items()
    }
    play = learner.define(PLAY, "play")
    given = [(dish, [tuple(turn) for turn in plan]) for dish, plan in turns.items()]
    called = f"run([{', '.join(turns)}], now, wait); {'; '.join(map(told, turns, turns.values()))}"
    for number, late in enumerate(drift, 1):
        if late:
            called += f"; wait number {number} comes back {abs(late):g} s too {early(late)}"
    with learner.telling(called):
        diary, spins, returned = play(learner.name("run"), given, list(drift))
    found = ", ".join(diary)
    if spins:
        fail(
            called, f"{found or 'nothing'}, then now() and wait() were called 500 times"
            " without a turn", expected or "no turn, no wait",
            why="a loop that asks again and again uses up the processor: that is busy waiting",
            nudge="Who has the earliest deadline? Wait once, for exactly as long as that takes.",
        )  # fmt: skip
    if "wait 0" in diary:
        why, nudge = (
            NO_WAIT,
            "Is the deadline still away? If not: no wait, a turn.",
        )
    if found != expected:
        fail(called, found or "no turn, no wait", expected or "no turn, no wait",
             why=why, nudge=nudge)  # fmt: skip
    if returned is not None:
        fail(called, f"returned {returned!r}", "returned None")


def told(dish: str, plan: list[Turn]) -> str:
    """A plan in words."""
    if not plan:
        return f"{dish} yields nothing"
    parts = [
        f"{turn.sleeps:g}" + (f" after a turn of {turn.takes:g} s" if turn.takes else "")
        for turn in plan
    ]
    return f"{dish} yields {', then '.join(parts)}"


def early(late: float) -> str:
    """Early or late."""
    return "late" if late > 0 else "early"


def check_one(learner: Learner) -> None:
    """Wakes one generator up when its time has come."""
    kitchen(
        learner, {"soup": [2, 0.5]}, "soup at 0, wait 2, soup at 2, wait 0.5, soup at 2.5",
        "nobody has a turn before its deadline; wait for exactly as long as it is away",
        "After a turn: deadline = now() + seconds. Before the next: how far is it away?",
    )  # fmt: skip


def check_earliest(learner: Learner) -> None:
    """Wakes the earliest first, and all of them sleep at the same time."""
    kitchen(
        learner, {"bread": [30], "pie": [20], "tea": [4, 3]},
        "bread at 0, pie at 0, tea at 0, wait 4, tea at 4, wait 3, tea at 7,"
        " wait 13, pie at 20, wait 10, bread at 30",
        EARLIEST, "Look for the smallest deadline, not for the first in the list.",
    )  # fmt: skip


def check_equal(learner: Learner) -> None:
    """Of equal deadlines, takes the one who asked first."""
    kitchen(
        learner, {"soup": [1], "tea": [1], "stew": [1], "pie": [1]},
        "soup at 0, tea at 0, stew at 0, pie at 0,"
        " wait 1, soup at 1, tea at 1, stew at 1, pie at 1",
        ASKED, "Generators cannot be compared: put a number between deadline and generator.",
    )  # fmt: skip
    kitchen(
        learner, {"tea": [1, 3], "soup": [4], "stew": [2, 2]},
        "tea at 0, soup at 0, stew at 0, wait 1, tea at 1, wait 1, stew at 2,"
        " wait 2, soup at 4, tea at 4, stew at 4",
        ASKED, "Soup asked at 0, tea at 1, stew at 2, all of them for the time 4.",
    )  # fmt: skip


def check_zero(learner: Learner) -> None:
    """Does not wait for who sleeps 0 seconds, or less."""
    kitchen(
        learner, {"soup": [0, 0], "tea": [0]},
        "soup at 0, tea at 0, soup at 0, tea at 0, soup at 0",
        NO_WAIT, "yield 0 means: the others first, then I. It is a deadline like all others.",
    )  # fmt: skip
    kitchen(
        learner, {"soup": [0], "tea": [-5, -5], "stew": [0]},
        "soup at 0, tea at 0, stew at 0, soup at 0, tea at 0, stew at 0, tea at 0",
        "less than 0 counts as 0: nobody gets in front of others by asking for the past",
        "max() helps.",
    )  # fmt: skip


def check_turns_take_time(learner: Learner) -> None:
    """Counts from the end of a turn."""
    kitchen(
        learner, {"soup": [Turn(2, takes=3)], "tea": [Turn(1, takes=0.5)]},
        "soup at 0, tea at 3, wait 1, tea at 4.5, wait 0.5, soup at 5",
        END, "Ask now() when the turn is over.",
    )  # fmt: skip


def check_busy(learner: Learner) -> None:
    """Keeps to the deadlines while somebody else never sleeps."""
    busy = Turn(0, takes=1)
    kitchen(
        learner, {"dough": [busy] * 5, "egg": [2, 1]},
        "dough at 0, egg at 1, dough at 1, dough at 2, egg at 3, dough at 3, egg at 4, dough at 4,"
        " dough at 5",
        EARLIEST, "Is somebody who sleeps looked at while another one has always something to do?",
    )  # fmt: skip


def check_overdue(learner: Learner) -> None:
    """Takes those who are late by their deadlines, without waiting."""
    kitchen(
        learner, {"soup": [3], "tea": [1], "stew": [2], "pie": [Turn(0, takes=8), 1]},
        "soup at 0, tea at 0, stew at 0, pie at 0, tea at 8, stew at 8, soup at 8, pie at 8,"
        " wait 1, pie at 9",
        EARLIEST, "At 8 everybody is due. Who has been for the longest time?",
    )  # fmt: skip


def check_early(learner: Learner) -> None:
    """Looks at the clock again when wait() comes back too early."""
    kitchen(
        learner, {"soup": [4], "tea": [5]},
        "soup at 0, tea at 0, wait 4, wait 3, wait 1, soup at 4, wait 1, tea at 5",
        AGAIN, "After wait(), go back to where you look at the earliest deadline.", (-3, -1),
    )  # fmt: skip


def check_late(learner: Learner) -> None:
    """Looks at the clock again when wait() comes back too late."""
    kitchen(
        learner, {"soup": [1, 2], "tea": [3]},
        "soup at 0, tea at 0, wait 1, soup at 5, tea at 5, wait 2, soup at 7",
        AGAIN, "Who is due after wait(), and when does the next sleep end?", (4,),
    )  # fmt: skip
    kitchen(
        learner, {"pie": [3], "soup": [1], "tea": [2]},
        "pie at 0, soup at 0, tea at 0, wait 1, soup at 4, tea at 4, pie at 4",
        EARLIEST, "All three are due at 4, and their deadlines still count.", (3,),
    )  # fmt: skip


def check_nobody(learner: Learner) -> None:
    """Returns when all are over, and at once when there is nobody."""
    kitchen(learner, {}, "", "there is no deadline to wait for", "What does an empty heap mean?")
    kitchen(
        learner, {"soup": [], "tea": [2], "stew": []},
        "soup at 0, tea at 0, stew at 0, wait 2, tea at 2",
        "who is over has no deadline any more", "What does a generator raise at its end?",
    )  # fmt: skip


PLAY = """
class Spins(BaseException):
    pass

def play(run, plans, drift):
    start = clock = 1000.0
    diary = []
    asked = 0

    def ask():
        nonlocal asked
        asked += 1
        if asked > 500:
            raise Spins

    def now():
        ask()
        return clock

    def wait(seconds):
        nonlocal clock
        ask()
        if len(diary) < 40:
            diary.append(f"wait {seconds:g}")
        clock += max(0, seconds + (drift.pop(0) if drift else 0))

    def cook(dish, plan):
        nonlocal clock, asked
        for sleeps, takes in [*plan, (None, 0)]:
            asked = 0
            diary.append(f"{dish} at {clock - start:g}")
            clock += takes
            if sleeps is not None:
                yield sleeps

    generators = [cook(*each) for each in plans]
    try:
        return diary, False, run(generators, now, wait)
    except Spins:
        return diary, True, None
"""
