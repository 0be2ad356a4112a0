"""A course with one tiny exercise, and a learner's workspace, both in a temporary folder."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from playground import workspace
from playground.grading import Verdict, exercise, grade
from playground.grading.exercise import Exercise

STUB = '''"""Twice."""


def double(data: bytes) -> bytes:
    """Return data twice: double(b"ab") == b"abab"."""
    raise NotImplementedError("your code")
'''
SOLUTION = "def double(data):\n    return data + data\n"
GRADER = '''
from playground.grading import Learner

def check_double(learner: Learner) -> None:
    """Returns the bytes twice."""
    for data in (b"ab", b""):
        learner.expect("double", data).returns(data * 2, why="Twice is twice.", nudge="Add.")

def draw(file):
    return "a picture of " + file.function("double").name
'''
DATA = """
id = "twice"
title = "Twice"
order = 1
difficulty = "easy"
minutes = 2
teaches = "How to say it again."
spec = "none"
hints = ["Say it.", "Say it `again`.", "data + data"]
"""

Judge = Callable[..., Verdict]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the exercise `twice`, and an empty workspace."""
    base = tmp_path / "course"
    files = {
        "exercises/01_socket/double.py": STUB,
        "solutions/01_socket/double.py": SOLUTION,
        "tests/exercises/01_socket/double/exercise.toml": DATA,
        "tests/exercises/01_socket/double/grader.py": GRADER,
        "tests/exercises/01_socket/double/alternatives/times.py": "def double(d): return d * 2\n",
        "tests/exercises/01_socket/double/mutants/once.py": (
            "# Once.\n# Message: returned b'ab'\n\ndef double(data):\n    return data\n"
        ),
    }
    for name, text in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(workspace, "checkout", lambda: base)
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path / "workspace"))
    return base


@pytest.fixture
def twice(course: Path) -> Exercise:
    """The exercise."""
    return exercise.find("twice", course)


@pytest.fixture
def judge(twice: Exercise, tmp_path: Path) -> Judge:
    """Grade a source text as an answer to `twice`."""

    def judge(source: str | bytes, deadline_s: float = 5.0) -> Verdict:
        path = tmp_path / "double.py"
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        return grade(twice, path, deadline_s=deadline_s)

    return judge


@pytest.fixture
def no_new_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail when a process that this test started, or a zombie, is still there at the end."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("TMPDIR", str(place))
    before = _processes(place)
    yield
    assert _processes(place) - before == set()


def _processes(place: Path) -> set[psutil.Process]:
    """All descendants of this test run's process, and whatever works in a folder below `place`."""
    everybody = psutil.process_iter(["cmdline"])
    strays = [each for each in everybody if str(place) in " ".join(each.info["cmdline"] or [])]
    return {*psutil.Process(os.getpid()).children(recursive=True), *strays}


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[[], dict[str, object]]:
    """Read the progress file as it stands."""

    def read() -> dict[str, object]:
        data: dict[str, object] = json.loads((tmp_path / "workspace/progress.json").read_text())
        return data

    return read
