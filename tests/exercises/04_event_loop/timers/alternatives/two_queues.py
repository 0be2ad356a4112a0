"""Sleepers in a heap of lists that compare themselves; who is due moves to a queue first."""

import heapq
from collections import deque


class Sleeper:
    number = 0

    def __init__(self, deadline, generator):
        Sleeper.number += 1
        self.number = Sleeper.number
        self.deadline = deadline
        self.generator = generator

    def __lt__(self, other):
        return (self.deadline, self.number) < (other.deadline, other.number)


def run(generators, now, wait):
    start = now()
    sleepers = [Sleeper(start, generator) for generator in generators]
    heapq.heapify(sleepers)
    due = deque()
    while due or sleepers:
        time = now()
        while sleepers and sleepers[0].deadline <= time:
            due.append(heapq.heappop(sleepers))
        if not due:
            wait(sleepers[0].deadline - time)
            continue
        sleeper = due.popleft()
        seconds = next(sleeper.generator, None)
        if seconds is not None:
            heapq.heappush(sleepers, Sleeper(now() + max(seconds, 0), sleeper.generator))
