"""Ctrl-C is heard wherever it comes.

Python raises KeyboardInterrupt between any two steps of the main thread. If that is in a callback
of a weak reference, in `__del__` or as a generator is thrown away, it prints a traceback, forgets
the interrupt and goes on (Library Reference, `sys.unraisablehook`).
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

AGAIN_S = 0.01


def hear_everywhere() -> None:
    """From now on an interrupt that Python would forget comes again, a moment later.

    For a program of its own, in its main thread: it uses SIGALRM.
    """
    others = sys.unraisablehook

    def ignored(what: UnraisableHookArgs) -> None:
        if not issubclass(what.exc_type, KeyboardInterrupt):
            others(what)
        elif not sys.is_finalizing():
            # subtle: an interrupt raised here would be forgotten too, so the clock sends it
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)

    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.unraisablehook = ignored
