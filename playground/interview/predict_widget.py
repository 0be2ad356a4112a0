"""Predict the timeline in a notebook: pictures to choose from, numbers, a button, what happened.

A button's callback may come on any thread while a cell is busy: the run has a thread of its own,
and there is one run at a time in a process, as in the panel.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from playground.errors import Told
from playground.grading import render
from playground.grading.magics import in_notebook, note, show, show_widget
from playground.interview import outcome, predict_terminal, predictions, timelines
from playground.interview.outcome import Answer, Judged, Outcome
from playground.interview.predict import PredictError, Question, parse_number, question
from playground.panel.board import BUSY, ELSEWHERE
from playground.views.look import seconds
from playground.views.widget import Timeline

Done = Callable[[Judged | None], None]
STYLE = """<style>
.pgq .widget-html-content,.pgq .jupyter-widgets.widget-html>.widget-html-content{line-height:1.5;
 white-space:normal}
.pgq-facts{display:grid;grid-template-columns:max-content 1fr;gap:0 14px}
.pgq-facts b{opacity:.75}
.pgq table{border-collapse:collapse;color:inherit;font-size:inherit}
.pgq th,.pgq td{text-align:left;padding:2px 14px 2px 0;vertical-align:top}
.pgq-as,.pgq-by,.pgq-not{font-weight:700}
.pgq-as{color:#0a7f5a}.pgq-by{color:#8a6500}.pgq-not{color:#c62828}
[data-jp-theme-light="false"] .pgq-as{color:#4cd0a0}
[data-jp-theme-light="false"] .pgq-by{color:#e6b84d}
[data-jp-theme-light="false"] .pgq-not{color:#ff8a80}
.pgq p{margin:.3em 0}
.pgq .jupyter-button:focus-visible{outline:2px solid #3a97d9;outline-offset:1px}
</style>"""
LEGEND = f"Dots: queued. Filled: {timelines.IN_SERVICE}. The numbers above are units."
CLASSES = {outcome.RIGHT: "pgq-as", outcome.SOUND: "pgq-by", outcome.OTHER: "pgq-not"}


class Form(ipywidgets.VBox):
    """One question. ``committed(answer)`` is called when the reader runs it, and ``done`` with what
    came of it (None if there was nothing to judge).
    """

    def __init__(
        self,
        asked: Question,
        done: Done = lambda judged: None,
        committed: Callable[[Answer], None] = lambda answer: None,
    ) -> None:
        self.asked, self._done, self._committed = asked, done, committed
        self._thread: threading.Thread | None = None
        span = timelines.longest(asked)
        pictures = [ipywidgets.HTML(timelines.svg(drawn, span)) for drawn in asked.pictures]
        two = f"{2 * timelines.WIDTH + 24}px"  # beside each other, as in a terminal
        wrap = ipywidgets.Layout(flex_flow="row wrap", max_width=two)
        letters = [drawn.letter for drawn in asked.pictures]
        self.letter = ipywidgets.ToggleButtons(options=letters, value=None)
        self.letter.style.button_width = "64px"
        self.letter.tooltips = [drawn.told for drawn in asked.pictures]
        self.numbers = {one.key: _field() for one in asked.numbers}
        rows = [
            ipywidgets.HBox([self.numbers[one.key], ipywidgets.HTML(_label(one))])
            for one in asked.numbers
        ]
        self.button = ipywidgets.Button(description="Run it", button_style="primary")
        self.bar = ipywidgets.FloatProgress(0, min=0, max=1, layout={"display": "none"})
        self.message = ipywidgets.HTML()
        self.results = ipywidgets.VBox()
        self.button.on_click(lambda _: self._press())
        super().__init__(
            [
                ipywidgets.HTML(STYLE + _facts(asked)),
                ipywidgets.HBox(pictures, layout=wrap),
                ipywidgets.HTML(LEGEND),
                ipywidgets.HTML("<b>Which of these timelines will it be?</b>"),
                self.letter,
                *rows,
                ipywidgets.HBox([self.button, self.bar, self.message]),
                self.results,
            ]
        )
        self.add_class("pgq")

    def answer(self) -> Answer:
        """What is chosen and typed. Raises ``PredictError`` if something is missing."""
        if self.letter.value is None:
            raise PredictError("Choose a picture first.")
        numbers = {}
        for one in self.asked.numbers:
            text = self.numbers[one.key].value
            if not text.strip():
                raise PredictError(f"A number is missing: {one.question}")
            numbers[one.key] = parse_number(text, one)
        return Answer(self.letter.value, numbers)

    def commit(self, answer: Answer) -> None:
        """Run it with this answer; returns at once."""
        if not BUSY.acquire(blocking=False):
            self._tell(ELSEWHERE)
            return
        try:
            self._committed(answer)
        except Told as error:
            BUSY.release()
            self._tell(str(error))
            return
        self._enable(False)
        self._thread = threading.Thread(target=self._go, args=(answer,), name="predict")
        self._thread.start()

    def join(self, seconds: float | None = None) -> bool:
        """Wait for the run; whether it is over."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def _press(self) -> None:
        try:
            answer = self.answer()
        except PredictError as error:
            self._tell(str(error))
            return
        self.commit(answer)

    def _go(self, answer: Answer) -> None:
        judged = None
        try:
            found = outcome.run(self.asked, tell=self._progress)
            if found.seen is not None:
                judged = outcome.judge(self.asked, answer, found.seen)
            self._show(found, judged)
            if judged is not None:
                predictions.record(self.asked, answer, judged)
        except (Told, OSError) as error:
            self._tell(str(error))
            self._enable(True)
            return
        finally:
            self.bar.layout.display = "none"
            BUSY.release()
        self._done(judged)

    def _progress(self, words: str, part: float | None) -> None:
        if not threading.main_thread().is_alive():
            raise PredictError("The notebook is gone.")
        self._tell(words)
        self.bar.value, self.bar.layout.display = part or 0, ""

    def _show(self, found: Outcome, judged: Judged | None) -> None:
        self._tell(found.trouble)
        table = [ipywidgets.HTML(compared(judged, found))] if judged else []
        self.results.children = (*table, Timeline(found.run.trace))

    def _tell(self, words: str) -> None:
        self.message.value = escape(words)

    def _enable(self, on: bool) -> None:
        for one in (self.button, self.letter, *self.numbers.values()):
            one.disabled = not on


class Quiz(ipywidgets.VBox):
    """The questions of a seed, one below the other."""

    def __init__(self, seed: int, number: int | None = None) -> None:
        self._seed = seed
        self.forms: list[Form] = []
        self.following = ipywidgets.Button(description="Next question")
        self.following.on_click(lambda _: self._ask(predictions.following(self._seed)))
        super().__init__()
        self._ask(number or predictions.following(seed))

    def _ask(self, number: int) -> None:
        self.following.disabled = True
        self.forms.append(Form(question(self._seed, number), self._answered))
        self.children = (*self.forms, self.following)

    def _answered(self, judged: Judged | None) -> None:
        self.following.disabled = False


def predict_timeline(seed: int = 1, number: int | None = None) -> None:
    """Ask for a prediction, then run it and compare: the first of that seed not answered yet.

    Raises ``PredictError`` for a seed or a number that is none.
    """
    if in_notebook():
        words = f"Predict the timeline (playground interview predict --seed {seed})"
        show_widget(Quiz(seed, number), words)
    else:
        show(note(f"In a terminal: playground interview predict --seed {seed}"))


def compared(judged: Judged, found: Outcome) -> str:
    """The prediction beside the capacity and the run, as HTML."""
    rows = "".join(
        f"<tr><td>{escape(row.question)}</td><td>{escape(row.said)}</td>"
        f"<td>{escape(row.expected)}</td><td>{escape(row.seen)}</td>"
        f'<td class="{CLASSES[row.verdict]}">{predict_terminal.MARKS[row.verdict][0]}'
        f" {row.verdict}</td></tr>"
        for row in judged.rows
    )
    head = "<tr><th></th><th>you said</th><th>by capacity</th><th>it ran</th><th></th></tr>"
    unit = f"1 unit was {seconds(found.unit_s)}: one request alone, just before."
    words = f"{judged.right} of {len(judged.rows)} as it ran. {unit} {judged.note}"
    return f"<table>{head}{rows}</table><p>{escape(words.strip())}</p>"


def _facts(asked: Question) -> str:
    told = "".join(
        f"<b>{label}</b><span>{_code(words)}</span>"
        for label, words in predict_terminal.facts(asked)
    )
    title = f"Predict the timeline · seed {asked.seed}, question {asked.number}"
    return f'<div style="font-weight:700">{title}</div><div class="pgq-facts">{told}</div>'


def _code(words: str) -> str:
    return f"<code>{escape(words)}</code>" if words.startswith("$ ") else render.inline(words)


def _field() -> Any:
    return ipywidgets.Text(placeholder="number", layout=ipywidgets.Layout(width="6em"))


def _label(one: Any) -> str:
    return escape(one.question + ("" if one.whole else " (units)"))
