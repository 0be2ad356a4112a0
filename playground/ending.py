"""The end of a server with kernels: asked for once, sure to come.

Jupyter Server 2.x and Voilà 0.5 end when all their kernels have been asked to; one that cannot be
asked (it was just restarted, its process is stopped) may keep them for ever.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable

import psutil

ENDS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
GRACE_S = 30.0  # from the first signal on; Jupyter gives each kernel 5 of them


def end_on_signals(ask: Callable[[], None], grace_s: float = GRACE_S) -> None:
    """Let Ctrl-C, SIGTERM and SIGHUP call `ask`, which makes this process end in its own way.

    A second signal, or `grace_s` seconds, kill its children and end it with exit code 1.
    """

    def first(*_: object) -> None:
        for number in ENDS:
            signal.signal(number, lambda *_: _end_now("at once, as you asked"))
        timer = threading.Timer(grace_s, _end_now, [f"{grace_s:g} s after it was asked to"])
        timer.daemon = True
        timer.start()
        _say("Ending; Ctrl-C again ends it at once.")
        ask()

    for number in ENDS:
        signal.signal(number, first)


def _end_now(when: str) -> None:
    """Kill the kernels, say so and go; what they have started ends as it loses its parent."""
    kernels = psutil.Process().children()
    for kernel in kernels:
        with contextlib.suppress(psutil.NoSuchProcess):
            kernel.kill()
    _say(f"Ended {when}, kernels killed: {len(kernels)}")
    os._exit(1)


def _say(sentence: str) -> None:
    """Write it past all buffers, which may be in use, and without waiting for who reads it.

    subtle: whether it waits is a property of the terminal, which the shell shares: it is put back.
    """
    stderr = sys.stderr.fileno()
    waits = os.get_blocking(stderr)
    os.set_blocking(stderr, False)
    with contextlib.suppress(OSError):
        os.write(stderr, f"{sentence}\n".encode())
    os.set_blocking(stderr, waits)
