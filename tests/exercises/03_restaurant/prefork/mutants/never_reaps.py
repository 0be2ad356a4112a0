# Replaces the dead, but leaves them as zombies.
# Message: called kill -9 of the idle one of 2 workers
# Message: came back 1 old ones that are still there, alive or as zombies
# Message: why wait(2): a dead child stays a zombie until its parent asks

import os
import signal
import traceback

import psutil

SIGNALS = (signal.SIGTERM, signal.SIGCHLD)


def serve(listener, handle, workers):
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    children = {fork(listener, handle) for _ in range(workers)}
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
    return [pid for pid in children if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE]


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
