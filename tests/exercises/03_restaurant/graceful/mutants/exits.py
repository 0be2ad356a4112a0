# Ends the whole program from the signal handler.
# Message: called SIGTERM to the idle server
# Message: came back serve raised SystemExit

import signal
import traceback


def serve(listener, handle):
    stopping = False  # never changes

    def on_term(number, frame):
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, on_term)
    while not stopping:
        connection, _ = listener.accept()
        with connection:
            try:
                handle(connection)
            except Exception:
                traceback.print_exc()
    return True
