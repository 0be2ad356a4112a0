"""The whole course held to its promises, on all cores: what `playground course-check` runs.

The notebooks (`playground.gate.check`), every exercise (`playground.grading.verify`), and what is
true of all exercises together: no stray file, no mutant twice, no place twice, ids that stay, fresh
results of mutation testing, no answer in the text. A promise that was kept is remembered under a
hash of everything it rests on, so that a second run asks only for what has changed.

`exemptions.toml` beside the graders names promises that may be broken, each with its reason; one
that is kept after all is a broken promise itself.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

import nbformat

from playground import gate
from playground.grading import verify
from playground.grading.exercise import Exercise, ExerciseError
from playground.workspace import write_atomic

GROUND = ("playground", "minimal_servers")  # what every verdict rests on
IDS = "tests/exercises/ids.txt"
EXEMPTIONS = "tests/exercises/exemptions.toml"
MEMORY = ".course-check.json"
TELLING = 40  # characters from which a line of a solution is no commonplace

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Finding:
    """One promise: "wsgi-environ: mutant urlsplit", and the sentence that says how it is broken."""

    promise: str
    problem: str


@dataclass(frozen=True)
class Report:
    """What came of it. ``kept`` counts the remembered ones too."""

    exercises: int
    kept: int
    remembered: int
    exempt: dict[str, str]  # promise: reason
    broken: list[Finding]


def course_check(
    course: Path, chosen: list[Exercise], catalogue: list[Exercise], progress: Progress
) -> Report:
    """Hold ``chosen`` to its promises, and the course, if that is its whole ``catalogue``.

    Raises ExerciseError for exemptions that cannot be read.
    """
    exempt = exemptions(course)
    memory = _Memory(course)
    todo = [promise for each in chosen for promise in verify.promises(each)]
    found = [] if len(chosen) < len(catalogue) else list(of_all(course, catalogue))
    done = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for promise, problem in zip(todo, pool.map(memory.ask, todo), strict=True):
            done += 1
            progress(done / len(todo))
            found.append(Finding(f"{promise.exercise.id}: {promise.name}", problem))
    memory.save()
    asked = {finding.promise for finding in found}
    broken = [each for each in found if each.problem and each.promise not in exempt]
    for finding in found:
        if not finding.problem and finding.promise in exempt:
            broken.append(Finding(finding.promise, "is kept: it needs no exemption any more."))
    if len(chosen) == len(catalogue):
        broken += [Finding(name, "is exempt, and no promise.") for name in exempt.keys() - asked]
    kept = sum(not finding.problem for finding in found)
    return Report(len(chosen), kept, memory.remembered, exempt, broken)


def of_all(course: Path, catalogue: list[Exercise]) -> Iterator[Finding]:
    """What is promised of the notebooks and of all exercises together."""
    from playground.grading import mutate  # needs mutmut, which only authors have

    notebooks = gate.check(course, {each.id: each.rel for each in catalogue})
    yield Finding("notebooks", "\n".join(map(str, notebooks)))
    yield Finding("no stray file", ", ".join(verify.stray(catalogue, course)))
    yield Finding("no mutant twice", "; ".join(verify.twins(catalogue)))
    yield Finding("a place of its own", "; ".join(_same_places(catalogue)))
    yield Finding("ids that stay", "; ".join(_unstable(course, catalogue)))
    yield Finding("mutation testing", "; ".join(mutate.problems(catalogue, course)))
    for each in catalogue:
        yield Finding(f"{each.id}: no answer in the text", "; ".join(given_away(each)))


def exemptions(course: Path) -> dict[str, str]:
    """The promises that may be broken, each with its reason."""
    path = course / EXEMPTIONS
    if not path.is_file():
        return {}
    try:
        entries = tomllib.loads(path.read_text("utf-8"))["exempt"]
        exempt = {entry["promise"]: entry["reason"].strip() for entry in entries}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ExerciseError(f"{EXEMPTIONS} is not as it should be: {error}.") from None
    if not all(exempt.values()):
        raise ExerciseError(f"{EXEMPTIONS} has an entry without a reason.")
    return exempt


def given_away(exercise: Exercise) -> Iterator[str]:
    """Where the text shows a line of the solution that the learner is to find."""
    shown = _statements(exercise.stub)  # in a bug hunt most of the solution
    answers = {a for a in _statements(exercise.solution) if not any(a in line for line in shown)}
    texts = {"the stub": _text(exercise.stub), "its sentence": exercise.teaches}
    texts |= {f"hint {number}": hint for number, hint in enumerate(exercise.hints[:2], 1)}
    for path in (exercise.checkout / "notebooks").glob(f"{exercise.chapter[:2]}_*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
        texts[path.name] = "\n".join(prose)
    for where, text in texts.items():
        for answer in sorted(answers):
            if answer in " ".join(text.split()):
                yield f"{where} has {answer!r}"


def _statements(path: Path) -> set[str]:
    """The lines of code that say something of their own, docstrings and signatures left out."""
    source = _text(path)
    lines, found = source.splitlines(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and not (hasattr(node, "body") or _is_told(node)):
            found.add(" ".join(" ".join(lines[node.lineno - 1 : node.end_lineno]).split()))
    return {line for line in found if len(line) >= TELLING}


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


def _is_told(node: ast.stmt) -> bool:
    """An import, or a docstring."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, ast.Import | ast.ImportFrom)


