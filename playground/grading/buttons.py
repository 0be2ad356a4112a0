"""The buttons under a task in a notebook: check my file, a hint, show the solution.

Callbacks may come on any thread, and none come while a cell runs, so a callback only starts a
thread, and the thread only sets the text of one widget.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets

from playground.grading import magics, render, session
from playground.grading.exercise import Exercise
from playground.grading.session import NotYet
from playground.grading.verdict import Status

LABEL = "Show the solution"


def buttons(exercise: Exercise) -> ipywidgets.Widget:
    """Return the row of buttons, and the place below it where their answers appear."""
    answer = ipywidgets.HTML()
    asked = False

    def check() -> str:
        nonlocal asked
        verdict = session.check(exercise)
        if verdict.passed:
            asked, shown.description = False, LABEL
        return render.html(verdict) + magics.standing(exercise, links=False).html

    def hint() -> str:
        return magics.hints(exercise, session.hints(exercise)).html

    def solution() -> str:
        nonlocal asked
        try:
            text = session.solution(exercise, show=asked)
        except NotYet:
            asked = True
            shown.description = "Show it all the same"
            words = "You have not passed yet. Press once more to see it; your progress will say so."
            return render.card(render.paragraph(words), render.COLOURS[Status.NOT_SOLVED])
        shown.description = LABEL
        return render.card(render.code(text), render.COLOURS[Status.PASSED])

    checked = _button("Check my file", "Grade the file in the workspace", check, answer)
    hinted = _button("A hint", "One more each time, of three", hint, answer)
    shown = _button(LABEL, "After the pass, or on request", solution, answer)
    return ipywidgets.VBox([ipywidgets.HBox([checked, hinted, shown]), answer])


def _button(
    label: str, tip: str, work: Callable[[], str], answer: ipywidgets.HTML
) -> ipywidgets.Button:
    button = ipywidgets.Button(
        description=label, tooltip=tip, layout=ipywidgets.Layout(width="auto")
    )

    def run() -> None:
        button.disabled = True
        try:
            answer.value = work()
        except Exception as error:  # shown to the learner: nobody reads a thread's traceback
            answer.value = render.card(render.paragraph(str(error)), render.COLOURS[Status.BROKEN])
        finally:
            button.disabled = False

    def clicked(_: Any) -> None:
        threading.Thread(target=run, name=label, daemon=True).start()

    button.on_click(clicked)
    return button
