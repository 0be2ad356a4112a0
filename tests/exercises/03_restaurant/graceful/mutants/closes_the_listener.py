# Closes the listener, and with it the accept queue: those who waited are reset.
# Message: came back a client that was not served is not in the accept queue any more
# Message: nudge Leave the listener open

import select
import signal
import socket
import traceback


class Now(BaseException):
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
                except Exception:
                    traceback.print_exc()
        listener.close()
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
