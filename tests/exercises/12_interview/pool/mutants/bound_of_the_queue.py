# The bound is that of the queue: a burst is refused although threads are free.
# Message: submit a, b, c, d, e, f, g
# Message: came back returned [True, True, True, False, False, False, False]
# Message: A free thread may be about to take

"""Whiteboard: a pool of threads that says no."""

import contextlib
import queue
import threading
from collections.abc import Callable


class Pool:
    """`threads` threads do jobs; at most `waiting` jobs wait for a free one."""

    def __init__(self, threads: int, waiting: int) -> None:
        self.room = threading.Semaphore(threads + waiting)
        self.jobs: queue.Queue[Callable[[], object] | None] = queue.Queue(waiting)
        self.lock = threading.Lock()
        self.closed = False
        self.threads = [threading.Thread(target=self.work) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def submit(self, job: Callable[[], object]) -> bool:
        """Take the job, or refuse it."""
        with self.lock:
            if self.closed:
                return False
            try:
                self.jobs.put_nowait(job)
            except queue.Full:
                return False
            return True

    def close(self) -> None:
        """Take no more; return when all is done."""
        with self.lock:
            self.closed = True
        for _ in self.threads:
            self.jobs.put(None)
        for thread in self.threads:
            thread.join()

    def work(self) -> None:
        """The life of one thread."""
        while (job := self.jobs.get()) is not None:
            with contextlib.suppress(Exception):
                job()
