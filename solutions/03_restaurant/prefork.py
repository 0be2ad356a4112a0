"""Several kitchens, one door: a parent that forks workers and replaces those that die."""

import os
import signal
import socket
import traceback
from collections.abc import Callable
from typing import NoReturn

Handle = Callable[[socket.socket], object]
SIGNALS = (signal.SIGTERM, signal.SIGCHLD)


def serve(listener: socket.socket, handle: Handle, workers: int) -> int:
    """Serve with `workers` forked processes until SIGTERM; return how many were replaced."""
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    children = {fork(listener, handle) for _ in range(workers)}
    replaced = 0
    while signal.sigwait(SIGNALS) != signal.SIGTERM:
        dead = reap(children)
        children.difference_update(dead)
        children.update(fork(listener, handle) for _ in dead)
        replaced += len(dead)
    for pid in children:
        os.kill(pid, signal.SIGTERM)  # not reaped yet, so the pid is still its own
    for pid in children:
        os.waitpid(pid, 0)
    return replaced


def reap(children: set[int]) -> list[int]:
    """The children that have ended, collected (one SIGCHLD may stand for several)."""
    return [pid for pid in children if os.waitpid(pid, os.WNOHANG) != (0, 0)]


def fork(listener: socket.socket, handle: Handle) -> int:
    """Start one worker; its pid.

    subtle: the signals stay blocked until the child has forgotten the parent's handlers.
    """
    pid = os.fork()
    if pid == 0:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        work(listener, handle)
    return pid


def work(listener: socket.socket, handle: Handle) -> NoReturn:
    """The life of a worker."""
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                attend(connection, handle)
    finally:
        os._exit(1)  # whatever happens here, there is only one parent


def attend(connection: socket.socket, handle: Handle) -> None:
    """Serve one party; what goes wrong is its own affair."""
    try:
        handle(connection)
    except Exception:
        traceback.print_exc()
