"""Processes: a parent that forks workers, replaces the dead, reloads and stops (pre-fork).

Strategy
- The parent opens the listening socket and never serves. Each worker is a fork of it that loads the
  application for itself, so that a reload is nothing but a new generation of workers.
- A worker writes one byte into its own pipe when it is ready. The old generation is told to finish
  only when all of the new one is ready; if one of those dies instead, the old generation stays.
- All share one listening socket. While workers come and go, clients wait in its accept queue, and
  nobody is refused.
- The parent holds the only writing end of the lifeline, a pipe that every worker watches. When the
  parent is gone, however it went, the pipe reads as closed and the worker ends too.

SIGTERM: finish what runs, for at most ``grace`` seconds. SIGINT: the same, at most one second.
SIGHUP: reload.
"""

import logging
import os
import select
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
BOOT_FAILED = 3  # exit status when the application cannot be loaded, or its lifespan fails
LONG_LIFE = 1.0  # seconds; who dies younger than this is replaced after a growing delay
MAX_DELAY = 30.0  # seconds
TICK = 0.2  # seconds between two looks at the clock

log = logging.getLogger(__name__)
Ready = Callable[[], None]
Work = Callable[[int, Ready], None]  # (lifeline, ready): the whole life of a worker


class Worker:
    """What the parent knows about one child."""

    def __init__(self, generation: int, pipe: int) -> None:
        self.generation = generation
        self.pipe = pipe  # brings one byte when the worker is ready
        self.ready = False
        self.born = time.monotonic()
        self.deadline = float("inf")  # when to lose patience with it


