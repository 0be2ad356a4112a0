"""Speaker notes: every section of chapters 00 to 11 has one that can be used."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from typer.testing import CliRunner

from playground.cli import app
from playground.teaching import sections

CHAPTERS = sections.load()
LONG = "What do you expect to see here, and what would surprise you most, and why would it?"


def cells(*notes: dict[str, str], minutes: Any = 5) -> list[nbformat.NotebookNode]:
    """A notebook of one section, with these speaker notes at its second cell."""
    head = new_markdown_cell("# A chapter", metadata={"playground": {"minutes": minutes}})
    return [head, new_code_cell("1", metadata={"playground": {"speaker": list(notes)}})]


@pytest.mark.parametrize("number", sections.TAUGHT)
def test_a_teacher_misses_nothing(number: str) -> None:
    chapter = CHAPTERS[number]
    book = nbformat.read(chapter.path, as_version=4)
    assert list(sections.problems(book.cells, number, chapter.minutes)) == []


def test_no_note_is_said_twice() -> None:
    texts = [n.text for c in CHAPTERS.values() for s in c.sections for n in s.notes]
    assert len(texts) == len(set(texts)) >= 200


def test_every_chapter_asks_and_shows() -> None:
    for chapter in CHAPTERS.values():
        kinds = {note.kind for section in chapter.sections for note in section.notes}
        assert kinds == set(sections.KINDS), chapter.title


@pytest.mark.parametrize(
    ("notes", "minutes", "sentence"),
    [
        ([], 5, "which has no speaker note"),
        ([{"kind": "tell", "text": LONG}], 5, "of kind 'tell': ask, demo, note"),
        ([{"kind": "ask", "text": "Any questions?"}], 5, "says too little: 'Any questions?'"),
        ([{"kind": "ask", "text": LONG}], None, "says no playground.minutes"),
        ([{"kind": "ask", "text": LONG}], 4, "promises 5 minutes, and its sections take 4"),
    ],
)
def test_what_is_missing_is_named(
    notes: list[dict[str, str]], minutes: int | None, sentence: str
) -> None:
    found = [text for _, text in sections.problems(cells(*notes, minutes=minutes), "01", 5)]
    assert any(sentence in text for text in found), found


def test_minutes_belong_to_the_beginning_of_a_section() -> None:
    stray = new_code_cell("2", metadata={"playground": {"minutes": 1}})
    found = list(sections.problems([*cells({"kind": "ask", "text": LONG}), stray], "01", 5))
    assert found == [(3, "says playground.minutes, and begins no section.")]


def test_the_command_shows_each_note_with_its_cell() -> None:
    done = CliRunner().invoke(app, ["notes", "6"])
    assert done.exit_code == 0
    for section in CHAPTERS["06"].sections:
        assert section.title in done.stdout
    data = json.loads(CliRunner().invoke(app, ["notes", "06", "--json"]).stdout)
    ids = {cell.id for s in CHAPTERS["06"].sections for _, cell in s.cells}
    notes = [note for section in data["sections"] for note in section["notes"]]
    assert notes
    assert {note["cell"] for note in notes} <= ids


def test_there_is_no_chapter_for_which_there_are_no_notes() -> None:
    done = CliRunner().invoke(app, ["notes", "12"])
    assert isinstance(done.exception, sections.TeachingError)
