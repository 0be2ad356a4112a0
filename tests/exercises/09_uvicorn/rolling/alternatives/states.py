"""One record for each worker; the roll is a list of the places that are left."""

from dataclasses import dataclass


@dataclass
class Worker:
    number: int
    place: int
    state: str = "starting"  # then "serving"; "leaving"
    replaces: bool = False


class Rolling:
    def __init__(self, workers):
        self.size, self.count, self.closing = workers, 0, None
        self.there = {}
        self.roll, self.wanted = [], False

    def hire(self, place, replaces=False):
        self.count += 1
        self.there[self.count] = Worker(self.count, place, replaces=replaces)
        return ("spawn", self.count)

    def begin(self):
        return [self.hire(place) for place in range(self.size)]

    def next(self):
        if not self.roll and self.wanted:
            self.wanted, self.roll = False, list(range(self.size))
        return [self.hire(self.roll[0], True)] if self.roll else []

    def holder(self, place):
        found = (w for w in self.there.values() if w.place == place and not w.replaces)
        return next((w for w in found if w.state != "leaving"), None)

    def signal(self, name):
        if self.closing is not None:
            return []
        if name == "TERM":
            return self.close(0)
        rolling, self.wanted = bool(self.roll), True
        return [] if rolling else self.next()

    def close(self, code):
        self.closing = code
        if not self.there:
            return [("exit", code)]
        return [("term", n) for n, w in sorted(self.there.items()) if w.state != "leaving"]

    def ready(self, number):
        worker = self.there[number]
        fresh, worker_was = worker.replaces, self.holder(worker.place)
        if self.closing is not None:
            worker.state = "serving"
            return []
        worker.state, worker.replaces = "serving", False
        if not fresh:
            return []
        if worker_was is None:
            self.roll.pop(0)
            return self.next()
        worker_was.state = "leaving"
        return [("term", worker_was.number)]

    def late(self, number):
        worker = self.there.get(number)
        return [("kill", number)] if worker and worker.state == "starting" else []

    def died(self, number, code):
        worker = self.there.pop(number)
        if self.closing is not None:
            return [] if self.there else [("exit", self.closing)]
        if worker.state == "leaving":
            self.roll.pop(0)
            return self.next()
        if worker.replaces:
            self.roll = []
            empty = [] if self.holder(worker.place) else [self.hire(worker.place)]
            return empty + self.next()
        if worker.state == "starting" and code == 3:
            return self.close(3)
        if any(w.replaces and w.place == worker.place for w in self.there.values()):
            return []
        return [self.hire(worker.place)]
