"""What a terminal shows while something takes its time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager


def working(what: str) -> AbstractContextManager[object]:
    """Show `what` beside something that moves; nothing where standard error is no terminal."""
    from rich.console import Console

    return Console(stderr=True).status(what)


@contextlib.contextmanager
def advancing(what: str, shown: bool = True) -> Iterator[Callable[[float], None]]:
    """Show `what` beside a bar, on standard error, if that is a terminal and `shown` is true.

    Gives a function that is told the part that is done, from 0 to 1.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not (shown and console.is_terminal)
    ) as bar:
        task = bar.add_task(what, total=None)  # it is not known yet how much is done
        yield lambda part: bar.update(task, total=1.0, completed=part)
