"""Grader of gunicorn-predict: every evening is run on a real Gunicorn, and nothing is known here.

What is measured is who was in the app together. A thread that could still run is waited for.
"""

import os
import select
import signal
import time
from collections.abc import Callable

from playground.grading import Learner
from playground.grading.house import House, hold_against, predictions

HALF = b"GET /slow HTTP/1.1\r\nHos"
PATIENCE_S = 20.0  # stops a hang


def check_a(learner: Learner) -> None:
    """Evening A: one process with three threads, 5 parties."""
    predicted = predictions(learner, ["A inside", "A waiting", "A rounds"])
    with House(1, 3, "gunicorn-gthread") as house:
        for name in "abcde":
            house.come(name)
        rounds, waiting = fill_and_empty(house)
        measured = {
            "A inside": max(map(len, rounds)), "A waiting": waiting, "A rounds": len(rounds),
        }  # fmt: skip
        hold_against(
            predicted, measured, called=f"{house.command}, 5 parties at once", seen=told(rounds),
            why="each thread serves one request at a time",
        )  # fmt: skip


def check_b(learner: Learner) -> None:
    """Evening B: TTIN, TTIN, TTOU, and 6 parties."""
    predicted = predictions(learner, ["B inside", "B waiting", "B processes"])
    with House(2, 1, "gunicorn-sync") as house:
        for name, workers in (("TTIN", 3), ("TTIN", 4), ("TTOU", 3)):
            house.server.signal(name)
            until(lambda workers=workers: len(house.server.pids()) == 1 + workers)
        for name in "abcdef":
            house.come(name)
        until(lambda: settled(house) and len(house.inside) >= len(house.server.pids()) - 1)
        pids = {guest.pid for guest in house.inside}
        measured = {
            "B inside": len(house.inside), "B waiting": len(house.waiting),
            "B processes": len(pids),
        }  # fmt: skip
        hold_against(
            predicted, measured, called=f"{house.command}, TTIN, TTIN, TTOU, 6 parties at once",
            seen="inside: " + " ".join(sorted(guest.name for guest in house.inside)),
            why="TTIN is one worker more, TTOU one less; sync: one request at a time each",
        )  # fmt: skip


def check_c(learner: Learner) -> None:
    """Evening C: half a request first, then 3 whole ones."""
    predicted = predictions(learner, ["C inside", "C rounds"])
    with House(2, 1, "gunicorn-sync") as house:
        slow = house.connect(HALF)
        house.settle()
        for name in "abc":
            house.come(name)
        rounds, _ = fill_and_empty(house)
        slow.close()
        measured = {"C inside": max(map(len, rounds)), "C rounds": len(rounds)}
        hold_against(
            predicted, measured, called=f"{house.command}, half a request, then 3 parties",
            seen=told(rounds), why="a sync worker reads the request itself, however slow",
        )  # fmt: skip


def check_d(learner: Learner) -> None:
    """Evening D: kill -9 of a worker that serves."""
    predicted = predictions(learner, ["D lost", "D inside"])
    with House(2, 1, "gunicorn-sync") as house:
        for name in "abc":
            house.come(name)
        until(lambda: settled(house) and len(house.inside) == 2)
        victim = house.inside[0]
        parties = [*house.inside, *house.waiting]
        os.kill(victim.pid, signal.SIGKILL)
        until(lambda: select.select([victim.connection], [], [], 0)[0])
        house.inside.remove(victim)
        until(lambda: settled(house) and not house.waiting)
        lost = select.select([guest.connection for guest in parties], [], [], 0)[0]
        hold_against(
            predicted, {"D lost": len(lost), "D inside": len(house.inside)},
            called=f"{house.command}, 3 parties, kill -9 of the worker that serves {victim.name}",
            seen="inside in the end: " + " ".join(sorted(guest.name for guest in house.inside)),
            why="who waits at the door is in the kernel's queue, and the dead worker is replaced",
        )  # fmt: skip
        victim.connection.close()


def check_e(learner: Learner) -> None:
    """Evening E: a worker that retires after two requests."""
    predicted = predictions(learner, ["E processes", "E lost"])
    with House(1, 1, "gunicorn-sync", options=["--max-requests=2"]) as house:
        pids, lost = [], 0
        for name in "abcde":
            house.come(name)
            until(lambda: settled(house) and house.inside)
            pids.append(house.inside[0].pid)
            try:
                house.leave(house.inside[0])
            except OSError:
                lost += 1
        order = " ".join(str(sorted(set(pids), key=pids.index).index(pid) + 1) for pid in pids)
        hold_against(
            predicted, {"E processes": len(set(pids)), "E lost": lost},
            called=f"{house.command}, 5 parties, one after the other",
            seen=f"served by process {order}", why="who comes in between waits at the door",
        )  # fmt: skip


def fill_and_empty(house: House) -> tuple[list[list[str]], int]:
    """The names of those inside, round by round, and how many waited during the first."""
    rounds: list[list[str]] = []
    waiting = 0
    while house.waiting:
        until(lambda: settled(house) and house.inside)
        rounds.append(sorted(guest.name for guest in house.inside))
        waiting = waiting if rounds[1:] else len(house.waiting)
        for guest in list(house.inside):
            house.leave(guest)
    return rounds, waiting


def settled(house: House) -> bool:
    """Wait until nobody else can come in for now."""
    house.settle()
    return True


def until(condition: Callable[[], object]) -> None:
    """Wait for it; the deadline only stops a hang."""
    limit = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"the evening did not settle within {PATIENCE_S:g} s")
        time.sleep(0.01)


def told(rounds: list[list[str]]) -> str:
    """The rounds in words."""
    return "; ".join(f"round {number}: {' '.join(who)}" for number, who in enumerate(rounds, 1))
