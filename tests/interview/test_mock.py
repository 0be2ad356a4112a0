"""The mock interview: what it asks, its clock, what is kept, how it goes on, and its report."""

import datetime
import io
import itertools
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time

import pytest
from rich.console import Console
from typer.testing import CliRunner

from playground import workspace
from playground.interview import bank, mock, mock_terminal, mock_widget, outcome, report
from playground.interview.bank import LEVELS, Evidence, Question
from playground.interview.cli import app
from playground.interview.mock import FOLLOWING, PREDICTION, QUESTION, MockError, Sitting
from playground.interview.outcome import Answer
from playground.load.run import Run
from playground.trace.trace import Trace, from_tuples

NOON = datetime.datetime(2030, 6, 1, 12)
CHAPTERS = ("00_welcome", "01_socket", "02_wsgi", "03_restaurant", "04_event_loop")


def question(number: int, level: str, file: str) -> Question:
    name = f"{level}-question-{number}"
    return Question(
        id=name,
        level=level,
        question=f"What does {name} return, and what about start_response?",
        short="It returns a thing called `x.y`. "
        f"That is number {number}. Nobody uses it, e.g. here.",
        long="A long answer.",
        follow_ups=("And then?", "Why not?"),
        wrong="It returns None. It does not.",
        versions=(),
        evidence=Evidence("It prints.", "print(1)\nassert 1 == 1"),
        file=file,
    )


BANK = [question(n, level, CHAPTERS[n % len(CHAPTERS)]) for level in LEVELS for n in range(8)]


