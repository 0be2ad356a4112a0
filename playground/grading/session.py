"""What a learner does with an exercise: check it, ask for a hint, look at the solution."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from playground import workspace
from playground.classroom import reporting
from playground.grading import progress
from playground.grading.checking import grade
from playground.grading.exercise import Exercise
from playground.grading.verdict import Verdict


class NotYet(Exception):
    """The solution was asked for before the pass; the message says how to see it all the same."""


def check(
    exercise: Exercise, path: Path | None = None, *, picture: bool = False, here: bool = True
) -> Verdict:
    """Grade the learner's file and record the result; another `path` is graded, not recorded.

    A board that was joined is told of it; `here` is False for one check of many, which does not
    tell what the learner is working on.
    """
    verdict = grade(exercise, path or exercise.learners_file(), picture=picture)
    if path is None:
        progress.record_verdict(verdict)
        if sentence := reporting.told(verdict, here=here):
            verdict.notes.append(sentence)
    return verdict


def hints(exercise: Exercise, layers: int | None = None) -> list[str]:
    """Return the hints up to `layers`, or one more than were asked for before; records it."""
    given = progress.exercise(exercise.id).get("hints", 0)
    count = min(layers or given + 1, len(exercise.hints))
    progress.record_hint(exercise.id, count)
    return list(exercise.hints[:count])


def solution(exercise: Exercise, *, show: bool = False) -> str:
    """Return the reference solution: after the pass, or with `show`, which is recorded.

    Raises NotYet.
    """
    if progress.exercise(exercise.id).get("status") != "passed":
        if not show:
            raise NotYet(
                f"You have not passed {exercise.id} yet. `playground hint {exercise.id}` brings you"
                f" nearer; `playground solution {exercise.id} --show` shows the solution now, and"
                " notes that in your progress."
            )
        progress.record_solution(exercise.id)
    return exercise.solution.read_text("utf-8")


def save_cell(exercise: Exercise, cell: str) -> str:
    """Write a notebook cell to the learner's file; return a sentence if there is one to say.

    A cell that is still the stub never replaces work. Work that was not written by a cell (but in
    an editor, say) is copied to the backups before a cell replaces it.
    """
    target = exercise.learners_file()
    name = _shown(target)
    data = cell.encode("utf-8")
    if not data.endswith(b"\n"):
        data += b"\n"
    current = target.read_bytes()
    if current == data:
        return ""
    if exercise.is_untouched(data):
        if exercise.is_untouched(current):
            return ""
        return f"This cell still holds the stub, so your file was graded: {name}"
    sentence = ""
    known = progress.exercise(exercise.id).get("cell")
    if not exercise.is_untouched(current) and _fingerprint(current) != known:
        backup = _back_up(exercise, current)
        sentence = f"{name} was changed outside this cell; that version is kept: {_shown(backup)}"
    workspace.write_atomic(target, data)
    progress.record_cell(exercise.id, _fingerprint(data))
    return sentence


def _back_up(exercise: Exercise, data: bytes) -> Path:
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    base = workspace.root() / "backups"
    places = (base / f"{stamp}{suffix}" for suffix in ("", *(f"-{n}" for n in range(2, 1000))))
    target = next(p for p in places if not p.exists()) / "exercises" / exercise.rel
    workspace.write_atomic(target, data)
    return target


def _fingerprint(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _shown(path: Path) -> str:
    base = workspace.root().parent
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
