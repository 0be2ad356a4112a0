"""Predict the timeline: questions from a seed, hypotheses that differ, runs judged by structure."""

import json
import os
import re
import subprocess
import sys

import pytest
from rich.console import Console
from typer.testing import CliRunner

from playground import workspace
from playground.interview import outcome, predict, predict_terminal, predictions, timelines
from playground.interview.cli import app
from playground.interview.hypotheses import Asked, Model, Schedule, Span, schedule
from playground.interview.outcome import OTHER, RIGHT, SOUND, Answer
from playground.interview.predict import PredictError, Question

WAITS = (Asked(wait=1.0),) * 6
COMPUTES = (Asked(compute=1.0),) * 6


def named(setup: str, framework: str, work: str, load: str = "together") -> Question:
    return predict.make(setup, framework, work, load)


def spans(*times: tuple[float, float]) -> Schedule:
    return Schedule(tuple(Span(0.0, begin, end) for begin, end in times))


@pytest.fixture(autouse=True)
def _own_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path / "workspace"))


# ---- hypotheses


@pytest.mark.parametrize(
    ("model", "asked", "peak", "total", "longest_wait"),
    [
        (Model(1, 1), WAITS, 1, 6, 5),
        (Model(2, 1), WAITS, 2, 3, 2),
        (Model(1, 4), WAITS, 4, 2, 1),
        (Model(1, None, 1, share=False), WAITS, 6, 1, 0),  # a loop, and what lets go of it
        (Model(1, None, 1, share=False), COMPUTES, 1, 6, 5),  # … and what does not
        (Model(2, None, 1, share=False), COMPUTES, 2, 3, 2),
        (Model(1, 3, 1), COMPUTES, 3, 6, 3),  # threads that share the GIL
        (Model(4, 1, cores=2), COMPUTES, 4, 3, 2),  # more processes than processors
        (Model(1, 1), (Asked(wait=2.5), *WAITS[1:]), 1, 7.5, 6.5),
        (Model(1, 1), tuple(Asked(at=0.4 * n, wait=1.0) for n in range(6)), 1, 6, 3),
    ],
)
def test_a_model_gives_the_schedule_that_one_works_out_by_hand(
    model, asked, peak, total, longest_wait
):
    found = schedule(model, asked)
    assert found.peak == peak
    assert found.total == pytest.approx(total)
    assert found.longest_wait == pytest.approx(longest_wait)


def test_a_health_check_waits_behind_all_others_or_finds_a_free_way():
    behind = schedule(Model(1, 1), WAITS, probe_at=0.5)
    assert behind.probe.end == pytest.approx(6)
    free = schedule(Model(1, None, 1, share=False), WAITS, probe_at=0.5)
    assert free.probe.end == pytest.approx(0.5)


def test_services_that_only_touch_are_not_at_once():
    assert spans((0, 1), (1, 2), (2, 3)).peak == 1
    assert spans((0, 1.02), (1, 2.02), (2, 3)).peak == 1
    assert spans((0, 1), (0.5, 1.5), (2, 3)).peak == 2


# ---- questions


def test_one_seed_always_asks_the_same_and_another_seed_does_not():
    first, again = (predict.generate(7, 24) for _ in range(2))
    assert [one.as_data() for one in first] == [one.as_data() for one in again]
    assert [one.key for one in predict.generate(7, 5)] == [one.key for one in first[:5]]
    assert [one.key for one in first] != [one.key for one in predict.generate(8, 24)]


def test_a_seed_has_more_than_twenty_questions_and_no_two_alike():
    for seed in (0, 1, 2**40):
        found = predict.generate(seed, 40)
        assert len({one.key for one in found}) == 40
        assert {one.work.name for one in found} == set(predict.WORKS)
        assert {one.load for one in found} == set(predict.LOADS)


def test_every_combination_of_the_catalogue_has_a_question_under_every_load():
    combinations = predict.combinations()
    assert len(combinations) > 200
    assert {setup for setup, _, _ in combinations} == set(predict.SETUPS)
    for one in combinations:
        for load in predict.LOADS:
            asked = predict.make(*one, load)
            shown = [drawn.schedule for drawn in asked.pictures]
            assert 2 <= len(shown) <= len(predict.LETTERS)
            assert shown.count(asked.expected) == 1
            assert all(asked.nearest(one.schedule) == one for one in asked.pictures), asked.key


