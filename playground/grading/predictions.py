"""Predictions: the reader commits to an answer, then sees it beside what was measured.

    predict("three-clients", "How long do three clients take?", unit="s")
    reveal("three-clients", run.summary()["wall_s"], unit="s")

Both work without an answer (Run All): `reveal` then says kindly that there was none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from playground.errors import Told
from playground.grading import progress, render
from playground.grading.magics import Panel, in_notebook, note, show, show_widget
from playground.grading.progress import ProgressError
from playground.grading.verdict import Status
from playground.workspace import WorkspaceError

CLOSE = 1.25  # a prediction within this factor counts as close
_HISSING = ("sses", "xes", "zzes", "ches", "shes")  # one of them lacks "es"
_SINGULAR = {"cookies": "cookie", "caches": "cache", "series": "series"}


class PredictionError(Told, ValueError):
    """A prediction is asked for, or answered, in a way that makes no sense."""


def predict(
    name: str,
    question: str,
    *,
    options: Sequence[str] | None = None,
    unit: str = "",
    answer: float | str | None = None,
) -> None:
    """Ask `question`; record the answer under `name` in the progress file.

    With `options` one of them is chosen, otherwise the answer is a number in `unit`. In a notebook
    a form appears; elsewhere, pass `answer=`.

    Raises PredictionError for an answer that is no number, or none of the options.
    """
    if answer is not None:
        _record(name, answer, options, unit)
    if in_notebook():
        show_widget(_form(name, question, options, unit), f"Predict: {question}")
        return
    show(Panel(_asked(name, question, options, unit), render.paragraph(question)))


def reveal(name: str, measured: float | str, *, unit: str = "") -> None:
    """Show the prediction `name` beside what was measured, and how far apart they are."""
    try:
        said = progress.prediction(name)
        if said:
            progress.record_measured(name, _plain(measured))
    except (ProgressError, WorkspaceError) as error:
        show(note(str(error)))
        return
    show(beside(said, _plain(measured), unit))


def beside(said: dict[str, Any], measured: float | str, unit: str = "") -> Panel:
    """Return the panel of a recorded prediction and a measurement."""
    unit = unit or said.get("unit", "")
    shown = amount(measured, unit)
    if not said:
        words = (
            f"Measured: {shown}. You made no prediction this time; next time, commit first:"
            " a wrong guess teaches more than none."
        )
        return note(words)
    predicted = amount(said["answer"], unit)
    verdict = compared(said["answer"], measured, unit)
    text = f"Your prediction: {predicted}\nMeasured:        {shown}\n{verdict}"
    cell = "padding:.1em 1.2em .1em 0;text-align:left"
    table = "".join(
        f'<tr style="background:none"><td style="{cell}">{label}</td>'
        f'<td style="{cell};font-weight:700">{render.inline(value)}</td></tr>'
        for label, value in (("Your prediction", predicted), ("Measured", shown))
    )
    style = "border-collapse:collapse;color:inherit;font-size:inherit"
    html = f'<table style="{style}">{table}</table>{render.paragraph(verdict)}'
    return Panel(text, render.card(html, render.COLOURS[Status.NOT_SOLVED]))


def compared(predicted: float | str, measured: float | str, unit: str) -> str:
    """Return one sentence: right, close, or how many times as much it really was, and a question.

    The question is about waiting for a prediction in seconds only.
    """
    if isinstance(predicted, str) or isinstance(measured, str):
        if str(predicted) == str(measured):
            return "Right: that is what happened."
        return "It came out differently. What the cell has shown above tells why."
    if predicted == measured:
        return "Right, exactly."
    if predicted <= 0 or measured <= 0 or not math.isfinite(measured / predicted):
        return f"{abs(measured - predicted):.3g} apart. {_question(predicted < measured, unit)}"
    ratio = measured / predicted
    if 1 / CLOSE <= ratio <= CLOSE:
        return f"Close: it was {ratio:.2f} times what you said."
    if ratio > 1:
        return f"It was {ratio:.2g} times what you said. {_question(True, unit)}"
    return f"You said {1 / ratio:.2g} times as much. {_question(False, unit)}"


def _question(more: bool, unit: str) -> str:
    """What to think about when there was more, or less, than predicted."""
    if unit == "s":
        return (
            "What takes longer than you thought?" if more else "What did not have to wait for what?"
        )
    return "What did you leave out?" if more else "What did you expect that did not happen?"


def amount(value: float | str, unit: str) -> str:
    """Return a value with its unit, to three significant digits."""
    text = value if isinstance(value, str) else f"{value:.3g}"
    return f"{text} {singular(unit) if text == '1' else unit}".strip()


def singular(unit: str) -> str:
    """Return what one of them is called: 1 thread, 1 copy, 1 process; but 1 s, 1 ms."""
    if unit in _SINGULAR:
        return _SINGULAR[unit]
    if len(unit) <= 2 or not unit.endswith("s") or unit.endswith("ss"):
        return unit
    if unit.endswith("ies"):
        return unit.removesuffix("ies") + "y"
    return unit.removesuffix("es" if unit.endswith(_HISSING) else "s")


def _record(name: str, answer: Any, options: Sequence[str] | None, unit: str) -> None:
    if options is not None:
        if answer not in options:
            raise PredictionError(f"{answer!r} is none of the options: {', '.join(options)}.")
    else:
        try:
            text = str(answer).strip().removesuffix(unit).removesuffix(singular(unit))
            answer = float(text.replace(",", "."))
        except ValueError:
            raise PredictionError(
                f"{answer!r} is no number. A prediction looks like 2 or 1.5."
            ) from None
        if not math.isfinite(answer):
            raise PredictionError("A prediction is a finite number.")
        if answer < 0:
            raise PredictionError("A prediction is a number from 0 up.")
    progress.record_prediction(name, answer, unit)


def _plain(value: Any) -> float | str:
    """Return a measured value (a NumPy number, a bool) as what JSON can hold."""
    return value if isinstance(value, str) else float(value)


def _asked(name: str, question: str, options: Sequence[str] | None, unit: str) -> str:
    said = progress.prediction(name)
    lines = [f"Predict ({name}): {question}"]
    lines += [f"  - {option}" for option in options or ()]
    if said:
        lines.append(f"  Your prediction: {amount(said['answer'], unit)}")
    else:
        example = repr(options[0]) if options else "1.5"
        lines.append(f"  Answer with predict({name!r}, …, answer={example})")
    return "\n".join(lines)


def _form(name: str, question: str, options: Sequence[str] | None, unit: str) -> Any:
    """Return the notebook's form. Its callbacks may come on any thread; they write one file."""
    import ipywidgets

    said = progress.prediction(name)
    before = said.get("answer")
    answer: Any
    if options is not None:
        chosen = before if before in options else None
        answer = ipywidgets.RadioButtons(
            options=list(options), value=chosen, layout=ipywidgets.Layout(width="auto")
        )
    else:
        text = "" if before is None else f"{before:g}"
        answer = ipywidgets.Text(
            value=text, placeholder="a number", layout=ipywidgets.Layout(width="10em")
        )
    button = ipywidgets.Button(
        description="That is my prediction", layout=ipywidgets.Layout(width="auto")
    )
    state = ipywidgets.HTML(_noted(before, unit))

    def commit(_: Any) -> None:
        try:
            if answer.value in (None, ""):
                raise PredictionError("Choose or type an answer first.")
            _record(name, answer.value, options, unit)
            state.value = _noted(progress.prediction(name)["answer"], unit)
        except (PredictionError, ProgressError, WorkspaceError) as error:
            state.value = render.inline(str(error))

    button.on_click(commit)
    row = [answer, ipywidgets.Label(unit), button]
    box = ipywidgets.VBox if options is not None else ipywidgets.HBox
    head = ipywidgets.HTML(f"<b>Predict.</b> {render.inline(question)}")
    return ipywidgets.VBox([head, box([item for item in row if item is not row[1] or unit]), state])


def _noted(answer: float | str | None, unit: str) -> str:
    if answer is None:
        return "Commit to an answer before you measure."
    return f"✓ Noted: {render.inline(amount(answer, unit))}. You can change it until you measure."
