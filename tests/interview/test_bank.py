"""The bank keeps its rules, and the rules find what breaks them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from playground import workspace
from playground.interview import bank

CHECKOUT = workspace.checkout()
QUESTIONS = bank.load()

GOOD: dict[str, Any] = {
    "id": "wsgi-what-is-it",
    "level": "junior",
    "question": "What is it, and who calls it?",
    "short": "short " * 60,
    "long": "long " * 200,
    "follow_ups": ["Why?", "And then?"],
    "wrong": "wrong " * 20,
    "evidence": {"shows": "One sees that it is so.", "code": "print(1)\nassert 1 + 1 == 2"},
}


def toml(entry: dict[str, Any]) -> str:
    """A question as a file has it; a JSON value is a TOML value too."""
    evidence = entry.get("evidence")
    lines = [f"{name} = {json.dumps(value)}" for name, value in entry.items() if name != "evidence"]
    if isinstance(evidence, dict):
        lines += ["[question.evidence]"]
        lines += [f"{name} = {json.dumps(value)}" for name, value in evidence.items()]
    elif evidence is not None:
        lines.append(f"evidence = {json.dumps(evidence)}")
    return "\n".join(["[[question]]", *lines, ""])


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., list[str]]:
    """The problems of a bank with these questions."""

    def found(*entries: dict[str, Any], name: str = "02_wsgi") -> list[str]:
        text = "\n".join(toml(entry) for entry in entries)
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
        return bank.problems(tmp_path)

    return found


def test_the_bank_breaks_no_rule() -> None:
    assert bank.problems() == []


def test_the_bank_is_whole() -> None:
    assert bank.gaps(QUESTIONS) == []


def test_levels_are_mixed() -> None:
    counted = Counter(each.level for each in QUESTIONS)
    assert all(counted[level] >= len(QUESTIONS) / 20 for level in bank.LEVELS), counted


def test_answers_are_of_the_installed_versions() -> None:
    named = {name for each in QUESTIONS for name in each.versions}
    assert {name: version(name) for name in named} == {name: bank.pinned()[name] for name in named}


def test_tests_that_are_evidence_exist() -> None:
    known = "tests/interview/test_practice.py::test_intervals_are_spoken"  # and so is found
    tests = sorted({known, *(each.evidence.test for each in QUESTIONS if each.evidence.test)})
    line = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([*line, *tests], cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    collected = done.stdout.splitlines()
    missing = [test for test in tests if not any(each.startswith(test) for each in collected)]
    assert missing == []


def test_a_good_question_has_no_problem(found: Callable[..., list[str]]) -> None:
    assert found(GOOD) == []


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "an id of one word": ({"id": "wsgi"}, "hyphens"),
    "an id with capitals": ({"id": "WSGI-what"}, "hyphens"),
    "another level": ({"level": "boss"}, "junior, mid, senior, staff"),
    "a short that is long": ({"short": "word " * 96}, "short has 96 words"),
    "a short that is too short": ({"short": "word " * 39}, "short has 39 words"),
    "a long that is short": ({"long": "word " * 149}, "long has 149 words"),
    "a long that is too long": ({"long": "word " * 331}, "long has 331 words"),
    "no word against the wrong": ({"wrong": "No."}, "wrong has 1 words"),
    "one follow-up": ({"follow_ups": ["Why?"]}, "1 follow-ups"),
    "five follow-ups": ({"follow_ups": ["Why?"] * 5}, "5 follow-ups"),
    "an empty follow-up": ({"follow_ups": ["Why?", " "]}, "empty"),
    "a number among them": ({"follow_ups": ["Why?", 2]}, "list of strings"),
    "a heading": ({"long": "# Title\n" + "word " * 200}, "heading"),
    "half a code span": ({"short": "`code " + "word " * 50}, "back-tick"),
    "a field of no question": ({"author": "me"}, "'author'"),
    "a version that is not pinned": ({"versions": ["nginx"]}, "does not pin"),
    "a version in capitals": ({"versions": ["Gunicorn"]}, "does not pin"),
    "a version that is not named": ({"versions": ["gunicorn"]}, "should name gunicorn"),
    "no evidence": ({"evidence": {"shows": "One sees that it is so."}}, "either"),
    "evidence that is text": ({"evidence": "trust me"}, "must be dict"),
}
EVIDENCES = {
    "no Python": ("def (", "no Python"),
    "nothing printed": ("assert 1 + 1 == 2", "prints nothing"),
    "nothing claimed": ("print(1)", "assert its claim"),
    "nothing doubted": ("print(1)\nassert True", "assert its claim"),
    "the stopwatch": ("print(1)\nassert run.summary()['x'] or reply.latency_s < 1", "latency_s"),
    "too wide": (f"print('{'x' * 80}')\nassert 1 + 1 == 2", "cannot be shown in 78 columns"),
    "26 lines": ("print(1)\n" * 25 + "assert 1 + 1 == 2", "26 lines"),
}
TESTS = {
    "no file": ("tests/interview/test_none.py::test_it", "no test file"),
    "a file elsewhere": ("playground/cli.py::app", "no test file"),
    "no such test": ("tests/interview/test_bank.py::test_none", "no test 'test_none'"),
    "a whole file": ("tests/interview/test_bank.py", "no test ''"),
    "no test at all": ("tests/interview/test_bank.py::toml", "no test 'toml'"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_broken_rule_is_a_sentence(found: Callable[..., list[str]], what: str) -> None:
    change, words = CHANGES[what]
    (problem,) = found(GOOD | change)
    assert problem.startswith("02_wsgi.toml, ")
    assert words in problem


@pytest.mark.parametrize("what", EVIDENCES)
def test_an_evidence_that_shows_nothing(found: Callable[..., list[str]], what: str) -> None:
    code, words = EVIDENCES[what]
    (problem,) = found(GOOD | {"evidence": {"shows": "One sees that it is so.", "code": code}})
    assert words in problem


@pytest.mark.parametrize("what", TESTS)
def test_a_test_that_is_not_there(found: Callable[..., list[str]], what: str) -> None:
    test, words = TESTS[what]
    (problem,) = found(GOOD | {"evidence": {"shows": "One sees that it is so.", "test": test}})
    assert words in problem


@pytest.mark.parametrize("name", list(GOOD))
def test_a_field_that_is_missing(found: Callable[..., list[str]], name: str) -> None:
    entry = {key: value for key, value in GOOD.items() if key != name}
    (problem,) = found(entry)
    assert problem.endswith(f"{name} is missing.")


def test_a_version_in_the_text_belongs_into_versions(found: Callable[..., list[str]]) -> None:
    number = bank.pinned()["gunicorn"]
    entry = GOOD | {"short": f"Gunicorn {number}. " + "word " * 50}
    (problem,) = found(entry)
    assert "add 'gunicorn' to versions" in problem
    assert found(entry | {"versions": ["gunicorn"]}) == []
    older = GOOD | {"short": f"Gunicorn {number}.1 " + "word " * 50, "versions": ["gunicorn"]}
    (problem,) = found(older)
    assert f"should name gunicorn {number}" in problem


def test_nothing_is_there_twice(found: Callable[..., list[str]]) -> None:
    assert found(GOOD, GOOD | {"question": "Who is it that calls it?"}) == [
        "2 questions have the same id: 'wsgi-what-is-it'."
    ]
    assert found(GOOD, GOOD | {"id": "wsgi-and-again"}) == [
        "2 questions have the same question: 'What is it, and who calls it?'."
    ]


def test_a_file_is_named_as_its_chapter(found: Callable[..., list[str]]) -> None:
    assert found(GOOD, name="02_asgi") == [
        "02_asgi.toml: no chapter is called so; name it as its notebook is."
    ]


@pytest.mark.parametrize("text", ["question = 1", "[[question", "[[question]]\n[x]", "\xff"])
def test_a_file_that_is_no_bank(tmp_path: Path, text: str) -> None:
    (tmp_path / "02_wsgi.toml").write_text(text, "latin-1")
    (problem, *_) = bank.problems(tmp_path)
    assert problem.startswith("02_wsgi.toml")
    with pytest.raises(bank.BankError, match=r"^02_wsgi\.toml"):
        bank.load(tmp_path)


def test_gaps_are_sentences() -> None:
    assert bank.gaps(QUESTIONS[:3]) == [
        "3 questions; there should be 80 or more.",
        "No questions for chapter 01, 02, 03, 04, 05, 06, 07, 08, 09, 10, 11.",
        *(gap for gap in bank.gaps(QUESTIONS[:3])[2:] if gap.startswith("No questions of level")),
    ]


def test_selection(tmp_path: Path) -> None:
    (tmp_path / "02_wsgi.toml").write_text(toml(GOOD) + toml(GOOD | {"level": "mid"}))
    (tmp_path / "03_restaurant.toml").write_text(toml(GOOD | {"level": "mid"}))
    questions = bank.load(tmp_path)
    for chapter in ("2", "02", "02_wsgi"):
        (chosen,) = bank.select(questions, chapter, "mid")
        assert (chosen.chapter, chosen.level) == ("02", "mid")
    assert bank.select(questions) == questions
    assert bank.select(questions, level="staff") == []
    with pytest.raises(bank.BankError, match="00 to 11"):
        bank.select(questions, "12")
    with pytest.raises(bank.BankError, match="no level 'chief'"):
        bank.select(questions, level="chief")


def test_an_unknown_id_proposes_one() -> None:
    wanted = QUESTIONS[0].id
    with pytest.raises(bank.BankError, match=f"Did you mean {wanted}"):
        bank.find(wanted[:-3], QUESTIONS)
    with pytest.raises(bank.BankError, match="--list"):
        bank.find("", QUESTIONS)