def test_every_combination_is_drawn_by_some_seed():
    wanted, found = set(predict.combinations()), set()
    for seed in range(40):
        for one in predict.generate(seed, 200):
            found.add((one.choice.setup, one.choice.framework, one.work.name))
        if found == wanted:
            return
    assert found == wanted


def test_a_question_tells_no_answer():
    told = json.dumps(predict.question(3, 1).as_data())
    assert "expected" not in told


@pytest.mark.parametrize("wrong", [-1, 1.5, "7", None, True])
def test_a_seed_that_is_none_is_a_sentence(wrong):
    with pytest.raises(PredictError, match="seed is a whole number"):
        predict.generate(wrong)


def test_a_combination_that_cannot_be_is_a_sentence():
    with pytest.raises(PredictError, match="do not go together"):
        predict.make("gunicorn-sync", "fastapi", "waiting", "together")


# ---- judging


def test_what_ran_decides_and_the_capacity_stands_beside_it():
    asked = named("uvicorn-workers", "starlette", "cpu")
    workers, n = asked.choice.workers, asked.n
    assert asked.expected.peak == workers == 2
    one_by_one = spans(*((place, place + 1.0) for place in range(n)))  # one process got them all
    by_capacity = next(one for one in asked.pictures if one.schedule == asked.expected)
    ran = asked.nearest(one_by_one)
    assert ran.schedule.peak == 1
    numbers = {"at_once": 1.0, "total": float(n), "longest_wait": n - 1.0}
    right = outcome.judge(asked, Answer(ran.letter, numbers), one_by_one)
    assert [row.verdict for row in right.rows] == [RIGHT] * 4
    assert by_capacity.letter in right.note
    sound = outcome.judge(asked, Answer(by_capacity.letter, numbers), one_by_one)
    assert sound.rows[0].verdict == SOUND
    other = next(one for one in asked.pictures if one not in (ran, by_capacity))
    assert outcome.judge(asked, Answer(other.letter, numbers), one_by_one).rows[0].verdict == OTHER


def test_a_run_that_took_longer_than_its_picture_is_told():
    asked = named("uvicorn-workers", "starlette", "cpu")
    slower = Schedule(
        tuple(Span(0, 2 * one.begin, 2 * one.begin + 1) for one in asked.expected.spans)
    )
    answer = Answer(asked.nearest(slower).letter, _numbers(asked))
    note = outcome.judge(asked, answer, slower).note
    assert "and yet it took" in note
    assert outcome.UNSETTLED in note
    assert outcome.judge(asked, answer, asked.expected).note == ""


def test_times_may_be_near_and_counts_may_not():
    asked = named("gunicorn-sync", "flask", "waiting")
    seen = schedule(Model(1, 1), asked.asked)
    letter = asked.nearest(seen).letter
    near = {"at_once": 2.0, "total": seen.total * 1.1, "longest_wait": seen.longest_wait - 0.3}
    verdicts = [
        row.verdict == RIGHT for row in outcome.judge(asked, Answer(letter, near), seen).rows
    ]
    assert verdicts[1:] == [asked.expected.peak == seen.peak == 2, True, True]


@pytest.mark.parametrize(
    ("text", "key"),
    [("", "total"), ("x", "total"), ("nan", "total"), ("-1", "total"), ("1.5", "at_once")],
)
def test_what_is_no_number_is_a_sentence(text, key):
    number = next(one for one in named("waitress", "wsgi", "waiting").numbers if one.key == key)
    with pytest.raises(PredictError, match="is not a"):
        predict.parse_number(text, number)


def test_an_answer_that_is_not_whole_is_a_sentence():
    asked = named("waitress", "wsgi", "waiting")
    with pytest.raises(PredictError, match="There is no picture 'Z'"):
        asked.picture("Z")
    with pytest.raises(PredictError, match="A number is missing"):
        outcome.judge(asked, Answer("A", {}), asked.expected)
    with pytest.raises(PredictError, match="has 3 numbers"):
        predict_terminal.given(asked, "A", "1,2")


# ---- it really runs: one of each work, judged by what overlapped


