"""The progress file: plain, atomic, portable; and predictions, which live in it."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from playground import workspace
from playground.grading import Status, Verdict, predictions, progress
from playground.grading.predictions import PredictionError, predict, reveal
from playground.grading.progress import ProgressError


def verdict(status: Status) -> Verdict:
    return Verdict("twice", "Twice", status)


def test_a_pass_is_never_taken_back(course: Path, recorded) -> None:
    for status in (Status.NOT_SOLVED, Status.FAILED, Status.PASSED, Status.FAILED, Status.BROKEN):
        progress.record_verdict(verdict(status))
    entry = recorded()["exercises"]["twice"]
    assert entry["status"] == "passed"
    assert entry["attempts"] == 3


def test_the_file_is_portable_and_keeps_what_it_does_not_know(course: Path, recorded) -> None:
    workspace.write_json_atomic(
        progress.path(), {"format": 1, "later": [1], "exercises": {"old": {"x": 1}}}
    )
    progress.record_verdict(verdict(Status.PASSED))
    data = recorded()
    assert data["later"] == [1]
    assert data["exercises"]["old"] == {"x": 1}
    text = progress.path().read_text("utf-8")
    assert str(workspace.root()) not in text
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    "text",
    ["[]", '{"format": 99}', '{"format": "x"}', '{"exercises": []}', '{"predictions": {"a": 1}}'],
)
def test_a_file_of_another_kind_is_a_sentence_and_stays(course: Path, text: str) -> None:
    progress.path().parent.mkdir(parents=True)
    progress.path().write_text(text)
    with pytest.raises(ProgressError, match="start afresh"):
        progress.record_hint("twice", 1)
    assert progress.path().read_text() == text


def carried(tmp_path: Path, **entry: object) -> Path:
    file = tmp_path / "carried.json"
    file.write_text(json.dumps({"format": 1, "exercises": {"twice": entry}}))
    return file


def test_imported_progress_is_merged_and_loses_nothing(course: Path, tmp_path, recorded) -> None:
    file = carried(tmp_path, status="failed", attempts=9, hints=1, cell="theirs", later=1)
    progress.record_verdict(verdict(Status.PASSED))
    progress.record_hint("twice", 2)
    at = recorded()["exercises"]["twice"]["passed_at"]
    assert progress.take(file) == 0
    assert recorded()["exercises"]["twice"] == {
        "status": "passed", "passed_at": at, "attempts": 9, "hints": 2, "later": 1,
    }  # fmt: skip


def test_an_imported_pass_stays_a_pass(course: Path, tmp_path, recorded) -> None:
    progress.record_verdict(verdict(Status.FAILED))
    progress.record_solution("twice")
    assert progress.take(carried(tmp_path, status="passed", solution_shown=False)) == 1
    progress.record_verdict(verdict(Status.FAILED))
    entry = recorded()["exercises"]["twice"]
    assert (entry["status"], entry["attempts"], entry["solution_shown"]) == ("passed", 2, True)


def test_of_two_predictions_the_later_one_counts(course: Path, tmp_path, recorded) -> None:
    progress.record_prediction("mine", 1.0, "s")
    progress.record_prediction("theirs", 1.0, "s")
    theirs = {
        name: {"answer": 2.0, "unit": "s", "at": at}
        for name, at in (("mine", "2001"), ("theirs", "2999"), ("new", "2001"))
    }
    file = tmp_path / "carried.json"
    file.write_text(json.dumps({"exercises": {}, "predictions": theirs}))
    progress.take(file)
    answers = {name: entry["answer"] for name, entry in recorded()["predictions"].items()}
    assert answers == {"mine": 1.0, "theirs": 2.0, "new": 2.0}


def test_an_export_keeps_what_its_file_has(course: Path, tmp_path: Path) -> None:
    file = carried(tmp_path, status="passed", passed_at="2026-01-01T00:00:00+00:00")
    progress.record_verdict(verdict(Status.FAILED))
    assert progress.export(file) == 1
    assert json.loads(file.read_text())["exercises"]["twice"]["status"] == "passed"
    text = file.with_name("letter.txt")
    text.write_text("Dear all")
    with pytest.raises(ProgressError, match="not valid JSON"):
        progress.export(text)
    assert text.read_text() == "Dear all"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JSON"),
        ("\xff", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "holds no progress"),
        ("{}", "holds no progress"),
        ('{"exercises": {}, "format": 99}', "has format 99"),
        ('{"exercises": {"a": 1}}', "'exercises' that are not as they should be"),
        ('{"exercises": {"a": {"attempts": "many"}}}', "'attempts' of 'a' wrongly"),
        ('{"exercises": {"a": {"status": null}}}', "'status' of 'a' wrongly"),
    ],
)
def test_a_malformed_import_is_a_sentence_and_changes_nothing(
    course: Path, tmp_path: Path, recorded, text: str, words: str
) -> None:
    progress.record_verdict(verdict(Status.PASSED))
    before = recorded()
    file = tmp_path / "carried.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ProgressError, match=words) as caught:
        progress.take(file)
    assert "playground progress --export FILE" in str(caught.value)
    assert recorded() == before


def test_an_import_that_is_not_there_is_a_sentence(course: Path, tmp_path: Path) -> None:
    for file in (tmp_path / "nothing.json", tmp_path):
        with pytest.raises(ProgressError, match="There is no file"):
            progress.take(file)


def _record(name: str) -> None:
    for number in range(20):
        progress.record_hint(f"{name}-{number}", 1)


def test_writers_in_several_processes_lose_nothing(course: Path, recorded) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_record, args=(str(n),)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(recorded()["exercises"]) == 80


def test_a_write_that_fails_leaves_the_old_file(
    course: Path, recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress.record_hint("twice", 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(workspace.WorkspaceError):
        progress.record_hint("twice", 2)
    assert recorded()["exercises"]["twice"]["hints"] == 1
    assert [p.name for p in workspace.root().iterdir() if "progress" in p.name] == ["progress.json"]


# ---- predictions -----------------------------------------------------------------------------


def test_a_prediction_is_recorded_and_revealed(course: Path, recorded, capsys) -> None:
    predict("slow", "How long?", unit="s", answer="1,5 s")
    assert "Your prediction: 1.5 s" in capsys.readouterr().out
    reveal("slow", 3.0)
    out = capsys.readouterr().out
    assert "Measured:        3 s" in out
    assert "It was 2 times what you said" in out
    entry = recorded()["predictions"]["slow"]
    assert (entry["answer"], entry["unit"], entry["measured"]) == (1.5, "s", 3.0)


def test_without_a_prediction_one_kind_sentence(course: Path, capsys) -> None:
    predict("slow", "How long?", unit="s")
    assert "answer=1.5" in capsys.readouterr().out
    reveal("slow", 3.0, unit="s")
    assert "Measured: 3 s. You made no prediction this time" in capsys.readouterr().out
    assert not progress.path().exists()


@pytest.mark.parametrize(
    ("said", "measured", "unit", "words"),
    [
        (2.0, 2.0, "s", "Right, exactly."),
        (2.0, 2.2, "s", "Close: it was 1.10 times"),
        (1.0, 8.0, "s", "It was 8 times what you said. What takes longer than you thought?"),
        (8.0, 2.0, "s", "You said 4 times as much. What did not have to wait for what?"),
        (1.0, 2.0, "of 4", "It was 2 times what you said. What did you leave out?"),
        (9.0, 3.0, "threads", "3 times as much. What did you expect that did not happen?"),
        (0.0, 2.0, "threads", "2 apart. What did you leave out?"),
        (2.0, 0.0, "threads", "2 apart. What did you expect that did not happen?"),
        ("all at once", "all at once", "", "Right"),
        ("all at once", "one by one", "", "came out differently"),
    ],
)
def test_words_for_right_close_and_far(said, measured, unit: str, words: str) -> None:
    assert words in predictions.compared(said, measured, unit)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (1, "processes", "1 process"),
        (1.0, "copies", "1 copy"),
        (1, "seconds", "1 second"),
        (1, "times", "1 time"),
        (1, "branches", "1 branch"),
        (1, "responses", "1 response"),
        (1, "bytes", "1 byte"),
        (1, "caches", "1 cache"),
        (1, "s", "1 s"),
        (1, "ms", "1 ms"),
        (1, "of 8", "1 of 8"),
        (1, "loss", "1 loss"),
        (2, "processes", "2 processes"),
        (0, "copies", "0 copies"),
        (1.04, "seconds", "1.04 seconds"),
    ],
)
def test_one_of_a_unit(value: float, unit: str, words: str) -> None:
    assert predictions.amount(value, unit) == words


@pytest.mark.parametrize("answer", ["1", "1 process", "1 processes", " 1,0 "])
def test_a_unit_may_be_said(answer: str, course: Path, recorded) -> None:
    predict("born", "How many?", unit="processes", answer=answer)
    assert recorded()["predictions"]["born"]["answer"] == 1.0


def test_an_answer_that_makes_no_sense_is_a_sentence(course: Path) -> None:
    with pytest.raises(PredictionError, match="'soon' is no number"):
        predict("slow", "How long?", unit="s", answer="soon")
    with pytest.raises(PredictionError, match="none of the options: a, b"):
        predict("which", "Which?", options=["a", "b"], answer="c")
    with pytest.raises(PredictionError, match="finite"):
        predict("slow", "How long?", unit="s", answer="inf")
    with pytest.raises(PredictionError, match="from 0 up"):
        predict("slow", "How long?", unit="s", answer="-5")


def test_the_form_records_what_is_typed_and_chosen(course: Path, recorded) -> None:
    form = predictions._form("slow", "How `long`?", None, "s")
    head, row, state = form.children
    assert "<code>long</code>" in head.value
    text, _, button = row.children
    button.click()
    assert "type an answer first" in state.value
    text.value = "2"
    button.click()
    assert "Noted: 2 s" in state.value
    assert recorded()["predictions"]["slow"]["answer"] == 2.0
    _, column, state = predictions._form("which", "Which?", ["a", "b"], "").children
    column.children[0].value = "b"
    column.children[1].click()
    assert recorded()["predictions"]["which"]["answer"] == "b"
    assert json.dumps(recorded())
