"""The commands, in processes of their own where that matters; pytest on exercises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from playground import workspace
from playground.cli import app
from playground.grading import Status, Verdict, exercise, progress, session
from playground.grading.cli import _catalogue
from playground.grading.exercise import Exercise

RIGHT = "def double(data):\n    return data * 2\n"
CHECKOUT = Path(__file__).resolve().parents[2]
SOLUTION = CHECKOUT / "solutions/01_socket/request_line.py"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_check_says_it_in_a_panel_and_by_exit_code(twice: Exercise) -> None:
    result = run("check", "twice")
    assert result.exit_code == 1
    assert "○ twice: not solved yet" in result.output
    twice.learners_file().write_text(RIGHT)
    result = run("check", "exercises/01_socket/double.py")
    assert result.exit_code == 0
    assert "✓ twice: passed, all 1 checks" in result.output


def test_check_of_another_file_is_not_recorded(twice: Exercise) -> None:
    assert run("check", "twice", "--file", str(twice.solution)).exit_code == 0
    assert "0 of 1" in run("progress").output


def test_check_without_names_checks_all_and_gives_json(twice: Exercise) -> None:
    assert "not solved yet" in run("check").output
    twice.learners_file().write_text("def double(data):\n    return data\n")
    (line,) = run("check", "--json").output.splitlines()
    data = json.loads(line)
    assert data["status"] == "failed"
    assert data["checks"] == {"Returns the bytes twice": False}
    assert data["message"]["came back"] == "returned b'ab'"


def test_hint_solution_progress_exercises(twice: Exercise) -> None:
    assert "Hint 1 of 3: a nudge" in run("hint", "twice").output
    assert "Hint 2 of 3: the concept" in run("hint", "twice").output
    assert "almost the code" in run("hint", "twice", "--layer", "3").output
    refused = run("solution", "twice")
    assert refused.exit_code == 1
    assert "You have not passed twice yet" in str(refused.exception)
    assert "data + data" in run("solution", "twice", "--show").output
    assert json.loads(run("progress", "--json").output)["exercises"]["twice"]["hints"] == 3
    listed = run("exercises").output
    assert "twice" in listed
    assert "easy" in listed
    assert twice.rel in listed
    assert str(workspace.root() / "exercises") in listed.replace("\n", "")


def test_a_solution_is_never_cut_at_the_edge(twice: Exercise) -> None:
    long = f"# {'a comment ' * 9}to the end"
    twice.solution.write_text(f"{long}\n{RIGHT}")
    assert run("solution", "twice", "--show").output == twice.solution.read_text()


def test_every_file_is_listed_in_one_piece() -> None:
    catalogue = exercise.load()
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(_catalogue(catalogue, {}, files=True))
    assert {each.rel for each in catalogue} <= set(console.export_text().split())


def test_watch_wants_one_exercise(course: Path) -> None:
    assert run("check", "--watch").exit_code == 2


def test_progress_counts_chapters_and_minutes(twice: Exercise) -> None:
    row = run("progress").output.splitlines()[1].split()
    assert (row[:2], row[3:]) == (["01", "socket"], ["0", "of", "1", "2", "2"])
    twice.learners_file().write_text(RIGHT)
    assert run("check").exit_code == 0
    row = run("progress").output.splitlines()[1].split()
    assert (row[:2], row[3:]) == (["01", "socket"], ["1", "of", "1", "2", "✓"])
    assert "✓ passed" in run("progress", "1").output
    assert run("progress", "77").exit_code == 2


def test_progress_travels(twice: Exercise, tmp_path: Path) -> None:
    twice.learners_file().write_text(RIGHT)
    run("check")
    carried = tmp_path / "stick/mine.json"
    assert "1 pass written to" in run("progress", "--export", str(carried)).output
    progress.path().unlink()
    assert "1 new pass from" in run("progress", "--import", str(carried)).output
    assert "0 new passes from" in run("progress", "--import", str(carried)).output
    assert "1 of 1" in run("progress").output


def test_update_takes_what_is_new_and_tells_what_it_left(course: Path, twice: Exercise) -> None:
    other = course / "exercises/01_socket/other.py"
    other.write_text("# one\n")
    assert run("update").output.split() == [
        "new", "exercises/01_socket/double.py", "new", "exercises/01_socket/other.py",
    ]  # fmt: skip
    assert "Nothing to update" in run("update").output
    twice.learners_file().write_text(RIGHT)
    other.write_text("# two\n")
    twice.stub.write_text("# a better stub\n")
    shown = run("update").output
    assert "changed   exercises/01_socket/other.py" in shown
    assert "left      exercises/01_socket/double.py" in shown
    assert "playground reset 01_socket/double.py" in shown
    assert twice.learners_file().read_text() == RIGHT


def test_two_exercises_are_checked_at_the_same_time(
    course: Path, twice: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2)  # breaks when one comes alone

    def check(each: Exercise, *_: object, **__: object) -> Verdict:
        together.wait(20)
        return Verdict(each.id, each.title, Status.PASSED)

    monkeypatch.setattr(session, "check", check)
    monkeypatch.setattr(exercise, "find", lambda name: replace(twice, id=name))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    result = run("check", "one", "two", "--json")
    assert [json.loads(line)["exercise"] for line in result.output.splitlines()] == ["one", "two"]


def test_an_unknown_exercise_is_one_sentence(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "playground", "check", "http-request-lime"],
        cwd=CHECKOUT,
        env={**os.environ, "PLAYGROUND_WORKSPACE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "Did you mean http-request-line?" in result.stderr


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (None, 1, "not solved yet"),
        (SOLUTION.read_text(), 0, "1 passed"),
        ("def another_name(line): ...\n", 1, "there is no parse_request_line"),
    ],
    ids=["stub", "solution", "no such function"],
)
def test_pytest_grades_the_learners_file(
    tmp_path: Path, source: str | None, code: int, words: str
) -> None:
    """A missing function is one failing test, not a vanished module."""
    if source is not None:
        target = tmp_path / "exercises/01_socket/request_line.py"
        target.parent.mkdir(parents=True)
        target.write_text(source)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "exercises/01_socket/request_line.py", "-q"],
        cwd=CHECKOUT,
        env={**os.environ, "PLAYGROUND_WORKSPACE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == code, result.stdout
    assert words in result.stdout
    assert ("1 passed" if code == 0 else "1 failed") in result.stdout
    assert "Traceback" not in result.stdout
