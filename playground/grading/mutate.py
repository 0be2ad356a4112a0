"""Mutation testing of the solutions with the graders: which small changes does a grader let pass?

The changes come from mutmut's operators (its own runner wants a test suite to import the code; here
each changed file is graded in a process, as a learner's is). One more operator deletes statements.
What a `raise` says is left alone: no grader judges the words of an exception.

What came of it is kept in `tests/exercises/mutation.json`, with a hash of what it was found with:
solution, grader, and list of equivalents. `playground course-check` asks for its freshness.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import json
import os
import random
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import libcst
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from playground.grading.checking import grade
from playground.grading.exercise import Exercise, ExerciseError
from playground.grading.verdict import Status
from playground.workspace import write_atomic

DEADLINE_S = 3.0  # many changes make an endless loop
LIST = "equivalent.toml"
RECORDS = "tests/exercises/mutation.json"
LEAST_KILLED = 0.95  # of all changes; the rest are equivalents, each with its reason


@dataclass(frozen=True)
class Change:
    """One small change to a solution."""

    line: int  # in the solution, from 1
    diff: str  # the lines that differ, with "-" and "+" in front
    source: str  # the whole changed file


@dataclass(frozen=True)
class Report:
    """What came of it; every list should be empty."""

    tried: int
    survivors: list[Change]  # passed, and not listed as equivalent
    needless: list[str]  # listed as equivalent, but rejected by the grader or gone


def mutate(exercise: Exercise, *, sample: int = 0, seed: int = 0) -> Report:
    """Grade every change to the solution (or a random sample) and report what passes.

    Raises ExerciseError when the list of equivalents is not as it should be.
    """
    listed = equivalents(exercise)
    found = list(changes(exercise.solution.read_text("utf-8")))
    chosen = found
    if sample and sample < len(found):
        chosen = random.Random(f"{seed}-{exercise.id}").sample(found, sample)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(partial(_passes, exercise), chosen)
        passed = [change for change, ok in zip(chosen, verdicts, strict=True) if ok]
    survivors = [change for change in passed if change.diff not in listed]
    tried = {change.diff for change in chosen}
    gone = set(listed) - {change.diff for change in found}
    rejected = (set(listed) & tried) - {change.diff for change in passed}
    return Report(len(chosen), survivors, sorted(gone | rejected))


def record(exercise: Exercise, report: Report) -> None:
    """Keep what came of trying every change to one exercise."""
    records = recorded(exercise.checkout)
    equivalent = len(equivalents(exercise))
    records[exercise.id] = {
        "changes": report.tried,
        "killed": report.tried - equivalent - len(report.survivors),
        "equivalent": equivalent,
        "of": _digest(exercise),
    }
    text = json.dumps(records, indent=1, sort_keys=True) + "\n"
    write_atomic(exercise.checkout / RECORDS, text.encode())


def recorded(checkout: Path) -> dict[str, dict[str, Any]]:
    """What is kept, by the id of the exercise. Raises ExerciseError if it cannot be read."""
    path = checkout / RECORDS
    try:
        records = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        return {str(name): dict(entry) for name, entry in records.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ExerciseError(f"{RECORDS} is not as it should be: {error}.") from None


def problems(catalogue: list[Exercise], checkout: Path) -> Iterator[str]:
    """Why the records do not show that the graders notice what they should."""
    records = recorded(checkout)
    for exercise in catalogue:
        entry = records.get(exercise.id)
        if entry is None or entry["of"] != _digest(exercise):
            yield f"{exercise.id} was not tried as it is: `playground exercises mutate` does it"
        elif survivors := entry["changes"] - entry["killed"] - entry["equivalent"]:
            yield f"{exercise.id}: {survivors} changes pass and are not listed as equivalent"
    entries = [records[each.id] for each in catalogue if each.id in records]
    tried, killed = (sum(entry[name] for entry in entries) for name in ("changes", "killed"))
    if killed < LEAST_KILLED * tried:
        yield f"{killed} of {tried} changes are noticed, fewer than {LEAST_KILLED:.0%}"


def changes(source: str) -> Iterator[Change]:
    """Yield every changed version of a source text that is a different program."""
    wrapper = libcst.MetadataWrapper(libcst.parse_module(source))
    operators = [*mutation_operators, (libcst.Expr, _delete)]
    visitor = MutationVisitor(operators, IgnoredCode(set(), set(), set()))
    module = wrapper.visit(visitor)
    words = {id(node) for raised in _raises(module) for node in _below(raised)}
    seen = {ast.dump(ast.parse(source))}
    for mutation in visitor.mutations:
        if id(mutation.original_node) in words:
            continue
        changed = deep_replace(module, mutation.original_node, mutation.mutated_node)
        assert isinstance(changed, libcst.Module)
        shape = _shape(changed.code)
        if shape not in seen:
            seen.add(shape)
            yield _change(source, changed.code)


def equivalents(exercise: Exercise) -> dict[str, str]:
    """Return the changes listed as changing nothing, each with its reason."""
    path = exercise.folder / LIST
    if not path.is_file():
        return {}
    try:
        entries = tomllib.loads(path.read_text("utf-8"))["equivalent"]
        listed = {entry["change"].strip("\n"): entry["reason"].strip() for entry in entries}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ExerciseError(f"{exercise.id}: {LIST} is not as it should be: {error}.") from None
    if not all(listed.values()):
        raise ExerciseError(f"{exercise.id}: {LIST} has an entry without a reason.")
    return listed


def _digest(exercise: Exercise) -> str:
    files = (exercise.solution, exercise.grader, exercise.folder / LIST)
    data = b"\0".join(path.read_bytes() if path.is_file() else b"" for path in files)
    return hashlib.sha256(data).hexdigest()[:16]


def _passes(exercise: Exercise, change: Change) -> bool:
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        path = Path(folder) / f"{exercise.name}.py"
        path.write_text(change.source, "utf-8")
        verdict = grade(exercise, path, deadline_s=min(exercise.deadline_s, DEADLINE_S))
    if verdict.status is Status.BROKEN:
        raise ExerciseError(f"{exercise.id}: the grader breaks on:\n{change.diff}\n{verdict}")
    return verdict.passed


def _delete(node: libcst.Expr) -> Iterator[libcst.Pass]:
    if not isinstance(node.value, libcst.SimpleString | libcst.ConcatenatedString):
        yield libcst.Pass()


def _raises(module: libcst.Module) -> list[libcst.Raise]:
    found: list[libcst.Raise] = []

    class Finder(libcst.CSTVisitor):
        def visit_Raise(self, node: libcst.Raise) -> None:
            found.append(node)

    module.visit(Finder())
    return found


def _below(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    yield node
    for child in node.children:
        yield from _below(child)


def _shape(source: str) -> str:
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return source


def _change(before: str, after: str) -> Change:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    rows = list(lines)[2:]
    number = int(rows[0].split("-")[1].split(",")[0].split(" ")[0])
    shown = [row for row in rows if not row.startswith("@@")]
    return Change(number, "\n".join(shown), after)
