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
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground import workspace
from playground.errors import Told
from playground.grading.verdict import Status, Verdict

if TYPE_CHECKING:
    from playground.grading.exercise import Exercise

FORMAT = 1
_FIELDS: dict[str, dict[str, type]] = {  # what an entry may hold; other keys are let be
    "exercises": {
        "status": str, "attempts": int, "passed_at": str, "hints": int,
        "solution_shown": bool, "cell": str,
    },
    "predictions": {"unit": str, "at": str},
}  # fmt: skip


class ProgressError(Told):
    """The progress file cannot be used; the message is a sentence that says what to do."""


def path() -> Path:
    """Return the place of the progress file."""
    return workspace.root() / "progress.json"


def load() -> dict[str, Any]:
    """Return everything that is recorded; raises ProgressError or WorkspaceError."""
    remedy = f"move {path()} away to start afresh, or take a copy from backups/."
    return _checked(workspace.read_json(path(), default={}), "The progress file", remedy)


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


@dataclass
class Chapter:
    """How far a chapter is; minutes are those that its exercises are said to take."""

    name: str  # "01_socket"
    passed: int = 0
    total: int = 0
    minutes: int = 0
    minutes_left: int = 0


def passed(recorded: dict[str, dict[str, Any]], name: str) -> bool:
    """Tell whether the exercise `name` is passed; `recorded` is `load()["exercises"]`."""
    return recorded.get(name, {}).get("status") == str(Status.PASSED)


def chapters(
    catalogue: Iterable[Exercise], recorded: dict[str, dict[str, Any]]
) -> dict[str, Chapter]:
    """Return how far every chapter is, by its name, in the order of the course."""
    found: dict[str, Chapter] = {}
    for each in catalogue:
        chapter = found.setdefault(each.chapter, Chapter(each.chapter))
        done = passed(recorded, each.id)
        chapter.passed += done
        chapter.total += 1
        chapter.minutes += each.minutes
        chapter.minutes_left += 0 if done else each.minutes
    return found


def following(
    catalogue: list[Exercise], recorded: dict[str, dict[str, Any]], name: str = ""
) -> Exercise | None:
    """Return the first exercise after `name` that is not passed, from the start again if need be.

    None when no other is left.
    """
    place = next((n for n, each in enumerate(catalogue) if each.id == name), -1)
    turned = catalogue[place + 1 :] + catalogue[: place + 1]
    left = (each for each in turned if each.id != name and not passed(recorded, each.id))
    return next(left, None)


def export(file: Path) -> int:
    """Write the progress to `file`, and return how many passes that holds.

    If it holds progress already, what it has is kept, as by `take`. Raises ProgressError when it is
    something else.
    """
    data = load()
    if file.exists():
        data = _merged(_carried(file), data)
    try:
        workspace.write_json_atomic(file.absolute(), data)
    except workspace.WorkspaceError:
        raise ProgressError(
            f"Cannot write {file}: choose a file in a folder that you may write."
        ) from None
    return _passes(data)


def take(file: Path) -> int:
    """Add the progress in `file` to this one; return how many passes are new.

    Nothing is lost: a pass stays a pass, counts become the larger of the two, and of two
    predictions the later one counts. Raises ProgressError when `file` holds no progress; then
    nothing is changed.
    """
    theirs = _carried(file)
    with workspace.locked():
        mine = load()
        before = _passes(mine)
        merged = _merged(mine, theirs)
        workspace.write_json_atomic(path(), merged)
    return _passes(merged) - before


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


def _checked(data: Any, what: str, remedy: str) -> dict[str, Any]:
    """Return `data` with all its parts; raises ProgressError, which begins with `what`."""
    if not isinstance(data, dict):
        raise ProgressError(f"{what} holds no progress: {remedy}")
    version = data.setdefault("format", FORMAT)
    if not isinstance(version, int) or version > FORMAT:
        raise ProgressError(f"{what} has format {version!r}, this course reads {FORMAT}: {remedy}")
    for part, fields in _FIELDS.items():
        entries = data.setdefault(part, {})
        if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
            raise ProgressError(f"{what} has {part!r} that are not as they should be: {remedy}")
        for name, entry in entries.items():
            for key, kind in fields.items():
                if key in entry and type(entry[key]) is not kind:
                    raise ProgressError(f"{what} says {key!r} of {name!r} wrongly: {remedy}")
    return data


def _carried(file: Path) -> dict[str, Any]:
    """Return the progress in another file than ours."""
    remedy = "give a file that `playground progress --export FILE` wrote."
    try:
        if not file.is_file():
            raise ProgressError(f"There is no file {file}: {remedy}")
        data = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ProgressError(f"Cannot read {file} ({error.strerror}): {remedy}") from None
    except (ValueError, RecursionError):
        raise ProgressError(f"{file} is not valid JSON: {remedy}") from None
    if not isinstance(data, dict) or "exercises" not in data:
        raise ProgressError(f"{file} holds no progress: {remedy}")
    return _checked(data, str(file), remedy)


def _merged(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    result = {**theirs, **mine}
    for part, merge in (("exercises", _merged_exercise), ("predictions", _merged_prediction)):
        names = {**mine[part], **theirs[part]}
        result[part] = {
            name: merge(mine[part].get(name, {}), theirs[part].get(name, {})) for name in names
        }
    return result


def _merged_exercise(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    result = {**theirs, **mine}
    if "cell" not in mine:
        result.pop("cell", None)  # it tells of a file on the other machine
    for key in ("attempts", "hints", "solution_shown"):
        if key in result:
            kind = _FIELDS["exercises"][key]
            result[key] = kind(max(mine.get(key, 0), theirs.get(key, 0)))
    if str(Status.PASSED) in (mine.get("status"), theirs.get("status")):
        times = [entry["passed_at"] for entry in (mine, theirs) if "passed_at" in entry]
        result.update(status=str(Status.PASSED), passed_at=min(times, default=now()))
    return result


def _merged_prediction(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    return dict(theirs if theirs.get("at", "") > mine.get("at", "") else mine or theirs)


def _passes(data: dict[str, Any]) -> int:
    return sum(passed(data["exercises"], name) for name in data["exercises"])
