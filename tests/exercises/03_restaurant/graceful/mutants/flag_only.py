# Sets a flag and sleeps on in accept().
# Message: called SIGTERM to the idle server
# Message: came back serve is still running
# Message: why PEP 475

import signal
import traceback


def serve(listener, handle):
    stopping = False

    def on_term(number, frame):
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, on_term)
    while not stopping:
        connection, _ = listener.accept()
        with connection:
            try:
                handle(connection)
            except Exception:
                traceback.print_exc()
    return True
