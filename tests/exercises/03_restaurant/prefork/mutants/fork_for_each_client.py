# Forks a process for each client instead of workers that stay.
# Message: came back 0 child processes
# Message: expected 1 child processes
# Message: why fork(2): one child for each worker

import os
import signal


def serve(listener, handle, workers):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listener.accept()
        with connection:
            if os.fork() == 0:
                handle(connection)
                os._exit(0)
