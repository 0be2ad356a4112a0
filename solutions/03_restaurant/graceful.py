"""Closing time: no new guests, and nobody is thrown out over the main course."""

import select
import signal
import socket
import traceback
from collections.abc import Callable

Handle = Callable[[socket.socket], object]


class Now(BaseException):
    """The second SIGTERM. No Exception, so that `handle` does not catch it."""


def serve(listener: socket.socket, handle: Handle) -> bool:
    """Serve one at a time until SIGTERM, then end gracefully; return whether that was possible."""
    bell, rope = socket.socketpair()
    rope.setblocking(False)
    signals = 0

    def on_term(number: int, frame: object) -> None:
        nonlocal signals
        signals += 1
        if signals == 2:
            raise Now

    old_handler = signal.signal(signal.SIGTERM, on_term)
    old_rope = signal.set_wakeup_fd(rope.fileno())
    try:
        while not stopped(listener, bell):
            connection, _ = listener.accept()
            with connection:
                attend(connection, handle)
        return True
    except Now:
        return False
    finally:
        signal.set_wakeup_fd(old_rope)
        signal.signal(signal.SIGTERM, old_handler)
        bell.close()
        rope.close()


def stopped(listener: socket.socket, bell: socket.socket) -> bool:
    """Wait for a client or for SIGTERM; True for SIGTERM.

    subtle: every signal writes its number into the bell, before Python runs any handler.
    """
    while True:
        ready, _, _ = select.select([listener, bell], [], [])
        if bell not in ready:
            return False
        if signal.SIGTERM in bell.recv(4096):
            return True


def attend(connection: socket.socket, handle: Handle) -> None:
    """Serve one party; what goes wrong is its own affair."""
    try:
        handle(connection)
    except Exception:
        traceback.print_exc()
