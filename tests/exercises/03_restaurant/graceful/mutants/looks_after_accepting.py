# Looks at the bell only after it has accepted one more, whom it sends away.
# Message: sent b'early\n' to serve(listener)
# Message: expected b'served by the next process\n'
# Message: why who is not accepted is not lost

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
                if signals:
                    break
                try:
                    handle(connection)
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
    return listener not in ready
