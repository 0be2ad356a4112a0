"""Timers: generators that sleep, on one thread that sleeps only when all of them do.

`time.sleep` in one of them would stop all. So who wants to sleep says so, with `yield 2.5`, and the
loop knows whom to wake up, and when. A heap tells it who is next (heapq).
"""

from collections.abc import Callable, Generator, Iterable


def run(
    generators: Iterable[Generator[float, None, None]],
    now: Callable[[], float],
    wait: Callable[[float], None],
) -> None:
    """Let the generators take turns, each when its time has come, until all are over.

    def cook(dish, seconds):
        print(dish, "into the oven")
        yield seconds
        print(dish, "out of the oven")

    run([cook("bread", 30), cook("pie", 20)], time.monotonic, time.sleep)
    # bread and pie in; waits 20 s; pie out; waits 10 s; bread out

    A turn is one next(). It yields the seconds, int or float, that the generator wants to sleep.
    They count from the end of the turn, as now() tells it; less than 0 counts as 0. So each
    generator has a deadline. At the beginning everybody's deadline is the moment when run() was
    called: the first turns come in the order of `generators`.

    - Nobody has a turn before its deadline.
    - The next turn is for the earliest deadline of all; of equal deadlines, for the one who asked
      first.
    - wait(seconds) is called only if no deadline has been reached, and for exactly as long as the
      earliest one is away. No wait(0), no small steps, no asking now() again and again instead.
    - wait() may come back too early or too late, as select(2) may: now() is what counts.
    - now() begins at any number and never goes back. It goes on during a turn: turns take time.
    """
    raise NotImplementedError("your code")
