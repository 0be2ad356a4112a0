# The parent ends its whole process when it has forked, so nobody watches the workers.
# Message: came back the process exited by itself with code 0
# Message: nudge An exit code is no answer

import os
import signal
import traceback

SIGNALS = (signal.SIGTERM, signal.SIGCHLD)


def serve(listener, handle, workers):
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    children = {fork(listener, handle) for _ in range(workers)}
    os._exit(0)
    replaced = 0
    while signal.sigwait(SIGNALS) != signal.SIGTERM:
        dead = reap(children)
        children.difference_update(dead)
        children.update(fork(listener, handle) for _ in dead)
        replaced += len(dead)
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    for pid in children:
        os.waitpid(pid, 0)
    return replaced


def reap(children):
    return [pid for pid in children if os.waitpid(pid, os.WNOHANG) != (0, 0)]


def fork(listener, handle):
    pid = os.fork()
    if pid == 0:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        work(listener, handle)
    return pid


def work(listener, handle):
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    handle(connection)
                except Exception:
                    traceback.print_exc()
    finally:
        os._exit(1)
