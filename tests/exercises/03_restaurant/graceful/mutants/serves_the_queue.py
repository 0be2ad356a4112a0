# Serves everybody who waits in the accept queue before it ends.
# Message: called SIGTERM while 1 client is inside and 1 waits
# Message: why nobody is accepted after SIGTERM

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
        while listener in select.select([listener], [], [], 0)[0]:
            with listener.accept()[0] as connection:
                handle(connection)
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
