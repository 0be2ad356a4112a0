"""Records of one process on an event loop, sent together: appending costs next to nothing.

Strategy: the loop appends tuples to a deque; a thread sends them every few milliseconds, and then
also tells of the spans that are still open, so that a step that blocks the loop is seen while it
lasts. Which requests are in service is on the ``Board`` before their application runs. So killing
the process loses what its requests did in the last few milliseconds, and never a request as a
whole. Standard library only.
"""

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import starmap
from typing import Any

from playground.trace.board import Board
from playground.trace.records import RECORD
from playground.trace.sender import JOINED_BYTES, Channel

FLUSH_S = 0.01
QUIET_ROUNDS = 20  # with nothing to send, until the thread sleeps

Note = bytes | tuple[Any, ...]  # a line of JSON, or a template of one and what goes into it
Row = tuple[float, float, int, int, int, int]  # the fields of a record


class Outbox:
    """What waits to be sent of one run. ``append`` (a row) and ``tell`` (notes, which leave after
    all rows that were appended before) may be called anywhere.
    """

    def __init__(self) -> None:
        self.open: list[Row] = []  # leave first: the thread's own
        self._rows: deque[Row] = deque()
        self._notes: deque[Note] = deque()
        self.append = self._rows.append
        self.tell = self._notes.append

    def take(self) -> tuple[bytes, bytes]:
        """Packed records, and notes."""
        if not (self._notes or self._rows or self.open):
            return b"", b""
        notes = [self._notes.popleft() for _ in range(len(self._notes))]
        rows = self.open + [self._rows.popleft() for _ in range(len(self._rows))]
        self.open = []
        lines = [note if isinstance(note, bytes) else note[0] % note[1:] for note in notes]
        return b"".join(starmap(RECORD.pack, rows)), b"".join(lines)


class Batch:
    """What waits to be sent through ``channel``."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.board = Board(channel.path)
        self._runs: dict[int, Outbox] = {}
        self.append = self.of(0).append  # what belongs to no request
        self.watched: list[Callable[[], None]] = []  # fill ``open`` with what is open
        self._sending = threading.Lock()
        self._wake = threading.Event()
        self._resting = False
        threading.Thread(target=self._run, name="trace-batch", daemon=True).start()
        atexit.register(self.flush)

    def of(self, run: int) -> Outbox:
        """Where the records of this run go."""
        return self._runs.get(run) or self._runs.setdefault(run, Outbox())

    def wake(self) -> None:
        """Something is going on: the thread looks every few milliseconds now."""
        if self._resting:
            self._resting = False
            self._wake.set()

    def flush(self) -> bool:
        """Send what waits and what is open. False if there was nothing.

        subtle: who closes a span changes its state first and appends the row then. So a span that
        is open here has its closing row still to come, and the collector gets the two in order.
        """
        sent = False
        with self._sending:
            over = self.board.over
            for watched in tuple(self.watched):
                watched()
            # subtle: run 0, which is what belongs to nobody, is taken last and sent first: whoever
            # sees the end of a request has seen what happened before it
            runs = tuple(self._runs.items())
            taken = [(run, *outbox.take()) for run, outbox in reversed(runs)]
            for run, records, notes in reversed(taken):
                if records or notes:
                    sent = True
                    self._send(run, records, notes)
            self.board.wipe(over)
        return sent

    def _send(self, run: int, records: bytes, notes: bytes) -> None:
        size = max(1, (JOINED_BYTES - 600) // RECORD.size) * RECORD.size
        while len(records) > size:
            self.channel.send(records[:size], run)
            records = records[size:]
        if len(records) + len(notes) <= JOINED_BYTES:
            self.channel.send(records, run, notes)
            return
        part = b""
        for line in notes.splitlines(keepends=True):
            if part and len(records) + len(part) + len(line) > JOINED_BYTES:
                self.channel.send(records, run, part)
                records, part = b"", b""
            part += line
        self.channel.send(records, run, part)

    def _run(self) -> None:
        quiet = 0
        while True:
            time.sleep(FLUSH_S)
            quiet = 0 if self.flush() else quiet + 1
            if quiet > QUIET_ROUNDS:
                self._wake.clear()
                self._resting = True
                if not self.board.over:
                    self._wake.wait()
                self._resting = False
                quiet = 0
