"""The commands, in processes of their own where that matters; watch mode; pytest on exercises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from playground import workspace
from playground.cli import app
from playground.grading.exercise import Exercise
from playground.grading.watch import saves

RIGHT = "def double(data):\n    return data * 2\n"
CHECKOUT = Path(__file__).resolve().parents[2]


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
    assert "0 of 1 passed" in run("progress").output


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


def test_watch_wants_one_exercise(course: Path) -> None:
    assert run("check", "--watch").exit_code == 2


def test_verify_counts_the_promises(twice: Exercise) -> None:
    result = run("exercises", "verify", "twice")
    assert "5/5 ✓ twice: mutant once" in result.output
    assert "at least 4 mutants" in result.output
    assert result.exit_code == 1


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


def test_watch_grades_again_after_each_save(tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    path.write_bytes(b"one")
    stop = threading.Event()
    seen = []
    try:
        for content in saves(path, stop):
            seen.append(content)
            if content == b"one":
                (tmp_path / "other.py").write_bytes(b"no matter")
                replacement = tmp_path / "work.py.swap"  # as editors save
                replacement.write_bytes(b"two")
                replacement.replace(path)
            elif content == b"two":
                path.write_bytes(b"three")
            else:
                break
    finally:
        stop.set()
    assert seen == [b"one", b"two", b"three"]


@pytest.mark.parametrize(("solved", "code"), [(False, 1), (True, 0)])
def test_pytest_grades_the_learners_file(tmp_path: Path, solved: bool, code: int) -> None:
    if solved:
        target = tmp_path / "exercises/01_socket/request_line.py"
        target.parent.mkdir(parents=True)
        target.write_bytes((CHECKOUT / "solutions/01_socket/request_line.py").read_bytes())
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "exercises/01_socket/request_line.py", "-q"],
        cwd=CHECKOUT,
        env={**os.environ, "PLAYGROUND_WORKSPACE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == code, result.stdout
    assert ("1 passed" if solved else "not solved yet") in result.stdout
    assert "Traceback" not in result.stdout
