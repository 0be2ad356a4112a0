"""Grader of gunicorn-arbiter: one event after the other, and the orders that must follow."""

from __future__ import annotations

from typing import Any

from playground.grading import Failed, Learner, Raised, Remote, fail, short

Orders = list[tuple[Any, ...]]


class House:
    """The learner's arbiter, and what it was told so far."""

    def __init__(self, learner: Learner, workers: int = 2, timeout: float = 30.0) -> None:
        self.learner = learner
        self.told = [f"Arbiter({workers}, {timeout})"]
        self.remote = learner.obtain("Arbiter", workers, timeout)
        if not isinstance(self.remote, Remote):
            fail(self.told[0], short(self.remote), "an instance of your class Arbiter")

    def tell(self, method: str, *args: Any) -> Any:
        """Call a method; a failure shows all calls so far."""
        self.told.append(f"{method}({', '.join(map(repr, args))})")
        try:
            return self.remote.call(method, *args)
        except Raised as raised:
            raised.called = "; ".join(self.told)
            raise
        except Failed as failed:
            failed.message.called = "; ".join(self.told)
            raise

    def orders(self, expected: Orders, method: str, *args: Any, why: str, nudge: str) -> None:
        """Fail unless exactly these orders come back."""
        got = self.tell(method, *args)
        if got != expected or any(type(order) is not tuple for order in got):
            fail("; ".join(self.told), repr(got), repr(expected), why=why, nudge=nudge)

    def open(self, count: int = 2) -> None:
        """The first tick hires everybody; each of them rings at 0 s."""
        why = "pre-fork: the workers are there before anybody comes"
        nudge = "`tick` compares how many are on duty with how many there should be."
        self.orders(spawns(*range(1, count + 1)), "tick", 0.0, why=why, nudge=nudge)
        for worker in range(1, count + 1):
            self.tell("beat", worker, 0.0)


def spawns(*workers: int) -> Orders:
    """Orders to start these."""
    return [("spawn", worker) for worker in workers]


def kills(signal: str, *workers: int) -> Orders:
    """Orders to send these a signal."""
    return [("kill", worker, signal) for worker in workers]


def check_hires(learner: Learner) -> None:
    """Hires everybody at the first tick, and nobody at the second."""
    house = House(learner, 3)
    house.open(3)
    house.orders(
        [], "tick", 1.0, why="three are on duty, three are wanted",
        nudge="A worker is there from its spawn order on, not from its first beat.",
    )  # fmt: skip


def check_replaces(learner: Learner) -> None:
    """Replaces the dead at the next tick, under new numbers."""
    house = House(learner, 3)
    house.open(3)
    why = "who died is replaced at the next tick"
    nudge = "Count on; a number is never given twice."
    house.orders([], "died", 3, 0, why=why, nudge="`died` only takes it off the list.")
    house.orders([], "died", 1, -9, why=why, nudge="`died` only takes it off the list.")
    house.orders(spawns(4, 5), "tick", 1.0, why=why, nudge=nudge)
    house.orders([], "tick", 2.0, why=why, nudge=nudge)


def check_silent(learner: Learner) -> None:
    """Gives up on a silent worker: ABRT first, then KILL, until it has died."""
    house = House(learner, 2, 30.0)
    house.open()
    why = "--timeout limits the time since the last beat; ABRT lets the worker say where it hangs"
    house.tell("beat", 1, 20.0)
    house.orders([], "tick", 30.0, why="more than the timeout, not as much", nudge="`>`, not `>=`.")
    first = "Remember whom you have sent ABRT."
    house.orders(kills("ABRT", 2), "tick", 30.5, why=why, nudge=first)
    house.orders(kills("KILL", 2), "tick", 31.5, why=why, nudge=first)
    house.orders(
        kills("KILL", 2), "tick", 32.5, why="it is there until it has died",
        nudge="A killed worker is replaced when `died` says so, not before.",
    )  # fmt: skip
    house.orders([], "died", 2, -9, why=why, nudge=first)
    house.orders(
        spawns(3), "tick", 33.5, why="who died is replaced", nudge="Judge first, then hire."
    )
    house.tell("beat", 3, 59.0)
    house.orders(
        kills("ABRT", 1), "tick", 60.0, why="each worker is warned once",
        nudge="Remember *which* worker was sent ABRT.",
    )  # fmt: skip


def check_rings_again(learner: Learner) -> None:
    """Leaves a worker alone that rings again."""
    house = House(learner, 1, 30.0)
    house.open(1)
    why = "only the last beat counts"
    house.orders(kills("ABRT", 1), "tick", 31.0, why=why, nudge="Compare with the last beat.")
    house.tell("beat", 1, 31.5)
    house.orders([], "tick", 32.0, why=why, nudge="Compare with the last beat.")
    house.orders(
        kills("KILL", 1), "tick", 62.0, why="it had its warning; every later tick is KILL",
        nudge="Nothing takes an ABRT back.",
    )  # fmt: skip


def check_starting(learner: Learner) -> None:
    """Does not judge who never rang, and nobody with a timeout of 0."""
    house = House(learner, 1, 30.0)
    house.tell("tick", 0.0)
    house.orders(
        [], "tick", 100.0, why="who never rang is still importing the app",
        nudge="The clock of a worker starts with its first beat.",
    )  # fmt: skip
    house.tell("beat", 1, 100.0)
    house.orders([], "tick", 101.0, why="it has just rung", nudge="Use the time of the beat.")
    house = House(learner, 1, 0.0)
    house.open(1)
    house.orders([], "tick", 100.0, why="timeout 0 switches it off", nudge="0 is not a limit.")


