"""The standard library's pool, with a count around it."""

import threading
from concurrent.futures import ThreadPoolExecutor


class Pool:
    def __init__(self, threads, waiting):
        self.executor = ThreadPoolExecutor(threads)
        self.room = threading.BoundedSemaphore(threads + waiting)
        self.lock, self.open = threading.Lock(), True

    def submit(self, job):
        with self.lock:
            taken = self.open and self.room.acquire(blocking=False)
            if taken:
                future = self.executor.submit(job)
                future.add_done_callback(lambda _: self.room.release())
            return taken

    def close(self):
        with self.lock:
            self.open = False
        self.executor.shutdown()
