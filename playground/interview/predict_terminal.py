"""Predict the timeline in a terminal: the question, the reader's answer, the run, both compared."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, TypeVar

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from playground.interview import outcome, predictions, timelines
from playground.interview.outcome import Answer, Judged, Outcome
from playground.interview.predict import Number, PredictError, Question, parse_number
from playground.interview.terminal import console
from playground.views.look import seconds
from playground.waiting import advancing

Said = TypeVar("Said")

MARKS = {outcome.RIGHT: ("✓", "green"), outcome.SOUND: ("≈", "yellow"), outcome.OTHER: ("✗", "red")}


def question(asked: Question, width: int) -> Group:
    """The question with its pictures, ``width`` columns wide."""
    parts: list[RenderableType] = [
        Text(f"Predict the timeline · seed {asked.seed}, question {asked.number}", style="bold"),
        Text(),
        *(Text(f"{label:<9}{words}") for label, words in facts(asked)),
        Text(),
        Text("Which of these timelines will it be?", style="bold"),
        Text(timelines.LEGEND, style="dim"),
        Text(),
        *timelines.side_by_side(asked, width),
    ]
    return Group(*parts)


def facts(asked: Question) -> list[tuple[str, str]]:
    """What is given: a label and words, each."""
    return [
        ("Server", asked.server),
        ("", f"$ {asked.command}"),
        ("App", asked.written),
        ("Request", asked.does),
        ("Load", asked.sends),
        ("Unit", asked.unit),
    ]


def ask(asked: Question, out: Console, read: Callable[[str], str]) -> Answer:
    """Ask until there is an answer. Raises ``EOFError`` at the end of the input."""
    letters = "/".join(one.letter for one in asked.pictures)
    letter = _until(out, read, f"Which picture ({letters})? ", functools.partial(_letter, asked))
    numbers = {}
    for one in asked.numbers:
        unit = "" if one.whole else " (units)"
        parse = functools.partial(_number, one)
        numbers[one.key] = _until(out, read, f"{one.question}{unit} ", parse)
    return Answer(letter, numbers)


def play(asked: Question, answer: Answer, out: Console) -> Judged | None:
    """Run the question, show what happened beside the answer, and keep it; None in trouble."""
    with advancing(f"Starting {asked.choice.title} …") as told:
        found = outcome.run(asked, tell=lambda _, part: told(part) if part else None)
    out.print(found.run)
    if found.seen is None:
        out.print(Text(found.trouble))
        return None
    judged = outcome.judge(asked, answer, found.seen)
    out.print(compared(judged, found))
    predictions.record(asked, answer, judged)
    return judged


def compared(judged: Judged, found: Outcome) -> Group:
    """The prediction beside the capacity and the run."""
    parts: list[RenderableType] = []
    for row in judged.rows:
        mark, style = MARKS[row.verdict]
        table = Table.grid(padding=(0, 1))
        table.add_row("  you said", Text(row.said))
        table.add_row("  by capacity", Text(row.expected))
        table.add_row("  it ran", Text(row.seen))
        told = (f"{mark} ", f"bold {style}"), (row.question, "bold"), (f"  {row.verdict}", style)
        parts += [Text.assemble(*told), table]
    unit = f"1 unit was {seconds(found.unit_s)}: one request alone, just before."
    parts += [Text(), Text(f"{judged.right} of {len(judged.rows)} as it ran. {unit}")]
    if judged.note:
        parts.append(Text(judged.note))
    return Group(*parts)


def session(asked: Question, answer: Answer | None) -> Judged | None:
    """Ask one question and run it; ``answer`` is what was given on the command line.

    Raises ``PredictError`` if nobody answers.
    """
    out = console()
    out.print(question(asked, out.width))
    try:
        said = answer or ask(asked, out, out.input)
    except EOFError:
        raise PredictError(
            "There was no answer. Where nobody can type, give all of it:"
            " --answer B --numbers 2,3,2."
        ) from None
    return play(asked, said, out)


def given(asked: Question, letter: str, numbers: str) -> Answer:
    """An answer from the command line, as in ``B`` and ``2,3,2``. Raises ``PredictError``."""
    texts = numbers.split(",")
    if len(texts) != len(asked.numbers):
        raise PredictError(
            f"--numbers has {len(asked.numbers)} numbers with commas between them, such as 2,3,1.5:"
            f" {'; '.join(one.question for one in asked.numbers)}"
        )
    pairs = zip(asked.numbers, texts, strict=True)
    return Answer(_letter(asked, letter), {one.key: parse_number(text, one) for one, text in pairs})


def as_data(asked: Question, answer: Answer) -> dict[str, Any]:
    """Run the question; the comparison as JSON has it."""
    found = outcome.run(asked)
    told = {**asked.as_data(), "trouble": found.trouble, "unit_s": found.unit_s}
    if found.seen is None:
        return told
    judged = outcome.judge(asked, answer, found.seen)
    predictions.record(asked, answer, judged)
    rows = [dataclasses.asdict(row) for row in judged.rows]
    return {**told, "compared": rows, "right": judged.right, "note": judged.note}


def _letter(asked: Question, said: str) -> str:
    return asked.picture(said).letter


def _number(asked: Number, said: str) -> float:
    return parse_number(said, asked)


def _until(
    out: Console, read: Callable[[str], str], words: str, parse: Callable[[str], Said]
) -> Said:
    """Ask again until what is said makes sense."""
    while True:
        try:
            return parse(read(words))
        except PredictError as error:
            out.print(Text(str(error)))