class Arbiter:
    """The parent process."""

    def __init__(
        self, work: Work, count: int, grace: float, announce: Ready, close_door: Ready
    ) -> None:
        self.work = work
        self.count = count
        self.grace = grace  # seconds
        self.announce = announce  # called when the first generation is ready
        self.close_door = close_door  # called when the end begins
        self.workers: dict[int, Worker] = {}  # by pid, every child that has not been reaped
        self.serving = 0  # the generation that is ready; 0 while there is none
        self.wanted = 1  # the generation that is being started, or the one that serves
        self.delay = 0.0  # before the next replacement
        self.next_spawn = 0.0
        self.stopping = False
        self.status = 0
        self.lifeline, self.life = os.pipe()
        self.selector = selectors.DefaultSelector()
        self.alarm, self.bell = socket.socketpair()
        self.bell.setblocking(False)
        self.selector.register(self.alarm, selectors.EVENT_READ)

    def run(self) -> int:
        """Serve until a signal ends it. The exit status."""
        signal.set_wakeup_fd(self.bell.fileno())
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)  # the byte on the wake-up socket is the message
        while self.workers or not self.stopping:
            if not self.stopping:
                self.spawn_missing()
            self.listen()
            self.reap()
            self.lose_patience()
        return self.status

    def spawn_missing(self) -> None:
        """Bring each generation that should be there to its full number."""
        for generation in {self.serving, self.wanted} - {0}:
            for _ in range(self.count - len(self.pids(generation))):
                if generation != self.serving or time.monotonic() >= self.next_spawn:
                    self.spawn(generation)

    def spawn(self, generation: int) -> None:
        """Fork one worker.

        subtle: until the child has handlers of its own, a signal to it would ring the bell that it
        shares with the parent. So signals wait until that is settled.
        """
        pipe, ready = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if pid == 0:
            self.live(ready)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os.close(ready)
        self.workers[pid] = Worker(generation, pipe)
        self.selector.register(pipe, selectors.EVENT_READ, self.workers[pid])

    def live(self, ready: int) -> NoReturn:
        """The child: forget the parent's signals and files, then work."""
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGHUP):  # from the terminal, meant for the parent
            signal.signal(number, signal.SIG_IGN)
        for pipe in (self.life, *(worker.pipe for worker in self.workers.values() if worker.pipe)):
            os.close(pipe)
        self.selector.close()
        threading.Thread(target=self.mind_the_parent, daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # in this thread only

        def say_ready() -> None:
            os.write(ready, b"!")
            os.close(ready)

        self.work(self.lifeline, say_ready)
        sys.exit(0)

    def mind_the_parent(self) -> None:
        """In a worker: outlive the parent by no more than ``grace``, even in an endless request."""
        # subtle: read() would not wait, as soon as a worker's uvloop has watched the same pipe
        select.select([self.lifeline], [], [])  # returns when the parent is gone
        time.sleep(self.grace)
        os._exit(1)

    def listen(self) -> None:
        """Wait for a signal or a worker that is ready."""
        for key, _ in self.selector.select(TICK):
            if key.fileobj is self.alarm:
                for number in self.alarm.recv(4096):
                    self.handle(number)
            else:
                self.hear(key.data)

    def handle(self, number: int) -> None:
        """React to one signal."""
        if number in (signal.SIGTERM, signal.SIGINT):
            self.stopping = True
            with suppress(OSError):  # done before
                self.close_door()
            self.retire(list(self.workers), self.grace if number == signal.SIGTERM else 1.0)
        elif number == signal.SIGHUP and self.serving and not self.stopping:
            self.retire(self.pids(self.wanted) if self.wanted != self.serving else [], self.grace)
            self.wanted += 1
            self.next_spawn = 0.0
            log.warning("reloading")

    def hear(self, worker: Worker) -> None:
        """A worker is ready, or its pipe broke because it died."""
        worker.ready = bool(os.read(worker.pipe, 1))
        self.selector.unregister(worker.pipe)
        os.close(worker.pipe)
        worker.pipe = 0
        newcomers = [self.workers[pid] for pid in self.pids(self.wanted)]
        if self.wanted == self.serving or sum(w.ready for w in newcomers) < self.count:
            return
        if not self.serving:
            self.announce()
        self.serving = self.wanted
        old = [pid for pid, other in self.workers.items() if other.generation != self.serving]
        self.retire(old, self.grace)

    def reap(self) -> None:
        """Collect dead children, so that no zombie stays (waitpid(2))."""
        with suppress(ChildProcessError):
            while (death := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = death
                worker = self.workers.pop(pid)
                if worker.pipe:
                    self.selector.unregister(worker.pipe)
                    os.close(worker.pipe)
                code = os.waitstatus_to_exitcode(status)
                if self.stopping and code == BOOT_FAILED and worker.generation == self.serving:
                    self.status = code  # its last words are ours as well
                elif not self.stopping and worker.deadline == float("inf"):
                    self.mourn(pid, worker, code)

    def mourn(self, pid: int, worker: Worker, status: int) -> None:
        """Decide what an unexpected death means."""
        log.error("worker %d ended, %s %d", pid, "signal" if status < 0 else "status", abs(status))
        if worker.generation == self.serving:
            young = time.monotonic() - worker.born < LONG_LIFE or not worker.ready
            self.delay = min(max(0.5, 2 * self.delay), MAX_DELAY) if young else 0.0
            self.next_spawn = time.monotonic() + self.delay
        elif self.serving:
            log.error("the new code does not start: the old workers stay")
            self.retire(self.pids(self.wanted), self.grace)
            self.wanted = self.serving
        else:
            self.stopping = True
            self.status = BOOT_FAILED
            self.retire(list(self.workers), self.grace)

    def retire(self, pids: list[int], grace: float) -> None:
        """Tell workers to finish within ``grace`` seconds."""
        for pid in pids:
            worker = self.workers[pid]
            worker.deadline = min(worker.deadline, time.monotonic() + grace)
            os.kill(pid, signal.SIGTERM)  # not reaped yet, so the pid is still its own

    def lose_patience(self) -> None:
        """End those who did not finish in time."""
        for pid, worker in self.workers.items():
            if time.monotonic() >= worker.deadline:
                os.kill(pid, signal.SIGKILL)

    def pids(self, generation: int) -> list[int]:
        """The workers of one generation, without those that were told to finish."""
        wanted = [(pid, w) for pid, w in self.workers.items() if w.generation == generation]
        return [pid for pid, worker in wanted if worker.deadline == float("inf")]
