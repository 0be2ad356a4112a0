# Raises an ordinary Exception, which a handle may catch.
# Message: called 2 times SIGTERM while a handle that catches Exception runs
# Message: came back serve returned True

import select
import signal
import socket
import traceback


class Now(Exception):
    pass


def serve(listener, handle):
    bell, rope = socket.socketpair()
    rope.setblocking(False)
    signals = 0

    def on_term(number, frame):
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
                try:
                    handle(connection)
                except Now:
                    raise
                except Exception:
                    traceback.print_exc()
        return True
    except Now:
        return False
    finally:
        signal.set_wakeup_fd(old_rope)
        signal.signal(signal.SIGTERM, old_handler)
        bell.close()
        rope.close()


def stopped(listener, bell):
    ready, _, _ = select.select([listener, bell], [], [])
    return bell in ready
