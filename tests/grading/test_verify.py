"""The promises of an exercise: each way to break one is found, and named."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.grading import exercise, verify
from playground.grading.exercise import Exercise, ExerciseError


def broken(found: Exercise) -> dict[str, str]:
    return {p.name: problem for p in verify.promises(found) if (problem := p.problem())}


def test_only_the_missing_mutants_are_missed(twice: Exercise) -> None:
    assert list(broken(twice)) == ["data"]


def test_a_stub_that_passes_or_cannot_be_imported(twice: Exercise) -> None:
    twice.stub.write_text(twice.solution.read_text())
    assert "the stub is passed" in broken(twice)["stub"]
    twice.stub.write_text("import nonesuch\n")
    assert "cannot be imported" in broken(twice)["stub"]


def test_a_solution_and_an_alternative_that_fail(twice: Exercise) -> None:
    twice.solution.write_text("def double(data): return data\n")
    twice.alternatives[0].write_text("def double(data): return 3\n")
    problems = broken(twice)
    assert "returned b'ab'" in problems["solution"]
    assert "returned 3" in problems["alternative times"]


@pytest.mark.parametrize(
    ("mutant", "problem"),
    [
        ("def double(data): return data\n", "no line '# Message:'"),
        (
            "# Message: returned b'ba'\ndef double(data): return data\n",
            "without \"returned b'ba'\"",
        ),
        ("# Message: x\ndef double(data): return b'' + data + data\n", "passed"),
        ("# Message: x\ndef double(data):\n    return data + data\n", "it is the solution"),
    ],
)
def test_a_mutant_that_does_not_do_its_work(twice: Exercise, mutant: str, problem: str) -> None:
    twice.mutants[0].write_text(mutant)
    assert problem in broken(twice)["mutant once"]


def test_stray_files_and_twins(twice: Exercise, course: Path) -> None:
    (course / "exercises/01_socket/notes.txt").write_text("x")
    (course / "tests/exercises/01_socket/double/mutants/again.py").write_text(
        twice.mutants[0].read_text()
    )
    (course / "tests/exercises/test_all.py").write_text("")
    (course / "tests/exercises/01_socket/double/by_hand.py").write_text("")
    assert verify.stray(exercise.load(course), course) == ["exercises/01_socket/notes.txt"]
    assert verify.twins([twice]) == ["twice: mutants again and once are the same"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('id = "twice"', "", "lacks id"),
        ('id = "twice"', 'id = "twice"\nlevel = 3', "has unknown level"),
        ("minutes = 2", "minutes = '2'", "minutes must be int"),
        ('"easy"', '"trivial"', "difficulty must be one of"),
        ('id = "twice"', "id =", "is not TOML"),
    ],
)
def test_data_that_is_not_as_it_should_be(course: Path, old: str, new: str, problem: str) -> None:
    path = course / "tests/exercises/01_socket/double/exercise.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ExerciseError, match=problem):
        exercise.load(course)


def test_two_exercises_with_one_id(course: Path) -> None:
    other = course / "tests/exercises/02_wsgi/copy"
    other.mkdir(parents=True)
    source = course / "tests/exercises/01_socket/double/exercise.toml"
    (other / "exercise.toml").write_text(source.read_text())
    with pytest.raises(ExerciseError, match="same id 'twice'"):
        exercise.load(course)
