"""Records of one process on an event loop, sent together: appending costs next to nothing.

Strategy: the loop appends tuples to a deque; a thread sends them every few milliseconds, and then
also tells of the spans that are still open, so that a step that blocks the loop is seen while it
lasts. The beginning of a request is sent at once. Killing the process loses the last few
milliseconds, never a request as a whole. Standard library only.
"""

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from playground.trace.records import RECORD
from playground.trace.sender import JOINED_BYTES, Channel

FLUSH_S = 0.01
QUIET_ROUNDS = 20  # with nothing to send, until the thread sleeps

Row = tuple[int, float, float, int, int, int, int]  # run, then the fields of a record


class Batch:
    """What waits to be sent through ``channel``. ``append`` and ``tell`` may be called anywhere."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._rows: deque[Row] = deque()
        self._notes: deque[tuple[int, bytes]] = deque()
        self.append = self._rows.append
        self.watched: list[Callable[[], Iterable[Row]]] = []  # give the thread what is open
        self._sending = threading.Lock()
        self._wake = threading.Event()
        self._resting = False
        threading.Thread(target=self._run, name="trace-batch", daemon=True).start()
        atexit.register(self.flush)

    def tell(self, run: int, notes: bytes) -> None:
        """Notes that leave after all records appended before."""
        self._notes.append((run, notes))

    def wake(self) -> None:
        """Something is going on: the thread looks every few milliseconds now."""
        if self._resting:
            self._resting = False
            self._wake.set()

    def flush(self, look: bool = False) -> bool:
        """Send what waits; with ``look`` also what is open. False if there was nothing.

        subtle: who closes a span changes its state first and appends the row then. So a span that
        is open here has its closing row still to come, and the collector gets the two in order.
        """
        with self._sending:
            rows: list[Any] = []
            for watched in tuple(self.watched) if look else ():
                rows += watched()
            told: dict[int, bytes] = {}
            for _ in range(len(self._notes)):
                run, notes = self._notes.popleft()
                told[run] = told.get(run, b"") + notes
            packed: dict[int, bytearray] = {run: bytearray() for run in told}
            rows += [self._rows.popleft() for _ in range(len(self._rows))]
            for row in rows:
                packed.setdefault(row[0], bytearray()).extend(RECORD.pack(*row[1:]))
            for run, records in packed.items():
                self._send(run, bytes(records), told.get(run, b""))
        return bool(packed)

    def _send(self, run: int, records: bytes, notes: bytes) -> None:
        size = max(1, (JOINED_BYTES - 600) // RECORD.size) * RECORD.size
        while len(records) > size:
            self.channel.send(records[:size], run)
            records = records[size:]
        lines = notes.splitlines(keepends=True)
        part = b""
        for line in lines:
            if part and len(records) + len(part) + len(line) > JOINED_BYTES:
                self.channel.send(records, run, part)
                records, part = b"", b""
            part += line
        self.channel.send(records, run, part)

    def _run(self) -> None:
        quiet = 0
        while True:
            time.sleep(FLUSH_S)
            quiet = 0 if self.flush(look=True) else quiet + 1
            if quiet > QUIET_ROUNDS:
                self._wake.clear()
                self._resting = True
                if not self._rows:
                    self._wake.wait()
                self._resting = False
                quiet = 0
