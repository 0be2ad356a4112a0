"""One condition, one deque, one count."""

import threading
from collections import deque


class Pool:
    def __init__(self, threads, waiting):
        self.most, self.unfinished, self.open = threads + waiting, 0, True
        self.jobs, self.change = deque(), threading.Condition()
        self.threads = [threading.Thread(target=self._live, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def submit(self, job):
        with self.change:
            if not self.open or self.unfinished == self.most:
                return False
            self.unfinished += 1
            self.jobs.append(job)
            self.change.notify()
        return True

    def close(self):
        with self.change:
            self.open = False
            self.change.notify_all()
        for thread in self.threads:
            thread.join()

    def _live(self):
        while True:
            with self.change:
                self.change.wait_for(lambda: self.jobs or not self.open)
                if not self.jobs:
                    return
                job = self.jobs.popleft()
            try:
                job()
            except Exception as error:
                print(f"a job failed: {error!r}")
            with self.change:
                self.unfinished -= 1
