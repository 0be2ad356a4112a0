"""A mock interview in a terminal: answers are typed or thought, an empty line ends one."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from playground.errors import Told
from playground.interview import evidence, mock, predict, predict_terminal, report, terminal
from playground.interview.bank import Question
from playground.interview.mock import FOLLOWING, MARKING, PREDICTION, Sitting, Task
from playground.interview.outcome import Answer
from playground.waiting import working

RULES = (
    "The clock runs while you answer and stands while you mark yourself. Type your answer, or say"
    " it aloud; an empty line ends it. /skip goes on without an answer, /end ends the interview."
    " Ctrl-C keeps everything: the same command goes on."
)
NOBODY = "The input ended before the first answer: no interview was begun."
KEPT = "Everything up to here is kept: `playground interview mock` goes on."


class InputEnded(Told):
    """Nobody answers any more."""


class Ended(Exception):
    """The candidate wants to end the interview here."""


class Skipped(Exception):
    """The candidate has nothing to say to this."""


def hold(sitting: Sitting, out: Console | None = None) -> None:
    """Ask until the end, then write and show the report.

    Raises ``InputEnded``, and ``KeyboardInterrupt``; in both cases all is kept. One that is only
    ready begins with the first answer, or with Ctrl-C.
    """
    out = out or terminal.console()
    record = sitting.record
    count = len(record.tasks)
    again = f"Going on at question {sitting.place} of {count}. " if record.used_s else ""
    title = f"Mock interview: {record.minutes} minutes, {count} question{'s' * (count != 1)}."
    out.print(Text(title, style="bold"), Text(f"{again}{RULES}"))
    try:
        while sitting.task is not None:
            _hold_task(sitting, sitting.task, out)
    except Ended:
        sitting.end()
    except (EOFError, KeyboardInterrupt) as stop:
        if not record.turn and isinstance(stop, EOFError):
            raise InputEnded(NOBODY) from None
        sitting.pause()
        if not record.ended and isinstance(stop, EOFError):
            raise InputEnded(f"The input has ended. {KEPT}") from None
        if not record.ended:  # else the last answer was looked at once more
            raise
    sitting.end()
    show_report(record, list(sitting.questions.values()), out)


def show_report(record: mock.Record, questions: Sequence[Question], out: Console) -> None:
    """Write the report and print it."""
    told = report.report(record, questions)
    path = report.write(told)
    out.rule()
    out.print(Markdown(told.markdown(), hyperlinks=False))
    out.print(Text(f"The report is in {path}"), soft_wrap=True)


def _hold_task(sitting: Sitting, task: Task, out: Console) -> None:
    sitting.go_on()
    out.print()
    out.rule(Text(_heading(sitting, task)), align="left")
    if task.kind == PREDICTION:
        _predict(sitting, task, out)
        return
    question = sitting.question
    assert question is not None  # tasks about others were left out
    out.print(Text(_asked(question, task), style="bold"))
    if task.state != MARKING:
        _take_answer(sitting, task, out)
    _mark(sitting, task, question, out)


def _heading(sitting: Sitting, task: Task) -> str:
    about = "predict the timeline"
    if sitting.question is not None:
        about = terminal.where(sitting.question)
        about += " · follow-up" if task.kind == FOLLOWING else ""
    place = f"{sitting.place} of {len(sitting.record.tasks)}"
    return f"{place} · {about} · about {task.minutes} min · {left(sitting)}"


def left(sitting: Sitting) -> str:
    """How much time there is, and until when: ``"21:40 left, until 23:05"``."""
    seconds = sitting.left_s
    if seconds <= 0:
        return f"time is up ({mock.clock_words(seconds)}): finish this one"
    until = datetime.datetime.now() + datetime.timedelta(seconds=seconds)
    return f"{mock.clock_words(seconds)} left, until {until:%H:%M:%S}"


def _asked(question: Question, task: Task) -> str:
    if task.kind != FOLLOWING:
        return question.question
    follow_up = question.follow_ups[task.follow_up % len(question.follow_ups)]
    return f"After “{question.question}”: {follow_up}"


def _take_answer(sitting: Sitting, task: Task, out: Console) -> None:
    """Read lines until an empty one; each is kept as it comes."""
    if task.text:
        out.print(Text("So far you wrote:", style="dim"), Text(task.text, style="dim"))
    while True:
        try:
            line = _read(out, "» ")
        except Skipped:
            break
        if not line:
            break
        sitting.write(f"{task.text}\n{line}".lstrip("\n"))
    sitting.answered()


def _mark(sitting: Sitting, task: Task, question: Question, out: Console) -> None:
    """Show the model answer, and ask which of its points were there."""
    out.print()
    spent = f"{mock.clock_words(task.used_s)} of about {task.minutes}:00. The clock stands."
    out.print(Text(spent, style="dim"))
    points = mock.points_of(question, task)
    if task.kind == FOLLOWING:
        out.print(terminal.part(question, "l"))
        out.print(Text("Your points", style="bold underline"))
    else:
        out.print(Text("The model answer, point by point", style="bold underline"))
    table = Table.grid(padding=(0, 1))
    for number, point in enumerate(points, 1):
        table.add_row(f"  {number}", Markdown(point))
    out.print(table)
    had = _points(out, len(points))
    slipped = False
    if task.kind != FOLLOWING:
        out.print(terminal.part(question, "w"))
        slipped = _yes(out, "Was that your answer? (y/N) ")
    sitting.mark(had, slipped)
    _more(question, out)


def _points(out: Console, count: int) -> list[bool]:
    """Which points were there."""
    while True:
        said = _read(out, "Which of them did you have? (such as 1 3; all; none) ").lower()
        if said in ("all", "none", "0"):
            return [said == "all"] * count
        words = said.replace(",", " ").split()
        if words and all(word.isdecimal() and 1 <= int(word) <= count for word in words):
            chosen = {int(word) for word in words}
            return [number in chosen for number in range(1, count + 1)]
        out.print(Text(f"{said!r} is no list of numbers from 1 to {count}."))


def _yes(out: Console, words: str) -> bool:
    while (said := _read(out, words).lower()) not in ("y", "yes", "n", "no", ""):
        pass
    return said.startswith("y")


def _more(question: Question, out: Console) -> None:
    """The two-minute answer and the evidence, for who wants them."""
    while True:
        out.print(Text("l two-minute answer  e evidence, run here  Enter goes on", style="dim"))
        said = _read(out, "> ").lower()
        if said not in ("l", "e"):
            return
        out.print(terminal.part(question, said))
        if said == "e":
            with working("Running it …"):
                found = evidence.run(question.evidence)
            out.print(terminal.outcome(found))


def _predict(sitting: Sitting, task: Task, out: Console) -> None:
    """A prediction: it runs while the clock stands, and marks itself."""
    asked = predict.question(*mock.prediction_of(task))
    out.print(predict_terminal.question(asked, out.width))
    if task.state != MARKING:
        try:
            said = predict_terminal.ask(asked, out, lambda words: _read(out, words))
        except Skipped:
            sitting.answered()
        else:
            sitting.answered(said)
    if not task.said:
        sitting.mark([False])
        return
    judged = predict_terminal.play(asked, Answer(task.said["letter"], task.said["numbers"]), out)
    sitting.mark(mock.points_of_prediction(judged) if judged else [])


def _read(out: Console, words: str) -> str:
    """One line. Raises ``Ended`` and ``Skipped`` at the candidate's wish."""
    line = out.input(words).strip()
    if line == "/end":
        raise Ended
    if line == "/skip":
        raise Skipped
    return line
