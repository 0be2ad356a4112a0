"""`playground course-check`, on a course with one exercise: what is broken, exempt, remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from playground.cli import app
from playground.gate.course_check import EXEMPTIONS, IDS, Report, course_check, given_away
from playground.grading import exercise
from playground.grading.exercise import Exercise, ExerciseError

# it has no notebook, no results of mutation testing, and too few mutants
ALWAYS = ["notebooks", "mutation testing", "twice: data"]
KEPT = 4  # stub, solution, alternative, mutant


@pytest.fixture(autouse=True)
def known_ids(course: Path) -> None:
    (course / IDS).write_text("twice\n")


def run(course: Path) -> Report:
    catalogue = exercise.load(course)
    return course_check(course, catalogue, catalogue, lambda part: None)


def broken(course: Path) -> dict[str, str]:
    return {finding.promise: finding.problem for finding in run(course).broken}


def exempt(course: Path, *promises: str) -> None:
    entries = [f'[[exempt]]\npromise = "{promise}"\nreason = "So."\n' for promise in promises]
    (course / EXEMPTIONS).write_text("\n".join(entries))


def test_every_promise_is_held(course: Path, twice: Exercise) -> None:
    assert list(broken(course)) == ALWAYS
    twice.solution.write_text("def double(data): return data\n")
    (course / "exercises/01_socket/notes.txt").write_text("x")
    (course / IDS).write_text("thrice\n")
    found = broken(course)
    assert "returned b'ab'" in found["twice: solution"]
    assert found["no stray file"] == "exercises/01_socket/notes.txt"
    assert found["ids that stay"] == f"thrice is gone; twice is not in {IDS}"


def test_two_exercises_in_one_place(course: Path, twice: Exercise) -> None:
    other = course / "tests/exercises/01_socket/thrice"
    other.mkdir()
    data = (twice.folder / "exercise.toml").read_text().replace('"twice"', '"thrice"')
    (other / "exercise.toml").write_text(data)
    same = "thrice and twice are both number 1 of chapter 01_socket"
    assert broken(course)["a place of its own"] == same


def test_an_exemption_has_a_reason_and_is_needed(course: Path) -> None:
    exempt(course, *ALWAYS)
    assert run(course).broken == []
    assert run(course).exempt == dict.fromkeys(ALWAYS, "So.")
    exempt(course, *ALWAYS, "twice: stub", "twice: dance")
    found = broken(course)
    assert found == {
        "twice: stub": "is kept: it needs no exemption any more.",
        "twice: dance": "is exempt, and no promise.",
    }


@pytest.mark.parametrize(
    "text",
    ["x", "exempt = 3", '[[exempt]]\npromise = "a"\n', '[[exempt]]\npromise="a"\nreason=" "'],
)
def test_exemptions_that_cannot_be_read_are_a_sentence(course: Path, text: str) -> None:
    (course / EXEMPTIONS).write_text(text)
    with pytest.raises(ExerciseError, match=r"exemptions\.toml"):
        run(course)


def test_what_was_kept_is_asked_again_when_something_has_changed(
    course: Path, twice: Exercise
) -> None:
    assert run(course).remembered == 0
    assert run(course).remembered == KEPT
    twice.solution.write_text("def double(data):\n    return data * 2\n")
    assert run(course).remembered == 0
    twice.solution.write_text("def double(data): return data\n")
    assert "twice: solution" in broken(course)
    assert "twice: solution" in broken(course), "what is broken is never remembered"
    (course / "playground").mkdir()
    (course / "playground/grading.py").write_text("new = True\n")
    assert run(course).remembered == 0, "every verdict rests on the graders"


def test_a_memory_that_cannot_be_read_is_none(course: Path) -> None:
    run(course)
    (course / ".course-check.json").write_text("{")
    assert run(course).remembered == 0
    assert run(course).remembered == KEPT


def test_an_answer_in_the_text(course: Path, twice: Exercise) -> None:
    line = "return b''.join([data, data]) if data else data"
    twice.solution.write_text(f"def double(data):\n    {line}\n")
    assert list(given_away(twice)) == []
    twice.stub.write_text(twice.stub.read_text().replace('"""Twice."""', f'"""{line}"""'))
    assert list(given_away(twice)) == [f"the stub has {line!r}"]
    found = broken(course)
    assert found["twice: no answer in the text"] == f"the stub has {line!r}"


def test_one_exercise_is_asked_alone(course: Path, twice: Exercise) -> None:
    report = course_check(course, [twice], [twice, twice], lambda part: None)
    assert [finding.promise for finding in report.broken] == ["twice: data"]


def test_the_command(course: Path) -> None:
    exempt(course, *ALWAYS)
    told = CliRunner().invoke(app, ["course-check"])
    assert told.exit_code == 0, told.output
    assert "exempt: notebooks: So." in told.output
    assert "0 broken" in told.output
    (course / EXEMPTIONS).unlink()
    told = CliRunner().invoke(app, ["course-check", "--json"])
    assert told.exit_code == 1
    found = json.loads(told.stdout)
    assert [each["promise"] for each in found["broken"]] == ALWAYS