def check_ttin_ttou(learner: Learner) -> None:
    """Hires and dismisses at TTIN and TTOU, the oldest first, and keeps one."""
    house = House(learner, 2)
    house.open()
    why = "TTIN and TTOU change how many there should be; the next tick acts"
    nudge = "Change the number in `signal`, do nothing else there."
    house.orders([], "signal", "TTIN", why=why, nudge=nudge)
    house.orders([], "signal", "TTIN", why=why, nudge=nudge)
    house.orders(spawns(3, 4), "tick", 1.0, why=why, nudge=nudge)
    for _ in range(2):
        house.orders([], "signal", "TTOU", why=why, nudge=nudge)
    oldest = "The oldest have the smallest numbers."
    house.orders(kills("TERM", 1, 2), "tick", 2.0, why=why, nudge=oldest)
    house.orders(
        [], "tick", 3.0, why="who was sent TERM is no longer on duty, and gets it once",
        nudge="There is a difference between there and on duty.",
    )  # fmt: skip
    for _ in range(4):
        house.orders([], "signal", "TTOU", why=why, nudge=nudge)
    house.orders(kills("TERM", 3), "tick", 4.0, why="never below one worker", nudge="max(1, …)")
    house.orders([], "signal", "TTIN", why=why, nudge=nudge)
    house.orders(
        spawns(5), "tick", 5.0, why="TTOU at one worker changes nothing, not even for later",
        nudge="Do not count below 1.",
    )  # fmt: skip


def check_dismissed(learner: Learner) -> None:
    """Judges a dismissed worker that hangs, and does not replace it."""
    house = House(learner, 2, 30.0)
    house.open()
    house.tell("signal", "TTOU")
    house.tell("tick", 1.0)
    house.tell("beat", 2, 30.0)
    why = "who hangs cannot obey TERM"
    nudge = "Judge everybody who is there, not only who is on duty."
    house.orders(kills("ABRT", 1), "tick", 31.0, why=why, nudge=nudge)
    house.orders([], "died", 1, -6, why=why, nudge=nudge)
    house.orders([], "tick", 32.0, why="one is wanted, one is on duty", nudge=nudge)


def check_hup(learner: Learner) -> None:
    """Reloads at HUP: all new ones first, then TERM for the old."""
    house = House(learner, 2)
    house.open()
    why = "HUP: the new are started before the old are told to go"
    nudge = "Look who is on duty first, then spawn, then dismiss those."
    new, old = spawns(3, 4), kills("TERM", 1, 2)
    house.orders(new + old, "signal", "HUP", why=why, nudge=nudge)
    house.orders([], "tick", 1.0, why="two new ones are on duty", nudge=nudge)
    house.orders([], "died", 1, 0, why=why, nudge=nudge)
    house.orders([], "tick", 2.0, why="a dismissed worker is not replaced", nudge=nudge)
    again = spawns(5, 6) + kills("TERM", 3, 4)
    house.orders(
        again, "signal", "HUP", why="worker 2 was dismissed before, and gets TERM once", nudge=nudge
    )
    house.tell("signal", "TTIN")
    house.orders(
        spawns(7, 8, 9) + kills("TERM", 5, 6), "signal", "HUP",
        why="as many new ones as there should be, not as many as there were", nudge=nudge,
    )  # fmt: skip


def check_term(learner: Learner) -> None:
    """Closes at TERM: dismisses all, hires nobody, exits when the last one is gone."""
    house = House(learner, 2, 30.0)
    house.open()
    why = "TERM: finish what runs, then end"
    nudge = "Remember that the house is closing, and with which code."
    house.orders(kills("TERM", 1, 2), "signal", "TERM", why=why, nudge=nudge)
    house.orders([], "signal", "TERM", why="each worker gets TERM once", nudge=nudge)
    house.orders([], "signal", "HUP", why="a house that closes takes no new menu", nudge=nudge)
    house.orders([], "tick", 1.0, why="nobody is hired any more", nudge=nudge)
    house.orders([], "died", 1, 0, why="worker 2 is still there", nudge=nudge)
    house.orders([], "tick", 30.0, why="nobody is hired any more", nudge=nudge)
    house.orders(kills("ABRT", 2), "tick", 31.0, why="the silent are still judged", nudge=nudge)
    house.orders(kills("KILL", 2), "tick", 32.0, why="the silent are still judged", nudge=nudge)
    house.orders([("exit", 0)], "died", 2, -9, why=why, nudge="When nobody is there any more.")
    house = House(learner, 2)
    house.orders([("exit", 0)], "signal", "TERM", why="nobody is there to wait for", nudge=nudge)


def check_boot(learner: Learner) -> None:
    """Closes with code 3 when a worker cannot start."""
    house = House(learner, 3)
    house.open(3)
    house.orders(
        [], "died", 1, 1, why="any other code is an ordinary death", nudge="Only 3 is special."
    )
    house.orders(spawns(4), "tick", 1.0, why="it is replaced", nudge="Only 3 is special.")
    why = "a worker that cannot start would fail for ever: fork, fail, fork, fail …"
    nudge = "The same as TERM, with another code for the exit."
    house.orders(kills("TERM", 2, 3), "died", 4, 3, why=why, nudge=nudge)
    house.orders([], "tick", 2.0, why=why, nudge=nudge)
    house.orders([], "signal", "TERM", why="it closes already", nudge=nudge)
    house.orders([], "died", 3, 3, why="it closes already", nudge=nudge)
    first = "The code of the first reason."
    house.orders([("exit", 3)], "died", 2, 0, why="whichever came first decides", nudge=first)
    house = House(learner, 1)
    house.open(1)
    house.orders([("exit", 3)], "died", 1, 3, why="it was the last one", nudge=first)
    house = House(learner, 1)
    house.open(1)
    house.tell("signal", "TERM")
    house.orders([("exit", 0)], "died", 1, 3, why="whichever came first decides", nudge=first)
