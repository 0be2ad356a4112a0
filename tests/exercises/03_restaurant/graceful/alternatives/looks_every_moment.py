"""No bell: wait for a twentieth of a second at a time, and look at the flag in between."""

import signal
import sys


class Enough(KeyboardInterrupt):
    pass


class State:
    asked = 0

    def ask(self, number, frame):
        self.asked += 1
        if self.asked > 1:
            raise Enough


def serve(listener, handle):
    state = State()
    before = signal.signal(signal.SIGTERM, state.ask)
    timeout = listener.gettimeout()
    listener.settimeout(0.05)
    try:
        while not state.asked:
            serve_next(listener, handle)
    except Enough:
        return False
    finally:
        listener.settimeout(timeout)
        signal.signal(signal.SIGTERM, before)
    return True


def serve_next(listener, handle):
    try:
        connection, _ = listener.accept()
    except TimeoutError:
        return
    connection.settimeout(None)
    try:
        handle(connection)
    except Exception as error:
        print(error, file=sys.stderr)
    finally:
        connection.close()
