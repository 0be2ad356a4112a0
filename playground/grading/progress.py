"""The learner's progress: one plain JSON file in the workspace, written atomically.

It holds no path and no machine's name, so it can be carried to another machine. Keys that this
version does not know are kept.

    {"format": 1,
     "exercises": {"http-request-line": {"status": "passed", "attempts": 3, "passed_at": "…",
                                         "hints": 1, "solution_shown": false, "cell": "sha256"}},
     "predictions": {"three-clients": {"answer": 3.0, "unit": "s", "at": "…", "measured": 2.98}}}
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playground import workspace
from playground.errors import Told
from playground.grading.verdict import Status, Verdict

FORMAT = 1


class ProgressError(Told):
    """The progress file cannot be used; the message is a sentence that says what to do."""


def path() -> Path:
    """Return the place of the progress file."""
    return workspace.root() / "progress.json"


def load() -> dict[str, Any]:
    """Return everything that is recorded; raises ProgressError or WorkspaceError."""
    data = workspace.read_json(path(), default={})
    remedy = f"move {path()} away to start afresh, or take a copy from backups/."
    if not isinstance(data, dict):
        raise ProgressError(f"The progress file holds no progress: {remedy}")
    version = data.setdefault("format", FORMAT)
    if not isinstance(version, int) or version > FORMAT:
        raise ProgressError(
            f"The progress file has format {version!r}, this course reads {FORMAT}: {remedy}"
        )
    for part in ("exercises", "predictions"):
        entries = data.setdefault(part, {})
        if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
            raise ProgressError(f"{part!r} in the progress file is not as it should be: {remedy}")
    return data


def exercise(name: str) -> dict[str, Any]:
    """Return what is recorded for one exercise, {} for nothing."""
    entry: dict[str, Any] = load()["exercises"].get(name, {})
    return entry


def prediction(name: str) -> dict[str, Any]:
    """Return what is recorded for one prediction, {} for nothing."""
    entry: dict[str, Any] = load()["predictions"].get(name, {})
    return entry


def record_verdict(verdict: Verdict) -> None:
    """Count the attempt; a pass is never taken back."""
    if verdict.status is Status.BROKEN:
        return
    with _entry("exercises", verdict.exercise) as entry:
        if verdict.status is not Status.NOT_SOLVED:
            entry["attempts"] = entry.get("attempts", 0) + 1
        if verdict.passed:
            entry.setdefault("passed_at", now())
        entry["status"] = str(Status.PASSED if "passed_at" in entry else verdict.status)


def record_hint(name: str, layers: int) -> None:
    """Note that hints up to layer `layers` were asked for."""
    with _entry("exercises", name) as entry:
        entry["hints"] = max(entry.get("hints", 0), layers)


def record_solution(name: str) -> None:
    """Note that the solution was shown before the exercise was passed."""
    with _entry("exercises", name) as entry:
        entry["solution_shown"] = True


def record_cell(name: str, fingerprint: str) -> None:
    """Note what a notebook cell wrote to the learner's file."""
    with _entry("exercises", name) as entry:
        entry["cell"] = fingerprint


def record_prediction(name: str, answer: float | str, unit: str) -> None:
    """Note a prediction; it replaces an earlier one and what was measured for that."""
    with _entry("predictions", name) as entry:
        entry.clear()
        entry.update(answer=answer, unit=unit, at=now())


def record_measured(name: str, measured: float | str) -> None:
    """Note what was measured for a prediction."""
    with _entry("predictions", name) as entry:
        entry["measured"] = measured


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@contextlib.contextmanager
def _entry(part: str, name: str) -> Iterator[dict[str, Any]]:
    """Change one entry under the workspace's lock."""
    with workspace.locked():
        data = load()
        yield data[part].setdefault(name, {})
        workspace.write_json_atomic(path(), data)