class Clock:
    """Stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _own_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path / "workspace"))


@pytest.fixture
def clock():
    return Clock()


def begin(clock: Clock, minutes: int = 30, seed: int = 4, day: int = 0) -> Sitting:
    now = NOON + datetime.timedelta(days=day)
    sitting = mock.begin(BANK, minutes=minutes, seed=seed, clock=clock, now=lambda: now)
    sitting.go_on()
    return sitting


def through(sitting: Sitting, clock: Clock, seconds: float = 60, right: bool = True) -> None:
    while sitting.task is not None:
        task = sitting.task
        sitting.go_on()
        clock.now += seconds
        sitting.write("something")
        sitting.answered()
        count = 4 if task.kind == PREDICTION else len(mock.points_of(sitting.question, task))
        sitting.mark([right] * count, slipped=not right)


# ---- what is asked


def test_half_an_hour_mixes_levels_and_chapters_with_one_prediction_and_follow_ups():
    for seed in range(20):
        tasks = mock.plan(BANK, seed, 30)
        assert {task.level for task in tasks if task.kind == QUESTION} == set(LEVELS)
        assert len({task.file for task in tasks if task.kind == QUESTION}) >= 4
        assert sum(task.kind == PREDICTION for task in tasks) == 1
        assert 1 <= sum(task.kind == FOLLOWING for task in tasks) <= 2
        assert 24 <= sum(task.minutes for task in tasks) <= 30
        for before, task in itertools.pairwise(tasks):
            assert task.kind != FOLLOWING or before.name == task.name
        names = [task.name for task in tasks if task.kind == QUESTION]
        assert len(names) == len(set(names))


def test_the_same_seed_asks_the_same():
    assert mock.plan(BANK, 4, 30) == mock.plan(BANK, 4, 30)
    assert mock.plan(BANK, 4, 30) != mock.plan(BANK, 5, 30)


@pytest.mark.parametrize("minutes", [2, 3, 5, 6, 10, 60, 240])
def test_a_shorter_or_longer_one_fits_its_minutes(minutes):
    tasks = mock.plan(BANK, 1, minutes)
    assert 0 < sum(task.minutes for task in tasks) <= minutes


def test_without_a_seed_the_next_one_asks_other_questions(clock):
    names = []
    for _ in range(2):
        sitting = mock.begin(BANK, minutes=12, clock=clock)
        names.append({task.name for task in sitting.record.tasks if task.kind == QUESTION})
    assert not names[0] & names[1]


@pytest.mark.parametrize("minutes", [0, 1, 241, -3, 1.5, "30", None, True])
def test_minutes_that_make_no_sense_are_a_sentence(minutes):
    with pytest.raises(MockError, match="from 2 to 240 minutes"):
        mock.begin(BANK, minutes=minutes)
    assert mock.records() == []


def test_an_empty_bank_is_a_sentence():
    with pytest.raises(MockError, match="has no questions"):
        mock.begin([])


def test_the_points_of_an_answer_are_its_sentences():
    task = mock.Task(QUESTION, "x", 2)
    assert mock.points_of(BANK[1], task) == (
        "It returns a thing called `x.y`.",
        "That is number 1.",
        "Nobody uses it, e.g. here.",
    )


def test_every_answer_of_the_bank_has_points_to_tick():
    task = mock.Task(QUESTION, "x", 2)
    counts = {one.id: len(mock.points_of(one, task)) for one in bank.load()}
    assert not [name for name, count in counts.items() if not 2 <= count <= 9]


# ---- the clock


def test_the_clock_runs_while_one_answers_and_stands_while_one_marks(clock):
    sitting = begin(clock)
    assert sitting.left_s == 1800
    clock.now += 40
    assert sitting.left_s == 1760
    sitting.answered()
    clock.now += 500  # reads the model answer
    assert sitting.left_s == 1760
    sitting.mark([True])
    clock.now += 500  # reads the two-minute answer
    assert sitting.left_s == 1760
    sitting.go_on()
    clock.now += 10
    assert sitting.left_s == 1750
    assert sitting.record.tasks[0].used_s == 40


def test_when_time_is_up_the_question_is_finished_and_the_interview_ends(clock):
    sitting = begin(clock, minutes=10)
    clock.now += 700
    assert sitting.left_s == -100
    assert sitting.task is sitting.record.tasks[0]
    assert "time is up (+1:40)" in mock_terminal.left(sitting)
    sitting.answered()
    sitting.mark([True, True, True])
    assert sitting.record.ended
    assert sitting.task is None
    assert len(sitting.record.done) == 1


def test_a_step_out_of_turn_is_a_sentence(clock):
    sitting = begin(clock)
    with pytest.raises(MockError, match="elsewhere"):
        sitting.mark([True])
    sitting.answered()
    with pytest.raises(MockError, match="elsewhere"):
        sitting.write("too late")


# ---- what is kept


def test_it_goes_on_where_it_was_with_the_text_and_the_time(clock):
    sitting = begin(clock)
    clock.now += 30
    sitting.write("half an ans")
    clock.now += 15  # is lost with the process: nobody told
    again = mock.resume(BANK, Clock())
    assert again.task == sitting.task
    assert again.task.text == "half an ans"
    assert again.left_s == 1770
    again.answered()
    marking = mock.resume(BANK, Clock())
    assert marking.task.state == mock.MARKING
    marking.mark([True, False, False])
    assert mock.resume(BANK, Clock()).place == 2


def test_an_ended_one_is_not_resumed_and_a_new_one_ends_the_open_one(clock):
    assert mock.resume(BANK) is None
    first = begin(clock)
    second = begin(clock, day=1)
    assert [one.ended for one in mock.records()] == [True, False]
    assert mock.resume(BANK).record.id == second.record.id != first.record.id
    through(second, clock, seconds=1)
    assert mock.resume(BANK) is None


def test_questions_that_are_gone_from_the_bank_are_left_out(clock):
    sitting = begin(clock)
    gone = sitting.record.tasks[0].name
    again = mock.resume([one for one in BANK if one.id != gone])
    assert gone not in {task.name for task in again.record.tasks}
    assert again.task is not None


def test_what_was_answered_elsewhere_is_not_overwritten(clock):
    here = begin(clock)
    there = mock.resume(BANK, clock)
    there.write("in the terminal")
    with pytest.raises(MockError, match="in another notebook or terminal"):
        here.write("in the notebook")
    with pytest.raises(MockError, match="in another notebook or terminal"):
        here.pause()
    assert mock.resume(BANK).task.text == "in the terminal"
    there.answered()


def test_two_in_one_second_have_a_file_each(clock):
    assert begin(clock).record.path != begin(clock).record.path


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 99}', '{"format": 1, "id": "x"}', '{"format": 1}']
)
def test_a_file_that_is_no_interview_is_let_be(clock, text):
    begin(clock)
    (mock.folder() / "2031-01-01_00-00-00.json").write_text(text)
    (mock.folder() / "notes.json").write_text('{"format": 1, "id": "notes", "tasks": []}')
    assert len(mock.records()) == 1
    assert mock.resume(BANK) is not None


TASK = {"kind": "question", "name": "q1", "minutes": 3}
WHOLE = {"format": 1, "id": "2031-01-01_00-00-00", "seed": 1, "minutes": 30, "ended": False,
         "turn": 3, "tasks": [TASK]}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "",
        json.dumps(WHOLE)[:-20],
        "[]",
        "\x00" * 200,
        json.dumps({**WHOLE, "format": "1"}),
        json.dumps({**WHOLE, "id": "2030-01-01_00-00-00"}),
        json.dumps({**WHOLE, "seed": float("inf")}),
        json.dumps({**WHOLE, "tasks": [7]}),
        json.dumps({**WHOLE, "tasks": [{**TASK, "text": None}]}),
        json.dumps({**WHOLE, "tasks": [{**TASK, "state": "lost"}]}),
        json.dumps({**WHOLE, "tasks": [{**TASK, "points": ["yes"]}]}),
        json.dumps({**WHOLE, "tasks": [{**TASK, "kind": "predict"}]}),
        json.dumps({**WHOLE, "tasks": [{**TASK, "said": {"letter": "A"}}]}),
    ],
)
def test_a_damaged_interview_is_kept_aside_and_told_once(clock, text):
    still = begin(clock)
    damaged = mock.folder() / "2031-01-01_00-00-00.json"
    damaged.write_text(text)
    told = mock.set_aside()
    (kept,) = (workspace.root() / "backups").glob("*/interviews/*.json")
    assert kept.read_text() == text
    assert damaged.name in told
    assert str(kept.parents[1]) in told
    assert mock.set_aside() == ""
    assert [one.id for one in mock.records()] == [still.record.id]


def test_what_is_whole_newer_or_no_interview_is_not_set_aside(clock):
    assert mock.set_aside() == ""  # nothing there
    through(begin(clock), clock)
    texts = {"2031-01-01_00-00-00": json.dumps(WHOLE), "2031-02-01_00-00-00": '{"format": 99}'}
    for name, text in {**texts, "notes": "{"}.items():
        (mock.folder() / f"{name}.json").write_text(text)
    before = sorted(mock.folder().iterdir())
    assert mock.set_aside() == ""
    assert sorted(mock.folder().iterdir()) == before
    assert len(mock.records()) == 2


def test_terminal_and_notebook_say_that_an_interview_is_damaged(clock, monkeypatch):
    through(begin(clock), clock)
    damaged = mock.folder() / "2031-01-01_00-00-00.json"
    damaged.write_text("{")
    done = command("--json")
    assert json.loads(done.stdout)
    assert "No interview can be read from 2031-01-01_00-00-00.json" in done.stderr
    damaged.write_text("{")
    monkeypatch.setattr(mock_widget.bank, "load", lambda: BANK)
    door = mock_widget.Interview(5)
    assert any(damaged.name in getattr(one, "value", "") for one in door.body.children)


def test_a_folder_that_cannot_be_written_is_a_sentence(clock):
    workspace.root().mkdir(parents=True)
    mock.folder().write_text("in the way")
    with pytest.raises(workspace.WorkspaceError, match="Cannot write"):
        begin(clock)


# ---- the report


def test_the_report_says_what_was_good_what_to_read_again_and_how_long_it_took(clock):
    sitting = begin(clock)
    tasks = sitting.record.tasks
    for place, task in enumerate(list(tasks)):
        sitting.go_on()
        clock.now += 90
        sitting.write("my | own\nwords")
        sitting.answered()
        count = 4 if task.kind == PREDICTION else len(mock.points_of(sitting.question, task))
        sitting.mark([place > 0] * count, slipped=place == 1)
    told = report.report(sitting.record, BANK)
    text = told.markdown()
    assert f"{len(tasks)} of {len(tasks)} questions answered" in text
    again, _, good = text.partition("## What was good")
    assert "It returns a thing called `x.y`." in again
    assert "said, and wrong: It returns None. It does not." in again
    assert f"playground interview show {tasks[0].name} --run" in again
    assert re.search(r"\(\.\./notebooks/0\d_\w+\.ipynb#cell-id=[\w-]+\)", again)
    assert good.count("\n- ") >= len(tasks) - 2
    assert "1:30 of " in text
    assert "> my | own\n   > words" in text
    assert "Compared" not in text
    assert report.write(told).read_text() == text
    data = told.as_data()
    assert [one["good"] for one in data["tasks"]][:3] == [False, False, True]


def test_it_is_compared_with_the_one_before(clock):
    through(begin(clock), clock, seconds=100, right=False)
    sitting = begin(clock, day=1)
    through(sitting, clock, seconds=50)
    told = report.report(sitting.record, BANK)
    row = next(line for line in told.markdown().splitlines() if line.startswith("| all"))
    assert row == "| all | 100 % | 0 % | 0:50 | 1:40 |"
    assert told.as_data()["before"] == 0


def test_links_lead_to_cells_that_exist(clock):
    for one in BANK:
        section = report.nearest_section(one)
        path = workspace.checkout() / "notebooks" / f"{one.file}.ipynb"
        cells = {cell["id"] for cell in json.loads(path.read_text())["cells"]}
        assert section.cell in cells


def test_an_interview_without_an_answer_has_a_report_too(clock):
    sitting = begin(clock)
    sitting.end()
    assert "nothing to say" in report.report(sitting.record, BANK).markdown()


# ---- in the terminal


class Typist(Console):
    """A console of 80 columns at which lines are typed."""

    def __init__(self, lines: list[str], clock: Clock) -> None:
        super().__init__(width=80, file=io.StringIO(), highlight=False)
        self._lines, self._clock = iter(lines), clock

    def input(self, prompt: object = "", **_: object) -> str:  # type: ignore[override]
        self.print(prompt)
        self._clock.now += 10
        line = next(self._lines, None)
        if line is None:
            raise EOFError
        if line == "^C":
            raise KeyboardInterrupt
        return line

    @property
    def text(self) -> str:
        return self.file.getvalue()


ONE = ["It returns", "a thing", "", "1 3", "n", ""]  # an answer, its points, no slip, go on


def test_a_candidate_types_marks_and_gets_a_report_in_eighty_columns(clock):
    sitting = begin(clock, minutes=5)
    assert [task.kind for task in sitting.record.tasks] == [QUESTION] * 2
    out = Typist([*ONE, "", "9", "one", "all", "y", "l", ""], clock)
    mock_terminal.hold(sitting, out)
    first, second = sitting.record.tasks
    assert first.text == "It returns\na thing"
    assert (first.points, first.slipped) == ([True, False, True], False)
    assert (second.points, second.slipped) == ([True] * 3, True)
    assert out.text.count("is no list of numbers from 1 to 3") == 2
    assert "A long answer." in out.text
    assert "left, until" in out.text
    assert "Read again" in out.text
    lines = [line for line in out.text.splitlines() if str(workspace.root()) not in line]
    assert max(map(len, lines)) <= 80
    assert sitting.record.path.with_suffix(".md").exists()
    assert first.used_s == 30  # three lines; marking and reading takes no time
    assert second.used_s == 10


@pytest.mark.parametrize("kept", range(6))
def test_ctrl_c_at_any_prompt_loses_nothing(clock, kept):
    sitting = begin(clock, minutes=5)
    with pytest.raises(KeyboardInterrupt):
        mock_terminal.hold(sitting, Typist([*ONE[:kept], "^C"], clock))
    again = mock.resume(BANK, clock)
    task = again.record.tasks[0]
    assert task.text == "\n".join(ONE[: min(kept, 2)])
    assert again.place == (2 if kept == 5 else 1)
    rest = [] if kept == 5 else ONE[kept if kept < 3 else 3 :]
    mock_terminal.hold(again, Typist([*rest, *ONE], clock))
    assert task.text == "It returns\na thing"
    assert len(again.record.done) == 2


@pytest.mark.parametrize("last", [["^C"], []])
def test_who_leaves_after_the_last_mark_gets_the_report(clock, last):
    sitting = begin(clock, minutes=5)
    out = Typist([*ONE, *ONE[:5], *last], clock)
    mock_terminal.hold(sitting, out)
    assert "2 of 2 questions answered" in out.text
    assert sitting.record.path.with_suffix(".md").exists()


def test_the_end_of_the_input_is_a_sentence_and_the_end_by_wish_is_a_report(clock):
    with pytest.raises(mock_terminal.InputEnded, match="goes on"):
        mock_terminal.hold(begin(clock, minutes=5), Typist(["a word"], clock))
    sitting = mock.resume(BANK, clock)
    out = Typist(["/end"], clock)
    mock_terminal.hold(sitting, out)
    assert sitting.record.ended
    assert "0 of 2 questions answered" in out.text
    assert "of the points" not in out.text


def test_who_has_nothing_to_say_goes_on(clock):
    sitting = begin(clock, minutes=8)
    place = next(n for n, task in enumerate(sitting.record.tasks) if task.kind == PREDICTION)
    lines = ["/skip", "none", "n", ""]
    before = lines * place
    mock_terminal.hold(sitting, Typist([*before, "/skip", *lines * 3], clock))
    assert sitting.record.ended
    assert not any(any(task.points) for task in sitting.record.done)


# ---- in a notebook


@pytest.fixture
def widget(monkeypatch):
    monkeypatch.setattr(mock_widget.bank, "load", lambda: BANK)
    return mock_widget.Interview(5)


def test_the_notebook_asks_marks_and_ends_with_the_report(widget):
    assert mock.records() == []  # nothing begins before the button is pressed
    widget.begin.click()
    widget.text.value = "It ret"
    assert mock.records()[-1].tasks[0].text == "It ret"  # kept as it is typed
    assert widget.clock.runs
    widget.done.click()
    assert not widget.clock.runs
    assert [box.tooltip for box in widget.points] == list(
        mock.points_of(widget.sitting.question, widget.sitting.task)
    )
    widget.points[0].value = True
    widget.next.click()
    first = mock.records()[-1].tasks[0]
    assert (first.points, first.state) == ([True, False, False], mock.DONE)
    widget.done.click()
    widget.next.click()
    record = mock.records()[-1]
    assert record.ended
    assert "2 of 2 questions answered" in record.path.with_suffix(".md").read_text()
    assert widget.message.value == ""


def test_a_closed_notebook_goes_on_where_it_was(widget):
    widget.begin.click()
    widget.text.value = "half"
    again = mock_widget.Interview(30)  # another kernel
    assert "question 1 of 2" in again.go_on.description
    again.go_on.click()
    assert again.text.value == "half"
    again.done.click()
    third = mock_widget.Interview(30)
    third.go_on.click()
    assert third.text.disabled  # it is being marked
    third.pause.click()
    assert "Go on with" in third.go_on.description


def test_two_notebooks_with_one_interview_get_a_sentence_and_no_traceback(widget):
    widget.begin.click()
    widget.done.click()
    widget._do(widget._answered)(None)
    assert "elsewhere" in widget.message.value


def test_a_prediction_in_the_notebook_stops_the_clock_and_marks_itself(monkeypatch):
    monkeypatch.setattr(mock_widget.bank, "load", lambda: BANK)

    def run(asked, tell):
        return outcome.Outcome(Run(Trace(from_tuples([]), [], {}, {})), asked.expected, 0.3)

    monkeypatch.setattr(outcome, "run", run)
    widget = mock_widget.Interview(8)
    widget.begin.click()
    while widget.sitting.task.kind != PREDICTION:
        widget.done.click()
        widget.next.click()
    form = widget.form
    form.button.click()
    assert form.message.value == "Choose a picture first."
    right = next(one for one in form.asked.pictures if one.schedule == form.asked.expected)
    form.letter.value = right.letter
    form.button.click()
    assert "A number is missing" in form.message.value
    for one in form.asked.numbers:
        form.numbers[one.key].value = f"{one.of(form.asked.expected):g}"
    form.button.click()
    assert form.join(90)
    task = next(one for one in widget.sitting.record.tasks if one.kind == PREDICTION)
    assert task.points == [True] * 4
    assert not widget.clock.runs
    widget.next.click()
    assert widget.clock.runs


def test_a_prediction_that_is_skipped_while_it_runs_marks_nothing_else(monkeypatch):
    monkeypatch.setattr(mock_widget.bank, "load", lambda: BANK)
    going, ready = threading.Event(), threading.Event()

    def run(asked, tell):
        going.set()
        assert ready.wait(90)
        return outcome.Outcome(Run(Trace(from_tuples([]), [], {}, {})), asked.expected, 0.3)

    monkeypatch.setattr(outcome, "run", run)
    widget = mock_widget.Interview(8)
    widget.begin.click()
    while widget.sitting.task.kind != PREDICTION:
        widget.done.click()
        widget.next.click()
    form = widget.form
    form.commit(Answer("A", {one.key: 1.0 for one in form.asked.numbers}))
    assert going.wait(90)
    widget.next.click()
    after = widget.sitting.task
    ready.set()
    assert form.join(90)
    assert widget.sitting.task is after
    assert after.state == mock.ANSWERING
    form.commit(Answer("A", {one.key: 1.0 for one in form.asked.numbers}))
    assert "has gone on" in form.message.value


# ---- the command


def command(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", "interview", "mock", *words],
        input=text,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "COLUMNS": "80"},
    )


def test_the_command_without_a_terminal_keeps_what_came_and_goes_on():
    done = command("--minutes", "2", "--seed", "5", text="one line\n")
    assert done.returncode == 1
    assert "The input has ended" in done.stderr
    assert "Traceback" not in done.stderr
    record = mock.records()[-1]
    assert record.tasks[0].text == "one line"
    done = command(text="\nall\nn\n\n")
    assert done.returncode == 0, done.stderr
    assert "Going on at question 1 of 1" in done.stdout
    assert "1 of 1 questions answered" in done.stdout
    told = json.loads(CliRunner().invoke(app, ["mock", "--json"]).stdout)
    assert told["points"] == 1


def test_without_anybody_who_answers_nothing_begins_and_nothing_ends(clock):
    done = command()
    assert (done.returncode, done.stderr.strip()) == (1, f"playground: {mock_terminal.NOBODY}")
    assert list(workspace.root().rglob("*.json")) == []
    still = begin(clock)
    done = command("--new")
    assert (done.returncode, done.stderr.strip()) == (1, f"playground: {mock_terminal.NOBODY}")
    assert [(one.id, one.ended) for one in mock.records()] == [(still.record.id, False)]


def test_wrong_use_is_a_sentence():
    assert CliRunner().invoke(app, ["mock", "--minutes", "1"]).exit_code == 2
    done = CliRunner().invoke(app, ["mock", "--report"])
    assert isinstance(done.exception, MockError)
    assert "There was no mock interview yet" in str(done.exception)


def test_killed_in_mid_answer_in_a_terminal_it_goes_on_with_every_line():
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "playground", "interview", "mock", "--minutes", "5"],
        stdin=side,
        stdout=side,
        stderr=side,
        start_new_session=True,
    )
    os.close(side)
    try:
        _until(main, "» ")
        os.write(main, b"the first line\n")
        _until(main, "» ")
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        os.close(main)
    record = mock.records()[-1]
    assert record.tasks[0].text == "the first line"
    assert not record.ended
    assert not list(mock.folder().glob(".*"))  # no half-written file
    done = command(text="the second\n/end\n")
    assert done.returncode == 0, done.stderr
    assert "the first line" in done.stdout
    assert mock.records()[-1].tasks[0].text == "the first line\nthe second"


def _until(fd: int, words: str) -> None:
    """Read until these words are there."""
    seen, deadline = b"", time.monotonic() + 90
    while words.encode() not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([fd], [], [], 1.0)[0]:
            seen += os.read(fd, 4096)
