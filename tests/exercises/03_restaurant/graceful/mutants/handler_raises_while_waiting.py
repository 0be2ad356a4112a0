# Raises only while it waits, but that includes the moment right after accept().
# Message: sent b'quick\n' to serve(listener)
# Message: why a client that was accepted is served to the end
# Message: expected b'quick was served\n'

import signal
import traceback


class Stop(BaseException):
    pass


def serve(listener, handle):
    waiting = stopping = False

    def on_term(number, frame):
        nonlocal stopping
        if waiting or stopping:
            raise Stop
        stopping = True

    signal.signal(signal.SIGTERM, on_term)
    try:
        while not stopping:
            waiting = True
            connection, _ = listener.accept()
            waiting = False
            with connection:
                try:
                    handle(connection)
                except Exception:
                    traceback.print_exc()
        return True
    except Stop:
        return not stopping
