# Exits with 0 although no worker could start.
# Message: why whichever came first decides
# Message: expected [('exit', 3)]

"""The one who serves nobody: the arbiter of a pre-fork server, as decisions."""

BOOT_ERROR = 3


class Arbiter:
    """Decide what to do about `workers` workers, who may be silent for `timeout` seconds."""

    def __init__(self, workers: int, timeout: float) -> None:
        self.wanted = workers
        self.timeout = timeout
        self.last = 0  # the number of the last worker
        self.beats: dict[int, float | None] = {}  # who is there; None: has not rung yet
        self.aborted: set[int] = set()
        self.dismissed: set[int] = set()
        self.code: int | None = None  # with which to exit; None: open

    def beat(self, worker: int, now: float) -> None:
        """A worker has rung its bell."""
        if worker in self.beats:
            self.beats[worker] = now

    def tick(self, now: float) -> list[tuple]:
        """Judge the silent, then hire or dismiss."""
        orders = self.judge(now)
        if self.code is None:
            duty = self.on_duty()
            orders += self.spawn(self.wanted - len(duty))
            orders += self.dismiss(duty[: max(0, len(duty) - self.wanted)])
        return orders

    def signal(self, name: str) -> list[tuple]:
        """What somebody asks for."""
        if name == "TTIN":
            self.wanted += 1
        if name == "TTOU":
            self.wanted = max(1, self.wanted - 1)
        if name == "HUP" and self.code is None:
            old = self.on_duty()
            return self.spawn(self.wanted) + self.dismiss(old)
        if name == "TERM":
            orders = self.close(0)
            self.code = 0
            return orders
        return []

    def died(self, worker: int, code: int) -> list[tuple]:
        """A worker is gone."""
        del self.beats[worker]
        orders = self.close(BOOT_ERROR) if code == BOOT_ERROR else []
        if self.code is not None and not self.beats:
            return [("exit", self.code)]
        return orders

    def on_duty(self) -> list[int]:
        """Who is there and was not dismissed, the oldest first."""
        return [worker for worker in self.beats if worker not in self.dismissed]

    def judge(self, now: float) -> list[tuple]:
        """Orders against those who have been silent for too long."""
        orders: list[tuple] = []
        for worker, beat in self.beats.items():
            if self.timeout and beat is not None and now - beat > self.timeout:
                orders.append(("kill", worker, "KILL" if worker in self.aborted else "ABRT"))
                self.aborted.add(worker)
        return orders

    def spawn(self, count: int) -> list[tuple]:
        """Orders for so many new workers."""
        orders: list[tuple] = []
        for _ in range(count):
            self.last += 1
            self.beats[self.last] = None
            orders.append(("spawn", self.last))
        return orders

    def dismiss(self, workers: list[int]) -> list[tuple]:
        """Orders to let these go."""
        self.dismissed.update(workers)
        return [("kill", worker, "TERM") for worker in workers]

    def close(self, code: int) -> list[tuple]:
        """Close the house, once."""
        if self.code is not None:
            return []
        self.code = code
        return self.dismiss(self.on_duty()) if self.beats else [("exit", code)]