@pytest.mark.parametrize(
    ("setup", "framework", "work", "load", "unit_s"),
    [
        ("gunicorn-sync", "flask", "waiting", "steady", 0.15),
        ("uvicorn", "fastapi", "upstream", "together", 0.6),
        ("waitress", "wsgi", "streaming", "together", 0.6),
        ("uvicorn", "starlette", "cpu", "together", 0.1),
        ("minimal-wsgi", "wsgi", "native", "together", 0.2),
        ("gunicorn-gevent", "wsgi", "hybrid", "together", 0.6),
        ("uvicorn-h11", "", "block", "probe", 0.15),
        ("gunicorn-asgi", "", "pool", "long", 0.6),
        ("minimal-asgi", "", "pool-cpu", "together", 0.15),
    ],
)
def test_each_work_runs_as_its_capacity_says(monkeypatch, setup, framework, work, load, unit_s):
    for module in (predict, outcome):
        monkeypatch.setattr(module, "UNIT_S", unit_s)
    monkeypatch.setattr(predict, "COUNTS", (4,))
    monkeypatch.setattr(predict, "MOST_WORKERS", 1)
    asked = _with_one_worker(setup, framework, work, load)
    found = outcome.run(asked)
    assert found.trouble == ""
    assert found.seen is not None
    assert found.seen.peak == asked.expected.peak
    assert predict.free_probe(found.seen) == predict.free_probe(asked.expected)


def _with_one_worker(setup: str, framework: str, work: str, load: str) -> Question:
    for seed in range(100):
        asked = predict.make(setup, framework, work, load, seed)
        if asked.choice.workers == 1:
            return asked
    raise AssertionError(f"no question about one worker of {setup}")


# ---- what is seen


@pytest.mark.parametrize("number", range(1, 9))
def test_a_question_fits_into_eighty_columns(number):
    asked = predict.question(5, number)
    out = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    out.print(predict_terminal.question(asked, 80))
    text = out.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("(hypothesis)") == len(asked.pictures)
    for drawn in asked.pictures:
        picture = timelines.svg(drawn, timelines.longest(asked))
        assert "hypothesis" in picture
        assert "<style" not in picture


def test_the_terminal_asks_again_until_an_answer_makes_sense():
    asked = named("uvicorn", "", "block")
    said = iter(["z", "", "b", "many", "1", "4", "3,5"])
    out = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    answer = predict_terminal.ask(asked, out, lambda _: next(said))
    assert answer == Answer("B", {"at_once": 1.0, "total": 4.0, "longest_wait": 3.5})
    assert out.export_text().count("choose one of") == 2


def test_what_was_answered_is_kept_and_the_next_question_is_another():
    assert predictions.following(3) == 1
    for number in (1, 2, 4):
        asked = predict.question(3, number)
        judged = outcome.judge(asked, Answer("A", _numbers(asked)), asked.expected)
        predictions.record(asked, Answer("A", _numbers(asked)), judged)
    assert predictions.following(3) == 3
    assert predictions.following(4) == 1


def test_a_file_that_is_no_list_of_predictions_is_a_sentence():
    predictions.path().parent.mkdir(parents=True)
    predictions.path().write_text('{"format": 99}')
    with pytest.raises(workspace.WorkspaceError, match="move it away"):
        predictions.following(1)


def _numbers(asked: Question) -> dict[str, float]:
    return {one.key: one.of(asked.expected) for one in asked.numbers}


def command(*words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", "interview", "predict", *words],
        input=text if text is not None else "",
        capture_output=True,
        text=True,
        timeout=110,
        env={**os.environ, "COLUMNS": "80"},
    )


def test_the_command_asks_runs_and_compares_where_nobody_sits():
    number = next(n for n in range(1, 99) if predict.question(1, n).work.name == "waiting")
    asked = predict.question(1, number)
    done = command("--seed", "1", "--number", str(number), text="A\n1\n1\n1\n")
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d of 4 as it ran", done.stdout)
    assert "by capacity" in done.stdout
    assert "Traceback" not in done.stderr
    assert predictions.load()[-1]["question"] == asked.key


def test_the_command_without_an_answer_says_what_to_do():
    done = command("--seed", "1", "--number", "1")
    assert done.returncode == 1
    assert "--answer B --numbers" in done.stderr
    assert "Traceback" not in done.stderr
    told = CliRunner().invoke(app, ["predict", "--seed", "1", "--number", "2", "--json"])
    assert json.loads(told.stdout)["number"] == 2


def test_the_pictures_of_a_question_are_told_apart_by_words() -> None:
    for number in range(1, 60):
        pictures = predict.question(1, number).pictures
        told = [one.told for one in pictures]
        assert len(set(told)) == len(told), (number, told)
