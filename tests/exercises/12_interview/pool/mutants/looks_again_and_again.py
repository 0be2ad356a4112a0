# Threads that look for a job all the time.
# Message: the process is never at rest

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
        self.threads = [threading.Thread(target=self.work) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def submit(self, job: Callable[[], object]) -> bool:
        """Take the job, or refuse it."""
        with self.lock:
            if self.closed or not self.room.acquire(blocking=False):
                return False
            self.jobs.put(job)
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
        while True:
            try:
                job = self.jobs.get_nowait()
            except queue.Empty:
                continue
            if job is None:
                return
            with contextlib.suppress(Exception):
                job()
            self.room.release()