def _same_places(catalogue: list[Exercise]) -> Iterator[str]:
    places = sorted((each.chapter, each.order, each.id) for each in catalogue)
    for one, other in pairwise(places):
        if one[:2] == other[:2]:
            yield f"{one[2]} and {other[2]} are both number {one[1]} of chapter {one[0]}"


def _unstable(course: Path, catalogue: list[Exercise]) -> Iterator[str]:
    """Learners have their progress under an id: none is renamed without a line in the list."""
    known = set(_text(course / IDS).split())
    present = {each.id for each in catalogue}
    yield from (f"{name} is gone" for name in sorted(known - present))
    yield from (f"{name} is not in {IDS}" for name in sorted(present - known))


class _Memory:
    """Which promises were kept by what is here now."""

    def __init__(self, course: Path) -> None:
        self._path = course / MEMORY
        self._known = self._read()
        self._ground = _digest(chain.from_iterable(_files(course / tree) for tree in GROUND))
        self._exercises: dict[str, str] = {}
        self._kept: list[str] = []
        self.remembered = 0

    def ask(self, promise: verify.Promise) -> str:
        """The promise's problem; not looked for where nothing has changed since it was kept."""
        key = self._key(promise)
        if key in self._known:
            self.remembered += 1
            self._kept.append(key)
            return ""
        problem = promise.problem()
        if not problem:
            self._kept.append(key)
        return problem

    def save(self) -> None:
        """Remember this run; what earlier ones kept of other exercises stays."""
        now = {key.rpartition(" ")[0] for key in self._kept}
        others = {key for key in self._known if key.rpartition(" ")[0] not in now}
        write_atomic(self._path, json.dumps(sorted({*self._kept, *others}), indent=0).encode())

    def _read(self) -> set[str]:
        try:
            return set(map(str, json.loads(self._path.read_bytes())))
        except (OSError, ValueError, TypeError):
            return set()

    def _key(self, promise: verify.Promise) -> str:
        each = promise.exercise
        if each.id not in self._exercises:
            files = [each.stub, each.solution, *_files(each.folder)]
            self._exercises[each.id] = _digest(files, self._ground)
        return f"{each.id}: {promise.name} {self._exercises[each.id]}"


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def _digest(files: Iterable[Path], start: str = sys.version) -> str:
    summed = hashlib.sha256(start.encode())
    for path in files:
        data = path.read_bytes() if path.is_file() else b""
        summed.update(f"{path.name} {len(data)}\n".encode() + data)
    return summed.hexdigest()
