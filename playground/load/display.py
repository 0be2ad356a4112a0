"""Where a burst is shown: live in a notebook, as a rich rendering in a terminal."""

import sys
from typing import Any, Protocol

from playground.load.run import Run
from playground.setups.server import Server
from playground.trace.collector import Collector


class Shown(Protocol):
    """What shows a burst while it runs."""

    def finish(self, run: Run) -> None:
        """The burst has ended: leave its static picture."""


def begin(collector: Collector, server: Server, expected: int, title: str) -> Shown:
    """Show a burst of ``expected`` requests that is about to begin."""
    if not in_notebook():
        return InTerminal()
    try:
        from playground import views

        return views.live(collector, server, expected, title=title)
    except ImportError as problem:
        print(
            f"The live picture needs {problem.name or 'the widget'}, which is not installed here"
            " (run `make lab` once, or pip install anywidget). The static picture follows."
        )
        return InNotebook()


class InTerminal:
    """The picture at the end, in colours and characters."""

    def finish(self, run: Run) -> None:
        """Print it."""
        from rich.console import Console

        Console().print(run)


class InNotebook:
    """The static picture at the end."""

    def finish(self, run: Run) -> None:
        """Display it."""
        from IPython.display import display

        display(run)


def in_notebook() -> bool:
    """Whether this code runs in a kernel with a front end that draws."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None
