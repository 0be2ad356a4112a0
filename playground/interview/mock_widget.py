"""A mock interview in a notebook: the same as in the terminal, with a clock that is seen to run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets
from IPython.display import Markdown

from playground.errors import Told
from playground.grading import render
from playground.grading.magics import in_notebook, note, show, show_widget
from playground.interview import bank, mock, predict, report
from playground.interview.bank import Question
from playground.interview.markup import html
from playground.interview.mock import ANSWERING, FOLLOWING, MARKING, Sitting, Task
from playground.interview.outcome import Answer, Judged
from playground.interview.predict_widget import STYLE, Form

IDLE = "The clock runs while you answer and stands while you mark yourself. Everything is kept at"
IDLE += " once: if you pause, or this notebook closes, you go on here later, or in a terminal."
WIDE = ipywidgets.Layout(width="auto")  # all there is, its margin included


class Clock(anywidget.AnyWidget):
    """How much time is left; it counts down in the page."""

    _esm = Path(__file__).with_name("frontend") / "clock.js"
    left = traitlets.Float(0.0).tag(sync=True)
    runs = traitlets.Bool(False).tag(sync=True)
    turn = traitlets.Int(0).tag(sync=True)

    def show(self, sitting: Sitting) -> None:
        """Show what a sitting says now."""
        self.left, self.runs = sitting.left_s, sitting.runs
        self.turn += 1


class Interview(ipywidgets.VBox):
    """From the first question to the report. What a button does, it does one at a time."""

    def __init__(self, minutes: int = mock.MINUTES) -> None:
        self._doing = threading.RLock()
        self._questions = bank.load()
        self._minutes = minutes
        self.sitting: Sitting | None = None
        self.clock = Clock()
        self.where, self.message = ipywidgets.HTML(), ipywidgets.HTML()
        self.body = ipywidgets.VBox()
        super().__init__([ipywidgets.HTML(STYLE), self.body, self.message])
        self.add_class("pgq")
        self._door()

    # ---- before it begins

    def _door(self) -> None:
        """Begin, or go on."""
        self.sitting = None
        damaged = mock.set_aside()
        still = mock.resume(self._questions)
        self.minutes = ipywidgets.BoundedIntText(
            self._minutes,
            min=mock.LEAST,
            max=mock.MOST,
            description="minutes",
            layout=ipywidgets.Layout(width="12em"),
        )
        self.begin = _button("Begin", self._do(self._begin), "primary" * (still is None))
        parts = [ipywidgets.HTML(f"<b>Mock interview</b><p>{IDLE}</p>")]
        if damaged:
            parts.append(ipywidgets.HTML(f'<span class="pgq-not">{escape(damaged)}</span>'))
        if still is not None and still.task is not None:
            words = (
                f"Go on with that of {still.record.began:%H:%M}: question {still.place} of"
                f" {len(still.record.tasks)}, {mock.clock_words(still.left_s)} left"
            )
            self.go_on = _button(words, self._do(self._go_on), "primary")
            parts.append(self.go_on)
            self.begin.description = "Begin another"
        parts.append(ipywidgets.HBox([self.minutes, self.begin]))
        self.body.children = parts

    def _begin(self) -> None:
        self.sitting = mock.begin(self._questions, minutes=self.minutes.value)
        self._ask()

    def _go_on(self) -> None:
        self.sitting = mock.resume(self._questions)
        self._ask()

    def _pause(self) -> None:
        self._now.pause()
        self._door()

    # ---- while it goes on

    @property
    def _now(self) -> Sitting:
        if self.sitting is None:
            raise mock.MockError("The interview is not going on: press Begin.")
        return self.sitting

    def _ask(self) -> None:
        """Show the current task, or the report."""
        sitting = self._now
        task = sitting.task
        if task is None:
            self._finish()
            return
        sitting.go_on()
        self.clock.show(sitting)
        question = sitting.question
        about = "predict the timeline" if question is None else _about(question, task)
        self.where.value = (
            f"<b>{sitting.place} of {len(sitting.record.tasks)}</b> · {escape(about)} · about"
            f" {task.minutes} min"
        )
        self.pause = _button("Pause", self._do(self._pause))
        self.end = _button("End and report", self._do(self._finish))
        head = ipywidgets.HBox(
            [self.where, self.clock, self.pause, self.end],
            layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="14px"),
        )
        parts = self._prediction(task) if question is None else self._question(question, task)
        self.body.children = [head, *parts]

    def _question(self, question: Question, task: Task) -> list[Any]:
        words = question.question
        if task.kind == FOLLOWING:
            follow_up = question.follow_ups[task.follow_up % len(question.follow_ups)]
            words = f"After “{words}”: {follow_up}"
        asked = ipywidgets.HTML(
            f'<div style="font-size:1.15em;font-weight:600">{html(words)}</div>'
        )
        self.text = ipywidgets.Textarea(
            task.text, placeholder="Type your answer, or say it aloud.", rows=6, layout=WIDE
        )
        if task.state == MARKING:
            self.text.disabled = True
            return [asked, self.text, *self._marks(question, task)]
        self.text.observe(lambda _: self._do(self._keep)(None), "value")
        self.done = _button("That is my answer", self._do(self._answered), "primary")
        return [asked, self.text, self.done]

    def _keep(self) -> None:
        task = self._now.task
        if task is not None and task.state == ANSWERING:
            self._now.write(self.text.value)

    def _answered(self) -> None:
        self._keep()
        self._now.answered()
        self._ask()

    def _marks(self, question: Question, task: Task) -> list[Any]:
        """The model answer as a list of points to tick."""
        points = mock.points_of(question, task)
        self.points = [
            ipywidgets.Checkbox(False, indent=False, layout=ipywidgets.Layout(width="1.6em"))
            for _ in points
        ]
        for box, point in zip(self.points, points, strict=True):
            box.tooltip = point
        ticks = [
            ipywidgets.HBox(
                [box, ipywidgets.HTML(html(point))], layout=ipywidgets.Layout(align_items="center")
            )
            for box, point in zip(self.points, points, strict=True)
        ]
        self.slipped = ipywidgets.Checkbox(
            False, indent=False, description="That was my answer", layout=WIDE
        )
        wrong = [
            ipywidgets.HTML(f"<b>The wrong answer</b>{html(question.wrong)}"),
            self.slipped,
        ]
        more = (
            f"<details><summary>The two-minute answer</summary>{html(question.long)}</details>"
            f"<p>See it run: <code>evidence({question.id!r})</code></p>"
        )
        self.next = _button("Next", self._do(self._marked), "primary")
        return [
            ipywidgets.HTML("<b>The model answer: tick what you said</b>"),
            *ticks,
            *([] if task.kind == FOLLOWING else wrong),
            ipywidgets.HTML(more),
            self.next,
        ]

    def _marked(self) -> None:
        self._now.mark([box.value for box in self.points], self.slipped.value)
        self._ask()

    def _prediction(self, task: Task) -> list[Any]:
        asked = predict.question(*mock.prediction_of(task))
        self.form = Form(
            asked,
            done=lambda judged: self._predicted(task, judged),
            committed=lambda answer: self._committed(task, answer),
        )
        if task.state == MARKING and task.said:  # it was interrupted while it ran
            self.form.letter.value = task.said["letter"]
            for key, value in task.said["numbers"].items():
                self.form.numbers[key].value = f"{value:g}"
        self.next = _button("Skip", self._do(self._skip))
        return [self.form, self.next]

    def _committed(self, task: Task, answer: Answer) -> None:
        with self._doing:
            if self._now.task is not task:
                raise mock.MockError("The interview has gone on: this one is over.")
            if task.state == ANSWERING:
                self._now.answered(answer)
            self.clock.show(self._now)

    def _predicted(self, task: Task, judged: Judged | None) -> None:
        with self._doing:
            if self.sitting is None or self.sitting.task is not task:
                return  # it was skipped meanwhile, or the interview is paused
            self._now.mark(mock.points_of_prediction(judged) if judged else [])
            self.clock.show(self._now)
            self.next = _button("Next", self._do(self._ask), "primary")
            self.body.children = [*self.body.children[:-1], self.next]

    def _skip(self) -> None:
        if self._now.task is not None and self._now.task.state == ANSWERING:
            self._now.answered()
        self._now.mark([False])
        self._ask()

    def _finish(self) -> None:
        """Write the report and show it."""
        sitting = self._now
        sitting.end()
        told = report.report(sitting.record, self._questions)
        path = report.write(told)
        shown = ipywidgets.Output()
        text = told.markdown().replace("](../notebooks/", "](")
        shown.append_display_data(Markdown(text))
        where = ipywidgets.HTML(f"The report is in <code>{escape(str(path))}</code>")
        self.body.children = [shown, where, _button("Another interview", self._do(self._door))]

    def _do(self, what: Callable[[], None]) -> Callable[[Any], None]:
        """A callback that says what went wrong."""

        def act(_: Any) -> None:
            with self._doing:
                try:
                    what()
                    self.message.value = ""
                except (Told, OSError) as error:
                    self.message.value = f'<span class="pgq-not">{escape(str(error))}</span>'

        return act


def mock_interview(minutes: int = mock.MINUTES) -> None:
    """A mock interview; it begins, or goes on, when the button is pressed."""
    mock.check_minutes(minutes)
    if in_notebook():
        show_widget(Interview(minutes), "A mock interview (playground interview mock)")
    else:
        show(note("In a terminal: playground interview mock"))


def _about(question: Question, task: Task) -> str:
    follow_up = " · follow-up" if task.kind == FOLLOWING else ""
    return f"{render.chapter_name(question.file)} · {question.level}{follow_up}"


def _button(words: str, act: Callable[[Any], None], style: str = "") -> ipywidgets.Button:
    layout = ipywidgets.Layout(width="auto", align_self="flex-start")
    made = ipywidgets.Button(description=words, button_style=style, layout=layout)
    made.on_click(act)
    return made
