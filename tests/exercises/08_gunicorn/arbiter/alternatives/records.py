"""One record for each worker, and one place that decides who hears what."""

from dataclasses import dataclass
from itertools import count


@dataclass
class Worker:
    """What is known about one."""

    number: int
    rang: float = float("inf")  # in the future: it cannot be late
    warned: bool = False
    leaving: bool = False


class Arbiter:
    """Keeps its workers in a list, the oldest first."""

    def __init__(self, workers, timeout):
        self.size = workers
        self.limit = timeout or float("inf")
        self.numbers = count(1)
        self.staff = []
        self.closing = False
        self.status = 0

    def beat(self, worker, now):
        for one in self.staff:
            if one.number == worker:
                one.rang = now

    def tick(self, now):
        orders = []
        for one in self.staff:
            if now - one.rang > self.limit:
                orders.append(("kill", one.number, "KILL" if one.warned else "ABRT"))
                one.warned = True
        if self.closing:
            return orders
        surplus = len(self.duty()) - self.size
        return orders + (self.hire(-surplus) if surplus < 0 else self.fire(self.duty()[:surplus]))

    def signal(self, name):
        match name:
            case "TTIN":
                self.size += 1
            case "TTOU" if self.size > 1:
                self.size -= 1
            case "HUP" if not self.closing:
                old = self.duty()
                return [*self.hire(self.size), *self.fire(old)]
            case "TERM" if not self.closing:
                return self.shut(0)
        return []

    def died(self, worker, code):
        self.staff = [one for one in self.staff if one.number != worker]
        if self.closing:
            return [] if self.staff else [("exit", self.status)]
        return self.shut(3) if code == 3 else []

    def shut(self, status):
        self.closing, self.status = True, status
        return self.fire(self.duty()) if self.staff else [("exit", status)]

    def duty(self):
        return [one for one in self.staff if not one.leaving]

    def hire(self, many):
        fresh = [Worker(next(self.numbers)) for _ in range(many)]
        self.staff += fresh
        return [("spawn", one.number) for one in fresh]

    def fire(self, ones):
        for one in ones:
            one.leaving = True
        return [("kill", one.number, "TERM") for one in ones]
