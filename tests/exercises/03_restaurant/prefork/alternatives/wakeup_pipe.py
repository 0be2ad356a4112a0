"""Signals arrive as bytes in a pipe (set_wakeup_fd), as in the server of the chapter."""

import contextlib
import os
import signal


def serve(listener, handle, workers):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    pids = set()
    replaced = -workers
    stopping = False
    while not stopping:
        for _ in range(workers - len(pids)):
            pids.add(start(listener, handle))
            replaced += 1
        stopping = signal.SIGTERM in os.read(reader, 4096)
        pids -= {pid for pid in pids if os.waitpid(pid, os.WNOHANG)[0]} if not stopping else set()
    signal.set_wakeup_fd(-1)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    while pids:
        pids.discard(os.waitpid(-1, 0)[0])
    return replaced


def start(listener, handle):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        try:
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(Exception):
                    handle(connection)
        except BaseException:
            os._exit(2)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return pid
