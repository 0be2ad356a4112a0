"""Whiteboard: a pool of threads that says no.

A queue without a bound turns a busy minute into an hour of answers that nobody waits for any more.
A pool that refuses tells the client at once, and the load balancer may ask somebody else.
"""

from collections.abc import Callable


class Pool:
    """`threads` threads do jobs; at most `waiting` jobs wait for a free one.

        pool = Pool(threads=4, waiting=8)
        if not pool.submit(job):        # job: a function without arguments
            answer_503()
        pool.close()

    - At most `threads` jobs are done at the same time, by `threads` threads that do one after the
      other: there are never more of them. Jobs begin in the order in which they came.
    - `submit` returns at once. True: the job is taken, and will be done. False: it is refused.
    - A job is taken as long as fewer than `threads + waiting` taken ones are unfinished, whatever
      the threads are doing at that moment. `waiting` may be 0. After `close` none is taken.
    - An Exception of a job is the end of that job, and of nothing else.
    - `close` returns when all jobs that were taken are done and all threads have ended; with
      nothing to do, at once. It may be called again.
    - Idle threads sleep; they do not look again and again.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        raise NotImplementedError("your code")

    def submit(self, job: Callable[[], object]) -> bool:
        """Take the job, or refuse it."""
        raise NotImplementedError("your code")

    def close(self) -> None:
        """Take no more; return when all is done."""
        raise NotImplementedError("your code")
