"""wait() in a loop; the handler of SIGTERM raises, and only while the parent waits."""

import contextlib
import os
import signal


class Stop(Exception):
    pass


def stop(number, frame):
    raise Stop


def serve(listener, handle, workers):
    forks = 0
    pids = []
    signal.signal(signal.SIGTERM, stop)
    with contextlib.suppress(Stop):
        while True:
            while len(pids) < workers:
                with deaf():
                    pids.append(start(listener, handle))
                    forks += 1
            pid = wait_for_one()
            pids.remove(pid)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    return forks - workers


@contextlib.contextmanager
def deaf():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def wait_for_one():
    pid, _ = os.wait()
    return pid


def start(listener, handle):
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        while True:
            connection = listener.accept()[0]
            with contextlib.closing(connection), contextlib.suppress(Exception):
                handle(connection)
    finally:
        os._exit(0)
