"""The verbs of chapter 12, outside of a notebook; tests/browser has the card itself."""

from __future__ import annotations

import pytest

import playground
from playground.interview import bank

QUESTIONS = bank.load()


def test_questions_counts_and_lists_what_was_asked_for() -> None:
    everything = playground.questions()
    assert str(len(QUESTIONS)) in repr(everything).splitlines()[0]
    assert all(each.id in everything._repr_html_() for each in QUESTIONS)
    some = playground.questions("01", level="mid")
    lines = repr(some).splitlines()[1:]
    assert lines
    assert all(line.startswith("01 mid") for line in lines)


def test_evidence_shows_what_was_run_and_what_came_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    question = QUESTIONS[0]
    playground.evidence(question.id)
    said = capsys.readouterr().out
    assert question.evidence.shows in said
    assert question.evidence.code in said
    assert "✓ The claim held here." in said


def test_practice_outside_of_a_notebook_says_where_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    playground.practice()
    assert "playground interview practice" in capsys.readouterr().out


def test_what_is_unknown_is_a_sentence() -> None:
    for verb in (playground.practice, playground.questions):
        with pytest.raises(bank.BankError, match="00 to 11"):
            verb("99")
    with pytest.raises(bank.BankError, match="no question"):
        playground.evidence("no-such-question")
