"""The last run of this workspace, so that it can be shared: kept only while a board is joined."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from playground.classroom import membership
from playground.trace.trace import Trace, TraceFileError

_latest: tuple[Trace, float] | None = None  # of this process; when, by the monotonic clock


def keep(trace: Trace) -> None:
    """A run has ended. Never raises."""
    global _latest
    _latest = trace, time.monotonic()
    if membership.path().exists():
        with contextlib.suppress(TraceFileError, OSError):
            trace.save(file())


def latest() -> tuple[Trace, float] | None:
    """Return the last run of this process, or of this workspace; and how many seconds ago."""
    if _latest is not None:
        return _latest[0], time.monotonic() - _latest[1]
    return read(file()) if file().exists() else None


def read(path: Path) -> tuple[Trace, float]:
    """Return a saved run, and how many seconds ago it was saved. Raises TraceFileError."""
    trace = Trace.load(path)
    return trace, max(0.0, time.time() - path.stat().st_mtime)


def file() -> Path:
    """Where it is kept for other processes."""
    return membership.path().with_name("last.trace")
