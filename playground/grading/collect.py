"""pytest on exercises: `pytest exercises` grades the learner's files, one test an exercise.

`exercises/conftest.py` switches it on. The test of `exercises/01_socket/request_line.py` is named
by its id and grades the copy in the workspace, through the same function as everything else:

    pytest exercises -k http-request-line
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.grading import render, session
from playground.grading.exercise import Exercise, load


class NotPassed(Exception):
    """The verdict, as the failure of a test."""


class ExerciseFile(pytest.File):
    """One stub, which stands for the learner's copy of it."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the one test."""
        for exercise in load():
            if exercise.stub == self.path:
                yield ExerciseItem.from_parent(self, name=exercise.id, exercise=exercise)


class ExerciseItem(pytest.Item):
    """The grading of one exercise."""

    def __init__(self, *, exercise: Exercise, name: str, parent: pytest.File) -> None:
        super().__init__(name, parent)
        self.exercise = exercise

    def runtest(self) -> None:
        """Grade; anything but a pass fails."""
        verdict = session.check(self.exercise)
        if not verdict.passed:
            raise NotPassed(render.text(verdict))

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str:
        """Return the verdict instead of a traceback."""
        if isinstance(excinfo.value, NotPassed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return what the headline of a failure says."""
        return self.path, 0, self.exercise.id


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect every stub below `exercises/`."""
    if file_path.suffix == ".py" and file_path.name != "conftest.py":
        return ExerciseFile.from_parent(parent, path=file_path)
    return None
