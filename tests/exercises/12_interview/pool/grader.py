"""Grader of whiteboard-pool: jobs that stay at a gate, and a look at who is inside together."""

from __future__ import annotations

import time
from typing import NoReturn

from playground.grading import Gate, Learner, fresh
from playground.grading.verdict import Failed, Message
from playground.patience import at_rest

TOGETHER = "a thread does one job at a time"
BOUND = "taken as long as fewer than threads + waiting are unfinished"
LOOKS = 20  # in a row, at threads that should sleep
GRACE_S = 0.1  # in which a pool that does too much shows it; no verdict against a right one
HELP = """
import sys, threading

def make(enter):
    class Help:
        def job(self, name):
            def job():
                if name == "fail":
                    raise ValueError("this job only complains")
                if name != "quick":
                    enter(name)
            return job

        def submit(self, pool, *names):
            "All of them before any other thread runs Python code."
            jobs = [self.job(name) for name in names]
            before = sys.getswitchinterval()
            sys.setswitchinterval(60.0)
            try:
                return [pool.submit(job) for job in jobs]
            finally:
                sys.setswitchinterval(before)

        def close(self, pool):
            def run():
                try:
                    pool.close()
                except BaseException as error:
                    enter(f"close raised {type(error).__name__}: {error}")
                else:
                    enter("closed")
            threading.Thread(target=run, daemon=True).start()

    return Help()
"""


class House:
    """The learner's pool, and jobs that wait at a gate."""

    def __init__(self, learner: Learner, gate: Gate, threads: int, waiting: int) -> None:
        self.learner, self.gate = learner, gate
        self.help = learner.define(HELP, "make")(gate.handler(learner))
        self.before = learner.process().num_threads()
        self.said = f"pool = Pool({threads}, {waiting})"
        self.pool = learner.obtain("Pool", threads, waiting)

    def fail(
        self, called: str, got: str, expected: str, *, why: str = "", nudge: str = ""
    ) -> NoReturn:
        """Fail with where the threads stand."""
        got = got.replace(" inside your server", "")  # says the gate
        message = Message(called, got, expected, why, nudge, stacks=self.learner.stacks())
        raise Failed(message)

    def submits(self, *names: str, taken: int, why: str = BOUND, nudge: str = "") -> None:
        """Submit jobs, one right after the other; fail unless the first `taken` are taken."""
        self.said += f", submit {', '.join(names)}"
        expected = [number < taken for number in range(len(names))]
        with self.learner.telling(self.said):
            found = self.help.call("submit", self.pool, *names)
        if not all(type(one) is bool for one in found) or found != expected:
            self.fail(self.said, f"returned {found!r}", f"{expected!r}", why=why, nudge=nudge)

    def has_room(self, name: str, why: str) -> None:
        """Fail unless this job is taken, as soon as the job before is really over."""
        self.said += f", submit {name}"
        patience, is_over = self.learner.patience(), False
        while not self.help.call("submit", self.pool, name)[0]:
            if is_over:
                self.fail(self.said, "refused", "taken", why=why,
                          nudge="What gives the place back when a job is over?")  # fmt: skip
            time.sleep(0.01)
            is_over = patience.over()

    def inside(self, *names: str, why: str = TOGETHER, nudge: str = "") -> None:
        """Fail unless exactly these are inside."""
        self.gate.wait_for(len(names), self, self.said, why=why, nudge=nudge)  # type: ignore[arg-type]
        found = sorted(self.names())
        if found != sorted(names) or self.gate.someone_comes(GRACE_S):
            more = "" if found != sorted(names) else ", and one more"
            self.fail(self.said, f"inside: {', '.join(found)}{more}",
                      f"inside: {', '.join(sorted(names))}", why=why, nudge=nudge)  # fmt: skip

    def names(self) -> list[str]:
        """Who is inside."""
        return [visit.label[2:-3] for visit in self.gate.inside]

    def leaves(self, name: str) -> None:
        """Let a job go on to its end."""
        self.said += f", {name} is done"
        self.gate.leave(next(v for v in self.gate.inside if v.label[2:-3] == name))

    def closes(self) -> None:
        """Begin to close; the gate hears of the end."""
        self.said += ", close()"
        self.help.call("close", self.pool)

    def closed(self, why: str, nudge: str = "") -> None:
        """Fail unless close has returned, and no thread is left."""
        self.inside("closed", why=why, nudge=nudge)
        self.leaves("closed")
        self.settles(self.before, "all threads have ended when close returns")

    def settles(self, expected: int, why: str) -> None:
        """Fail unless there are so many threads."""
        patience, is_over = self.learner.patience(), False
        while (found := self.learner.process().num_threads()) != expected:
            if is_over:
                self.fail(self.said, f"{found - self.before} threads more than before the pool",
                          f"{expected - self.before}", why=why)  # fmt: skip
            time.sleep(0.01)
            is_over = patience.over()


