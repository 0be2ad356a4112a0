"""Change the menu without closing the street: a rolling restart, as decisions."""

Order = tuple[str, int]


class Rolling:
    """Decide for a street with `workers` places, each of which has one worker."""

    def __init__(self, workers: int) -> None:
        self.places: list[int] = [0] * workers  # 0: nobody
        self.last = 0  # the highest number
        self.there: set[int] = set()
        self.serving: set[int] = set()
        self.told: set[int] = set()  # who got "term"
        self.turn: int | None = None  # the place that is rolled
        self.fresh = 0  # its replacement, until it is ready
        self.again = False
        self.code: int | None = None  # once the street closes

    def begin(self) -> list[Order]:
        """Spawn one for each place."""
        return [self.fill(place) for place in range(len(self.places))]

    def signal(self, name: str) -> list[Order]:
        """HUP or TERM."""
        if self.code is not None:
            return []
        if name == "TERM":
            return self.close(0)
        if self.turn is not None:
            self.again = True
            return []
        return self.roll(0)

    def ready(self, worker: int) -> list[Order]:
        """It serves."""
        self.serving.add(worker)
        if worker != self.fresh or self.turn is None or self.code is not None:
            return []
        old, self.places[self.turn], self.fresh = self.places[self.turn], worker, 0
        if not old:
            return self.roll(self.turn + 1)
        self.told.add(old)
        return [("term", old)]

    def late(self, worker: int) -> list[Order]:
        """It should be ready."""
        return [("kill", worker)] if worker in self.there - self.serving else []

    def died(self, worker: int, code: int) -> list[Order]:
        """It is gone."""
        self.there.discard(worker)
        if self.code is not None:
            return [] if self.there else [("exit", self.code)]
        if worker in self.told:
            assert self.turn is not None
            return self.roll(self.turn + 1)
        if worker == self.fresh:
            return self.give_up()
        if code == 3 and worker not in self.serving:
            return self.close(3)
        place = self.places.index(worker)
        if self.fresh and place == self.turn:
            self.places[place] = 0
            return []
        return [self.fill(place)]

    def spawn(self) -> Order:
        """The next number."""
        self.last += 1
        self.there.add(self.last)
        return ("spawn", self.last)

    def fill(self, place: int) -> Order:
        """A new one in this place."""
        order = self.spawn()
        self.places[place] = self.last
        return order

    def roll(self, place: int) -> list[Order]:
        """It is the turn of this place, or the roll is over."""
        if place < len(self.places):
            self.turn = place
            order = self.spawn()
            self.fresh = self.last
            return [order]
        self.turn = None
        if not self.again:
            return []
        self.again = False
        return self.roll(0)

    def give_up(self) -> list[Order]:
        """The replacement did not get ready."""
        assert self.turn is not None
        self.fresh = 0
        orders = [] if self.places[self.turn] else [self.fill(self.turn)]
        return orders + self.roll(len(self.places))

    def close(self, code: int) -> list[Order]:
        """Everybody goes."""
        self.code = code
        orders = [("term", worker) for worker in sorted(self.there - self.told)]
        return orders if self.there else [("exit", code)]
