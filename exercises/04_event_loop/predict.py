"""Six small programs on one thread: predict who writes what into the diary, and in how many steps.

- order: the digits of the diary, one after the other, as one number. First 1, then 2, then 1: 121.
- steps: how many steps the named coroutines make. One step goes from where a task is continued to
  where it gives the thread back, or ends.

Write a whole number for each None. A check runs the programs as they stand here, on the loop of the
course (program F on asyncio as well), and shows the measurement beside your prediction.
"""

import time
from collections.abc import Callable
from typing import Any

from minimal_servers.eventloop import Cancelled, Task, gather, sleep

PREDICTIONS = {
    "A order": None,
    "A steps": None,  # of the three cooks together
    "B order": None,
    "B steps": None,  # of program_b itself, with all that runs as a part of it
    "C order": None,
    "C steps": None,  # of program_c itself
    "D order": None,
    "D steps": None,  # of rude and the three lates together
    "E order": None,
    "F ours": None,  # the order, with sleep and gather of minimal_servers.eventloop
    "F asyncio": None,  # the order, with asyncio.sleep and asyncio.gather
}


async def program_a(diary: list[int]) -> None:
    """Three cooks take turns."""

    async def cook(number: int, dishes: int) -> None:
        for _ in range(dishes):
            diary.append(number)
            await sleep(0)

    await gather(cook(1, 3), cook(2, 1), cook(3, 2))


async def program_b(diary: list[int]) -> None:
    """One guest is a task, the other one is awaited."""

    async def guest(number: int) -> None:
        diary.append(number)
        await sleep(0)
        diary.append(number)

    task = Task(guest(1))
    await guest(2)
    diary.append(3)
    await task
    diary.append(4)


async def program_c(diary: list[int]) -> None:
    """The waiter awaits three dishes that are ready."""

    async def dish(number: int) -> None:
        diary.append(number)

    Task(dish(9))
    for number in (1, 2, 3):
        await dish(number)
    diary.append(4)
    await sleep(0)
    diary.append(5)


async def program_d(diary: list[int]) -> None:
    """Somebody does not cooperate."""

    async def late(number: int, seconds: float) -> None:
        await sleep(seconds)
        diary.append(number)

    async def rude() -> None:
        time.sleep(0.2)
        diary.append(9)

    await gather(late(1, 0.15), late(2, 0.05), rude(), late(3, 0.1))


async def program_e(diary: list[int]) -> None:
    """One is cancelled, and the other one is left when the program ends."""

    async def careful(number: int) -> None:
        try:
            await sleep(60)
        except Exception:
            diary.append(8)
        finally:
            diary.append(number)
            await sleep(0)
            diary.append(number)

    first, _second = Task(careful(1)), Task(careful(2))
    await sleep(0)
    first.cancel()
    diary.append(3)
    try:
        await first
    except Cancelled:
        diary.append(4)


async def program_f(
    diary: list[int], sleep: Callable[..., Any], gather: Callable[..., Any]
) -> None:
    """One dish burns."""

    async def cook(number: int, turns: int) -> None:
        for _ in range(turns):
            await sleep(0)
        if number == 2:
            raise ValueError("burnt")
        diary.append(number)

    try:
        await gather(cook(1, 1), cook(2, 2), cook(3, 5))
    except ValueError:
        diary.append(4)
    for _ in range(20):
        await sleep(0)
