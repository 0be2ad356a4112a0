"""A pipe wakes up the selector; what the handler wrote down decides."""

import contextlib
import os
import selectors
import signal


class Dropped(BaseException):
    pass


def serve(listener, handle):
    reader, writer = os.pipe()
    asked = []

    def on_term(number, frame):
        asked.append(number)
        if len(asked) > 1:
            raise Dropped

    os.set_blocking(writer, False)
    former = signal.signal(signal.SIGTERM, on_term)
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            selector.register(listener, selectors.EVENT_READ)
            while not asked:
                events = {key.fileobj for key, _ in selector.select()}
                if reader in events:
                    os.read(reader, 512)
                elif listener in events:
                    client, _ = listener.accept()
                    with client, contextlib.suppress(Exception):
                        handle(client)
    except Dropped:
        return False
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGTERM, former)
        os.close(reader)
        os.close(writer)
    return True