@fresh
def check_one(learner: Learner) -> None:
    """A job is done in a thread of the pool, and the next one after it."""
    with Gate() as gate:
        house = House(learner, gate, 1, 0)
        house.submits("soup", taken=1)
        house.inside("soup", nudge="Who takes the jobs?")
        if gate.inside[0].thread == learner.pid:
            house.fail(house.said, "done in the thread that called submit", "in one of the pool",
                       why="submit returns at once")  # fmt: skip
        house.leaves("soup")
        house.has_room("fish", why="the only thread is free again")
        house.inside("fish")


@fresh
def check_together(learner: Learner) -> None:
    """Three threads do three jobs at the same time, and the last one may end first."""
    with Gate() as gate:
        house = House(learner, gate, 3, 0)
        house.submits("soup", "fish", "cake", taken=3)
        house.inside("soup", "fish", "cake")
        house.settles(house.before + 3, "as many threads as jobs at the same time")
        if len({visit.thread for visit in gate.inside}) != 3:
            house.fail(house.said, "not each in a thread of its own", "3 threads", why=TOGETHER)
        for name in ("cake", "fish", "soup"):
            house.leaves(name)
        house.has_room("tea", why="all threads are free again")
        house.inside("tea")


@fresh
def check_refuses(learner: Learner) -> None:
    """Takes threads + waiting jobs and no more, also when all of them come at once."""
    with Gate() as gate:
        house = House(learner, gate, 2, 3)
        house.submits("a", "b", "c", "d", "e", "f", "g", taken=5,
                      nudge="A free thread may be about to take what is in the queue.")  # fmt: skip
        house.inside("a", "b", why=f"{TOGETHER}; the others wait")
        house.settles(house.before + 2, "there are never more threads")
        house.submits("f", "g", taken=0)


@fresh
def check_in_order(learner: Learner) -> None:
    """Who waits is served in the order of coming, and each end makes room for one more."""
    with Gate() as gate:
        house = House(learner, gate, 1, 2)
        house.submits("a", "b", "c", "d", taken=3)
        house.inside("a")
        for done, begins, comes in (("a", "b", "d"), ("b", "c", "e"), ("c", "d", "f")):
            house.leaves(done)
            house.inside(begins, why="jobs begin in the order in which they came")
            house.has_room(comes, why="one is done, so there is room for one")
            house.submits("x", taken=0, why=f"one is done, so there is room for one. {BOUND}")


@fresh
def check_nobody_waits(learner: Learner) -> None:
    """With waiting=0 a job is taken by a free thread, or refused."""
    with Gate() as gate:
        house = House(learner, gate, 2, 0)
        house.submits("a", "b", "c", taken=2, nudge="queue.Queue(0) has no bound at all.")
        house.inside("a", "b")
        house.submits("c", taken=0)


@fresh
def check_failing(learner: Learner) -> None:
    """A job that raises costs neither a thread nor a place."""
    with Gate() as gate:
        house = House(learner, gate, 2, 0)
        for _ in range(4):
            house.has_room("fail", why="a job that raised is over, and its place is free")
        house.has_room("soup", why="a job that raised is over, and its place is free")
        house.has_room("fish", why="a job that raised is over, and its place is free")
        house.inside("soup", "fish", why="an exception that leaves the function of a thread ends"
                     " the thread for good", nudge="Catch Exception around the job.")  # fmt: skip


@fresh
def check_sleeps(learner: Learner) -> None:
    """Idle threads sleep."""
    with Gate() as gate:
        house = House(learner, gate, 2, 1)
        house.has_room("quick", why=BOUND)
        patience, is_over, asleep = learner.patience(), False, 0
        while asleep < LOOKS:
            if is_over:
                house.fail(house.said, "the process is never at rest", "all threads sleep",
                           why="a thread that looks again and again takes time from the others",
                           nudge="`get` waits by itself.")  # fmt: skip
            time.sleep(0.005)
            asleep = asleep + 1 if at_rest([learner.pid]) else 0
            is_over = patience.over() and not asleep


@fresh
def check_close_idle(learner: Learner) -> None:
    """An idle pool closes at once, and again; then it refuses."""
    with Gate() as gate:
        house = House(learner, gate, 3, 1)
        for _ in range(2):
            house.closes()
            house.closed("nothing is to be done", "Who wakes up a thread that waits for a job?")
        house.submits("soup", taken=0, why="nobody would do it")


@fresh
def check_close_busy(learner: Learner) -> None:
    """close waits for all jobs that were taken, also for those that have not begun."""
    with Gate() as gate:
        house = House(learner, gate, 2, 3)
        house.submits("a", "b", "c", "d", taken=4)
        house.inside("a", "b")
        house.closes()
        house.inside("a", "b", why="close waits for the jobs that were taken",
                     nudge="join() every thread.")  # fmt: skip
        house.submits("e", taken=0, why="after close nothing is taken")
        done = "True from submit means that the job will be done"
        house.leaves("a")
        house.inside("b", "c", why=done, nudge="What tells a thread the end comes after the jobs.")
        house.leaves("b")
        house.inside("c", "d", why=done)
        house.leaves("d")
        house.inside("c", why="close waits for the last one")
        house.leaves("c")
        house.closed("all is done")
