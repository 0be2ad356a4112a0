# Raises from the signal handler, also in the middle of a request.
# Message: sent b'inside\n' to serve(listener)
# Message: came back the connection was closed
# Message: why SIGTERM asks for an end, and who is inside is served first

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
        if signals:
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
        return True
    except Now:
        return True
    finally:
        signal.set_wakeup_fd(old_rope)
        signal.signal(signal.SIGTERM, old_handler)
        bell.close()
        rope.close()


def stopped(listener, bell):
    ready, _, _ = select.select([listener, bell], [], [])
    return bell in ready
