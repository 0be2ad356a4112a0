# Starts a thread for each job.
# Message: submit a, b, c, d, e, f, g
# Message: expected inside: a, b

"""Whiteboard: a pool of threads that says no."""

import contextlib
import queue
import threading
from collections.abc import Callable


class Pool:
    """`threads` threads do jobs; at most `waiting` jobs wait for a free one."""

    def __init__(self, threads: int, waiting: int) -> None:
        self.room = threading.Semaphore(threads + waiting)
        self.jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.closed = False
        self.threads: list[threading.Thread] = []

    def submit(self, job: Callable[[], object]) -> bool:
        """Take the job, or refuse it."""
        with self.lock:
            if self.closed or not self.room.acquire(blocking=False):
                return False
            self.threads.append(threading.Thread(target=self.work, args=(job,)))
            self.threads[-1].start()
            return True

    def close(self) -> None:
        """Take no more; return when all is done."""
        with self.lock:
            self.closed = True
        for thread in self.threads:
            thread.join()

    def work(self, job: Callable[[], object]) -> None:
        """The life of one thread."""
        with contextlib.suppress(Exception):
            job()
        self.room.release()
