# Leaves its own handler of SIGTERM behind.
# Message: called signal.getsignal(SIGTERM) after serve has returned
# Message: came back another handler

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

    signal.signal(signal.SIGTERM, on_term)
    old_rope = signal.set_wakeup_fd(rope.fileno())
    try:
        while not stopped(listener, bell):
            connection, _ = listener.accept()
            with connection:
                try:
                    handle(connection)
                except Exception:
                    traceback.print_exc()
        return True
    except Now:
        return False
    finally:
        signal.set_wakeup_fd(old_rope)
        bell.close()
        rope.close()


def stopped(listener, bell):
    ready, _, _ = select.select([listener, bell], [], [])
    return bell in ready
