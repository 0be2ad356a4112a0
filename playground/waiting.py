"""What a terminal shows while something takes its time."""

from __future__ import annotations

from contextlib import AbstractContextManager


def working(what: str) -> AbstractContextManager[object]:
    """Show `what` beside something that moves; nothing where standard error is no terminal."""
    from rich.console import Console

    return Console(stderr=True).status(what)
