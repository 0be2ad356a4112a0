"""Evidence: every one of the bank holds here, and one that does not says why."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from playground.interview import bank, evidence
from playground.interview.bank import Evidence
from playground.patience import ended

CODED = [each for each in bank.load() if each.evidence.code]
DEADLINE_S = 100.0  # stops a hang, on a machine that has much else to do


@pytest.mark.parametrize("question", CODED, ids=lambda question: question.id)
def test_the_claim_holds(question: bank.Question) -> None:
    outcome = evidence.run(question.evidence, deadline_s=DEADLINE_S)
    assert outcome.held, f"{outcome.trouble}\n{outcome.printed}"
    assert 1 <= len(outcome.printed.splitlines()) <= 12


def run(code: str, deadline_s: float = DEADLINE_S) -> evidence.Outcome:
    return evidence.run(Evidence("It is so.", code=code), deadline_s=deadline_s)


def test_a_claim_that_does_not_hold_is_told_with_its_line() -> None:
    outcome = run("print('one')\nassert 1 == 2, 'one is one'")
    assert not outcome.held
    assert outcome.printed == "one"
    assert outcome.trouble == (
        "The claim does not hold on this machine. Line 2: assert 1 == 2, 'one is one'"
        "  AssertionError: one is one"
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("open('menu')", "Line 1: open('menu')  FileNotFoundError"),
        ("def (", "SyntaxError"),
        ("import os\nos.kill(os.getpid(), 9)", "ended by SIGKILL"),
        ("raise SystemExit(3)", "ended with code 3"),
        ("open('big', 'wb').truncate(1 << 30)", "File too large"),
    ],
)
def test_what_goes_wrong_is_a_sentence(code: str, words: str) -> None:
    outcome = run(code)
    assert not outcome.held
    assert words in outcome.trouble


def test_nothing_is_left_behind() -> None:
    code = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "print(os.getcwd(), child.pid, flush=True)\n"
        "os._exit(0)"
    )
    outcome = run(code)
    assert outcome.held
    folder, pid = outcome.printed.split()
    assert not Path(folder).exists()
    last = time.monotonic() + DEADLINE_S
    while not ended(int(pid)):
        assert time.monotonic() < last, "it goes on"
        time.sleep(0.01)


def test_what_does_not_end_is_stopped() -> None:
    outcome = run("import threading\nthreading.Event().wait()", deadline_s=1.0)
    assert outcome.trouble == "It was not done within 1 s, so it was stopped."


def test_a_flood_is_cut() -> None:
    outcome = run("print('soup' * 100_000)")
    assert outcome.held
    assert len(outcome.printed) < evidence.SHOWN_CHARS + 20
    assert outcome.printed.endswith("… and more")


def test_no_colour_and_no_test_of_ours_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    code = "import os\nprint(os.environ['NO_COLOR'], *(n for n in os.environ if 'PYTEST' in n))"
    assert run(f"{code}\nprint('FORCE_COLOR' in os.environ)").printed == "1\nFalse"


def test_a_test_of_the_suite_is_evidence() -> None:
    test = "tests/interview/test_practice.py::test_intervals_are_spoken"
    outcome = evidence.run(Evidence("It is so.", test=test), deadline_s=DEADLINE_S)
    assert outcome.held, outcome.printed
    assert "7 passed" in outcome.printed
    text = evidence.source(Evidence("It is so.", test=test))
    assert text.startswith("@pytest.mark.parametrize(")
    assert text.endswith("== words")


def test_a_test_that_does_not_pass(tmp_path: Path) -> None:
    file = tmp_path / "test_soup.py"
    file.write_text("def test_soup():\n    assert 'soup' == 'salad'\n")
    outcome = evidence.run(Evidence("It is so.", test=f"{file}::test_soup"), deadline_s=DEADLINE_S)
    assert not outcome.held
    assert outcome.trouble == "The test does not pass on this machine."
    assert "assert 'soup' == 'salad'" in outcome.printed
