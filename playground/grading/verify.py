"""Hold every exercise to its promises: what `playground course-check` runs.

Data complete, three layers of hints, the stub fails for the intended reason, the solution and every
alternative pass, every mutant is rejected with its message, no stray files.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playground.grading import render
from playground.grading.byhand import FILE as BY_HAND
from playground.grading.checking import grade
from playground.grading.exercise import DATA, Exercise, shape
from playground.grading.verdict import Status, Verdict

MIN_HINTS = 3
MIN_MUTANTS = 4
MIN_ALTERNATIVES = 1
HANG_DEADLINE_S = 3.0  # a mutant may hang on purpose, and a stub that waits for its code
MARK = "# Message:"
_COMMON = {"conftest.py", "README.md", "ids.txt", "exemptions.toml", "mutation.json"}


@dataclass(frozen=True)
class Promise:
    """One thing to verify: `name` such as "mutant split_on_any_space", and how."""

    exercise: Exercise
    name: str
    problem: Callable[[], str]  # a sentence, or "" when the promise is kept


def promises(exercise: Exercise) -> Iterator[Promise]:
    """Yield everything that is promised for `exercise`."""
    yield Promise(exercise, "data", partial(data, exercise))
    yield Promise(exercise, "stub", partial(stub, exercise))
    yield Promise(exercise, "solution", partial(right, exercise, exercise.solution))
    for path in exercise.alternatives:
        name = f"alternative {path.stem}"
        yield Promise(exercise, name, partial(right, exercise, path))
    for path in exercise.mutants:
        name = f"mutant {path.stem}"
        yield Promise(exercise, name, partial(wrong, exercise, path))


def data(exercise: Exercise) -> str:
    """Check the data, and that every file is there."""
    needed = (exercise.stub, exercise.solution, exercise.grader)
    missing = [str(p.relative_to(exercise.checkout)) for p in needed if not p.is_file()]
    if missing:
        return f"missing: {', '.join(missing)}"
    empty = [name for name in ("id", "title", "teaches", "spec") if not getattr(exercise, name)]
    if empty:
        return f"{DATA}: empty {', '.join(empty)}"
    if exercise.minutes < 1 or len(exercise.hints) < MIN_HINTS or not all(exercise.hints):
        return f"{DATA}: at least 1 minute and {MIN_HINTS} hints, none of them empty"
    if len(exercise.mutants) < MIN_MUTANTS or len(exercise.alternatives) < MIN_ALTERNATIVES:
        return f"at least {MIN_MUTANTS} mutants and {MIN_ALTERNATIVES} alternative are needed"
    return ""


def stub(exercise: Exercise) -> str:
    """Check that the stub fails, by a check of the grader and not while it is imported."""
    untouched = grade(exercise, exercise.stub)
    if untouched.status is not Status.NOT_SOLVED:
        return f"the stub is {untouched.status}, not 'not solved yet'"
    verdict = grade(exercise, exercise.stub, run_stub=True, deadline_s=_hang_deadline(exercise))
    if verdict.status is not Status.FAILED or verdict.message is None:
        return f"the stub is {verdict.status}: {_first_lines(verdict)}"
    if verdict.message.called.startswith("import "):
        return f"the stub cannot be imported: {verdict.message.got}"
    return ""


def right(exercise: Exercise, path: Path) -> str:
    """Check that a right answer passes."""
    verdict = grade(exercise, path)
    return "" if verdict.passed else f"{verdict.status}: {_first_lines(verdict)}"


def wrong(exercise: Exercise, path: Path) -> str:
    """Check that a mutant is rejected, with every message that its header announces."""
    announced = messages(path)
    if not announced:
        return f"no line {MARK!r} at the top says what it must provoke"
    if shape(path.read_bytes()) == shape(exercise.solution.read_bytes()):
        return "it is the solution"
    verdict = grade(exercise, path, deadline_s=_hang_deadline(exercise))
    if verdict.status is not Status.FAILED or verdict.message is None:
        return f"{verdict.status}: {_first_lines(verdict)}"
    said = _squeeze(render.message_text(verdict.message))
    silent = [text for text in announced if _squeeze(text) not in said]
    if silent:
        return f"rejected, but without {silent[0]!r}:\n{render.message_text(verdict.message)}"
    return ""


def messages(path: Path) -> list[str]:
    """Return the texts that the comments at the top of a mutant announce."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            break
        if line.startswith(MARK):
            found.append(line.removeprefix(MARK).strip())
    return found


def stray(exercises: list[Exercise], checkout: Path) -> list[str]:
    """Return the files in the three trees that belong to no exercise."""
    known: set[Path] = set()
    for exercise in exercises:
        known |= {exercise.stub, exercise.solution, exercise.grader}
        known |= {*exercise.mutants, *exercise.alternatives}
        known |= {exercise.folder / name for name in (DATA, BY_HAND, "equivalent.toml")}
    found = []
    for tree in ("exercises", "solutions", "tests/exercises"):
        for path in sorted((checkout / tree).rglob("*")):
            usual = path.name in _COMMON or path.name.startswith("test_")
            own = "__pycache__" in path.parts or (usual and path.parent == checkout / tree)
            if path.is_file() and path not in known and not own:
                found.append(str(path.relative_to(checkout)))
    return found


def twins(exercises: list[Exercise]) -> list[str]:
    """Return pairs of mutants of one exercise that are the same program."""
    found = []
    for exercise in exercises:
        seen: dict[str, str] = {}
        for path in exercise.mutants:
            form = ast.dump(ast.parse(path.read_bytes()))
            if form in seen:
                found.append(f"{exercise.id}: mutants {seen[form]} and {path.stem} are the same")
            seen[form] = path.stem
    return found


def _hang_deadline(exercise: Exercise) -> float:
    return min(exercise.deadline_s, HANG_DEADLINE_S)


def _first_lines(verdict: Verdict) -> str:
    if verdict.message is not None:
        return "\n" + render.message_text(verdict.message)
    return " ".join(verdict.notes) or render.headline(verdict)


def _squeeze(text: str) -> str:
    return " ".join(text.split())
