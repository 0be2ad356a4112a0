"""The board: which requests a process has in service, where a kill cannot wipe it out.

A file of its own beside the collector's socket, mapped into memory, holds one slot a request: the
record of its service. Writing it costs no system call, and the system keeps the page when the
process is killed at any moment, with SIGKILL too. The collector reads it when the process has
ended. A slot is free again when the end of its request has been sent. Standard library only.
"""

import contextlib
import mmap
import os
import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from playground.trace.records import OPEN, RECORD, Kind

# subtle: the kind is written last, so a slot that is half written says nothing
SLOT = struct.Struct("<I" + RECORD.format[1:])  # run tag, record
TOOK = struct.Struct("<d")
TOOK_AT, KIND_AT, FLAGS_AT = 12, SLOT.size - 2, SLOT.size - 1
SLOTS = 4096
REQUEST = int(Kind.REQUEST)


class Board:
    """The slots of this process, for the collector whose socket is at ``path``."""

    def __init__(self, path: str) -> None:
        self._slots: mmap.mmap | bytearray = bytearray(SLOTS * SLOT.size)
        with contextlib.suppress(OSError), place(path, os.getpid()).open("w+b") as file:
            file.truncate(SLOTS * SLOT.size)
            self._slots = mmap.mmap(file.fileno(), 0)
        self._free = list(range(0, SLOTS * SLOT.size, SLOT.size))
        self._over: deque[int] = deque()

    def begin(self, run: int, begun: float, request: int, lane: int) -> int | None:
        """A request is in service since ``begun``. Its slot; None if there is no room."""
        if not self._free:
            return None
        slot = self._free.pop()
        SLOT.pack_into(self._slots, slot, run, begun, OPEN, request, lane, REQUEST, 0)
        return slot

    def end(self, slot: int, took: float, flags: int) -> None:
        """Its service is over, and the collector will hear of it with the next batch."""
        self._slots[slot + FLAGS_AT] = flags
        TOOK.pack_into(self._slots, slot + TOOK_AT, took)
        self._over.append(slot)

    @property
    def over(self) -> int:
        """How many slots can be wiped once all that was recorded until now has been sent."""
        return len(self._over)

    def wipe(self, count: int) -> None:
        """The first ``count`` of them have been sent."""
        for _ in range(count):
            slot = self._over.popleft()
            self._slots[slot + KIND_AT] = 0
            self._free.append(slot)


def place(path: str, pid: int) -> Path:
    """Where the board of a process is."""
    return Path(f"{path}.{pid}")


def left(path: str, pid: int) -> Iterator[tuple[int, bytes]]:
    """What a process that has ended left on its board: run tag and record. The board is removed."""
    with contextlib.suppress(OSError):
        slots = place(path, pid).read_bytes()
        place(path, pid).unlink()
        for at in range(0, len(slots), SLOT.size):
            if slots[at + KIND_AT]:
                yield (
                    SLOT.unpack_from(slots, at)[0],
                    slots[at + SLOT.size - RECORD.size : at + SLOT.size],
                )
