"""How often somebody may guess a code.

Only wrong codes count: learners who have joined show a token, and are never asked for the code
again, so a room behind one address (NAT) can report as it likes. While the guesses of an address
are used up, no code from there is looked at, not even the right one.

There are 16.8 million codes. One address needs half a year for all of them, all addresses together
three weeks; a new code makes all of that vain.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_ADDRESSES = 10_000


class Bucket:
    """So many at once, and so many a second after that."""

    def __init__(self, size: float, each_s: float, now: float) -> None:
        self.size, self.each_s = size, each_s
        self._left, self._at = size, now

    def left(self, now: float) -> float:
        """How many there are now."""
        return min(self.size, self._left + max(0.0, now - self._at) * self.each_s)

    def take(self, now: float, count: int = 1) -> bool:
        """Take so many, if they are there."""
        left = self.left(now)
        self._at = now
        self._left = left - count if left >= count else left
        return left >= count

    def wait_s(self, now: float, count: int = 1) -> float:
        """Seconds until so many are there."""
        return max(0.0, count - self.left(now)) / self.each_s


class Buckets:
    """One bucket for each key; those not used for longest are forgotten, and are full again."""

    def __init__(
        self, size: float, each_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.size, self.each_s, self.clock = size, each_s, clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, key: str) -> Bucket:
        """The bucket of a key."""
        if key not in self._buckets:
            self._buckets[key] = Bucket(self.size, self.each_s, self.clock())
        self._buckets.move_to_end(key)
        while len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return self._buckets[key]

    def take(self, key: str, count: int = 1) -> float:
        """Take so many; 0, or the seconds until they are there."""
        now, bucket = self.clock(), self.of(key)
        return 0.0 if bucket.take(now, count) else bucket.wait_s(now, count)


class Guesses:
    """Wrong codes, by address and in all.

    Between ``wait_s`` and ``wrong`` nobody else may run: else many guesses at once pass as one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_address = Buckets(60, 1.0, clock)
        self._everybody = Buckets(600, 10.0, clock)

    def wait_s(self, address: str) -> float:
        """Seconds until a code from there is looked at; 0: now."""
        now = self._clock()
        return max(self._by_address.of(address).wait_s(now), self._everybody.of("").wait_s(now))

    def wrong(self, address: str) -> None:
        """A code from there was wrong."""
        self._by_address.take(address)
        self._everybody.take("")
