"""The questions as a deck for Anki (package ``genanki``).

The ids of deck, note type and notes never change, so a deck that is imported again updates the
cards, and what Anki knows about them stays.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

import genanki

from playground import workspace
from playground.errors import Told
from playground.interview import evidence
from playground.interview.bank import Question
from playground.interview.markup import html

DECK_ID = 1_731_482_205
MODEL_ID = 1_402_957_316
NAMESPACE = "python-web-server-playground"  # of the notes' ids
FIELDS = ("Question", "Short", "Long", "Follow-ups", "Wrong", "Evidence", "Where", "Id")
FRONT = '<div class="where">{{Where}}</div><div class="question">{{Question}}</div>'
BACK = """{{FrontSide}}<hr id="answer">{{Short}}
<details><summary>In two minutes</summary>{{Long}}</details>
<details><summary>What comes next</summary>{{Follow-ups}}</details>
<details><summary>The wrong answer</summary>{{Wrong}}</details>
<details><summary>Evidence</summary>{{Evidence}}</details>
<div class="where">{{Id}}</div>"""
STYLE = """.card { font: 20px/1.45 system-ui, sans-serif; max-width: 42em; margin: auto; }
.question { font-weight: 600; }
.where { font-size: 14px; opacity: .7; }
summary { cursor: pointer; font-weight: 600; margin-top: .6em; }
pre { font-size: 15px; white-space: pre-wrap; }"""


class AnkiError(Told):
    """The deck cannot be written; the message is a sentence that says what to do."""


def export(questions: Sequence[Question], file: Path) -> int:
    """Write a deck of these questions to `file` (".apkg"); return how many cards it has.

    Raises AnkiError when the file cannot be written or is named otherwise.
    """
    if file.suffix != ".apkg":
        raise AnkiError(f"Anki opens files that end in .apkg: write to {file.stem}.apkg instead.")
    if not file.absolute().parent.is_dir():
        raise AnkiError(f"There is no folder {file.parent}: make it, or choose another.")
    deck = genanki.Deck(DECK_ID, "Python web servers: the interview")
    for question in questions:
        deck.add_note(_note(question))
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / file.name
        genanki.Package(deck).write_to_file(made)
        try:
            workspace.write_atomic(file.absolute(), made.read_bytes())
        except workspace.WorkspaceError:
            raise AnkiError(
                f"Cannot write {file}: choose a file in a folder that you may write."
            ) from None
    return len(deck.notes)


def _note(question: Question) -> genanki.Note:
    proof = question.evidence
    shown = f"{html(proof.shows)}<pre>{escape(evidence.source(proof))}</pre>"
    follow_ups = html("\n".join(f"- {one}" for one in question.follow_ups))
    where = f"{question.file.replace('_', ' ')} · {question.level}"
    answers = [html(question.short), html(question.long), follow_ups, html(question.wrong)]
    return genanki.Note(
        model=_model(),
        fields=[html(question.question), *answers, shown, where, question.id],
        tags=[f"chapter-{question.chapter}", question.level],
        guid=genanki.guid_for(NAMESPACE, question.id),
    )


def _model() -> genanki.Model:
    return genanki.Model(
        MODEL_ID,
        "Python web servers: question",
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Asked", "qfmt": FRONT, "afmt": BACK}],
        css=STYLE,
    )
