"""An exercise as data, and the catalogue: whatever lies in the folders, and nothing else.

The files of the exercise `01_socket/request_line`::

    exercises/01_socket/request_line.py                    the stub
    solutions/01_socket/request_line.py                    the solution
    tests/exercises/01_socket/request_line/exercise.toml   id, title, … (the fields of Exercise)
    tests/exercises/01_socket/request_line/grader.py       functions check_…(learner)
    tests/exercises/01_socket/request_line/mutants/*.py    plausible wrong answers
    tests/exercises/01_socket/request_line/alternatives/*.py  other right answers
    tests/exercises/01_socket/request_line/equivalent.toml mutations that change nothing (optional)
"""

from __future__ import annotations

import ast
import difflib
import threading
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground import workspace
from playground.errors import Told

DATA = "exercise.toml"
DIFFICULTIES = ("easy", "medium", "hard")
_PARSING = threading.Lock()  # Python 3.11: ast.parse in two threads at once raises SystemError
LAYERS = ("a nudge", "the concept", "almost the code")  # what the hints of every exercise are
_TYPES: dict[str, type] = {
    "id": str, "title": str, "difficulty": str, "minutes": int,
    "teaches": str, "spec": str, "hints": list, "order": int,
}  # fmt: skip
_OPTIONAL = {"deadline_s": float, "cpu_s": int}


class ExerciseError(Told):
    """An exercise is unknown, or its files are not as they should be; the message is a sentence."""


@dataclass(frozen=True)
class Exercise:
    """What an exercise carries as data."""

    id: str  # stable: "http-request-line"
    title: str
    chapter: str  # the folder: "01_socket"
    name: str  # the file's stem: "request_line"
    order: int  # place within the chapter
    difficulty: str  # one of DIFFICULTIES
    minutes: int
    teaches: str  # one sentence
    spec: str  # "RFC 9112 §3"
    hints: tuple[str, ...]  # a nudge, the concept, almost the code
    deadline_s: float = 10.0  # stops a hang; see playground.grading.learner
    cpu_s: int = 20
    checkout: Path = field(default_factory=workspace.checkout)

    @property
    def rel(self) -> str:
        """The path below `exercises/` and `solutions/`: "01_socket/request_line.py"."""
        return f"{self.chapter}/{self.name}.py"

    @property
    def stub(self) -> Path:
        """The stub in the checkout."""
        return self.checkout / "exercises" / self.rel

    @property
    def solution(self) -> Path:
        """The reference solution."""
        return self.checkout / "solutions" / self.rel

    @property
    def folder(self) -> Path:
        """The folder of data, grader, mutants and alternatives."""
        return self.checkout / "tests" / "exercises" / self.chapter / self.name

    @property
    def grader(self) -> Path:
        """The grader."""
        return self.folder / "grader.py"

    @property
    def mutants(self) -> list[Path]:
        """Wrong answers, each with the message that it must provoke."""
        return sorted((self.folder / "mutants").glob("*.py"))

    @property
    def alternatives(self) -> list[Path]:
        """Right answers that are written differently."""
        return sorted((self.folder / "alternatives").glob("*.py"))

    def learners_file(self) -> Path:
        """Return the learner's copy in the workspace, created from the stub if missing."""
        return workspace.exercise_path(self.rel)

    def is_untouched(self, source: bytes) -> bool:
        """Tell whether `source` is the stub, apart from comments and layout."""
        return shape(source) == shape(self.stub.read_bytes())


def load(checkout: Path | None = None) -> list[Exercise]:
    """Return all exercises, in the order of the course.

    Raises ExerciseError for data that is not as it should be, and for an id that occurs twice.
    """
    base = checkout or workspace.checkout()
    found = [read(path, base) for path in base.glob(f"tests/exercises/*/*/{DATA}")]
    found.sort(key=lambda exercise: (exercise.chapter, exercise.order, exercise.id))
    seen: dict[str, Exercise] = {}
    for exercise in found:
        if exercise.id in seen:
            other = seen[exercise.id].rel
            raise ExerciseError(f"{exercise.rel} and {other} have the same id {exercise.id!r}.")
        seen[exercise.id] = exercise
    return found


def read(path: Path, checkout: Path) -> Exercise:
    """Return the exercise whose data is in the TOML file `path`; raises ExerciseError."""
    where = path.relative_to(checkout)
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExerciseError(f"{where} is not TOML: {error}.") from None
    missing = [name for name in _TYPES if name not in data]
    unknown = [name for name in data if name not in _TYPES | _OPTIONAL]
    if missing or unknown:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has unknown {', '.join(unknown)}"] if unknown else []
        raise ExerciseError(f"{where} {' and '.join(parts)}.")
    for name, kind in _TYPES.items():
        if not isinstance(data[name], kind) or isinstance(data[name], bool):
            raise ExerciseError(f"{where}: {name} must be {kind.__name__}, not {data[name]!r}.")
    if data["difficulty"] not in DIFFICULTIES:
        raise ExerciseError(f"{where}: difficulty must be one of {', '.join(DIFFICULTIES)}.")
    hints = tuple(str(hint).strip() for hint in data.pop("hints"))
    folder = path.parent
    return Exercise(
        **data, hints=hints, chapter=folder.parent.name, name=folder.name, checkout=checkout
    )


def find(name: str, checkout: Path | None = None) -> Exercise:
    """Return the exercise with the id `name` (its file name or path will do as well).

    Raises ExerciseError, which proposes what was probably meant.
    """
    everything = load(checkout)
    for exercise in everything:
        if name in (exercise.id, exercise.rel, exercise.name):
            return exercise
    tail = Path(name).parts[-2:]
    for exercise in everything:
        if tail == Path(exercise.rel).parts:
            return exercise
    ids = [exercise.id for exercise in everything]
    near = difflib.get_close_matches(name, ids, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise ExerciseError(
        f"There is no exercise {name!r}.{meant} `playground exercises` lists them all."
    )


def hint_title(number: int, count: int) -> str:
    """Return "Hint 1 of 3: a nudge" for hint `number`, counted from 1."""
    return f"Hint {number} of {count}: {LAYERS[min(number, len(LAYERS)) - 1]}"


def shape(source: bytes) -> str:
    """Return what counts of a file: its syntax tree, or its bare lines if it has none."""
    try:
        with _PARSING:
            return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "\n".join(line.strip() for line in source.decode("utf-8", "replace").splitlines())
