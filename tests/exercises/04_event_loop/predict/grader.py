"""Grader of loop-predict: the programs of the shipped file are run, and nothing is known here."""

import asyncio
import runpy
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from minimal_servers import eventloop
from playground.grading import Learner
from playground.grading.house import hold_against, predictions

COURSE = Path(__file__).parents[4]
PROGRAMS = runpy.run_path(str(COURSE / "exercises" / "04_event_loop" / "predict.py"))
Program = Callable[..., Coroutine[Any, Any, None]]


def check_a(learner: Learner) -> None:
    """Program A: three cooks take turns."""
    why = "each sleep(0) gives the thread back; the step after the last one ends the coroutine"
    compare(learner, "A", ("cook",), why)


def check_b(learner: Learner) -> None:
    """Program B: one guest is a task, the other one is awaited."""
    why = "making a task runs nothing yet; what is awaited without a task is a part of the caller"
    compare(learner, "B", ("program_b",), why)


def check_c(learner: Learner) -> None:
    """Program C: the waiter awaits three dishes that are ready."""
    why = "await gives the thread back only if something in it really has to wait"
    compare(learner, "C", ("program_c",), why)


def check_d(learner: Learner) -> None:
    """Program D: somebody does not cooperate."""
    why = "nobody makes a step during a step; who begins later counts its seconds from then"
    compare(learner, "D", ("late", "rude"), why)


def check_e(learner: Learner) -> None:
    """Program E: one is cancelled, and the other one is left."""
    why = "cancel() only notes it: Cancelled is thrown at the next step, and is no Exception"
    compare(learner, "E", (), why)


def check_f(learner: Learner) -> None:
    """Program F: one dish burns, on two loops."""
    predicted = predictions(learner, ["F ours", "F asyncio"])
    program = PROGRAMS["program_f"]
    ours, _ = measure(lambda diary: program(diary, eventloop.sleep, eventloop.gather))
    theirs = on_asyncio(program)
    hold_against(
        predicted, {"F ours": number(ours), "F asyncio": number(theirs)}, called="program F",
        seen="ours is the loop of the course",
        why="one gather cancels the others at the first error and waits for their end; asyncio's"
        " lets them go on, and raises at once",
    )  # fmt: skip


def compare(learner: Learner, letter: str, counted: tuple[str, ...], why: str) -> None:
    """Take the predictions first, then run the program, then hold one against the other."""
    keys = [f"{letter} order", *([f"{letter} steps"] if counted else [])]
    predicted = predictions(learner, keys)
    diary, steps = measure(PROGRAMS[f"program_{letter.lower()}"])
    found = {f"{letter} order": number(diary), f"{letter} steps": sum(map(steps.get, counted), 0)}
    told = ", ".join(f"{name} {steps[name]}" for name in steps)
    hold_against(
        predicted, {key: found[key] for key in keys},
        called=f"program {letter}", seen=f"steps of each: {told}", why=why,
    )  # fmt: skip


def measure(program: Program) -> tuple[list[int], Counter[str]]:
    """The diary, and the steps of all tasks by the names of their coroutines."""
    diary: list[int] = []
    loop = Counting()
    eventloop.run(program(diary), loop)
    return diary, loop.steps


class Counting(eventloop.Loop):
    """Counts the steps."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: Counter[str] = Counter()

    def step(self, task: eventloop.Task) -> None:
        """One step, counted for the innermost name of its coroutine."""
        self.steps[task.what.rpartition(".")[2]] += 1
        super().step(task)


def on_asyncio(program: Program) -> list[int]:
    """The diary. In a thread of its own: where a notebook is graded, asyncio runs already."""
    diary: list[int] = []
    thread = threading.Thread(
        target=lambda: asyncio.run(program(diary, asyncio.sleep, asyncio.gather))
    )
    thread.start()
    thread.join()
    return diary


def number(diary: list[int]) -> int:
    """The digits, one after the other."""
    return int("".join(map(str, diary)))
