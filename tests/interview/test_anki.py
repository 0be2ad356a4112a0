"""The deck, opened again with the tools that its format is made of."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from playground.interview import anki, bank
from playground.interview.bank import Evidence, Question

QUESTIONS = bank.load()
NASTY = Question(
    "wsgi-what-is-it", "mid", "What does `a < b` & <b>that</b> do?",
    "It is <script>alert(1)</script>",
    "One.\n\nTwo `x < y`.", ("Why?", "And?"), "No.", (),
    Evidence("It is so.", code="print(1 < 2)\nassert '<b>'"), "02_wsgi",
)  # fmt: skip


def notes(file: Path, folder: Path) -> list[tuple[str, list[str], str]]:
    """Identity, fields and tags of every note of a deck."""
    with zipfile.ZipFile(file) as package:
        assert package.testzip() is None
        package.extract("collection.anki2", folder)
    with contextlib.closing(sqlite3.connect(folder / "collection.anki2")) as base:
        rows = base.execute("SELECT guid, flds, tags FROM notes ORDER BY id").fetchall()
        (cards,) = base.execute("SELECT count(*) FROM cards").fetchone()
        decks, models = base.execute("SELECT decks, models FROM col").fetchone()
    assert cards == len(rows)
    assert str(anki.DECK_ID) in json.loads(decks)
    assert list(json.loads(models)) == [str(anki.MODEL_ID)]
    return [(guid, fields.split("\x1f"), tags) for guid, fields, tags in rows]


@pytest.mark.filterwarnings("error")
def test_every_question_is_a_card(tmp_path: Path) -> None:
    file = tmp_path / "deck.apkg"
    assert anki.export(QUESTIONS, file) == len(QUESTIONS)
    found = notes(file, tmp_path)
    assert [fields[-1] for _, fields, _ in found] == [each.id for each in QUESTIONS]
    assert all(all(fields) for _, fields, _ in found)
    assert found[0][2].split() == [f"chapter-{QUESTIONS[0].chapter}", QUESTIONS[0].level]


def test_a_newer_deck_updates_the_same_notes(tmp_path: Path) -> None:
    file = tmp_path / "deck.apkg"
    anki.export([NASTY], file)
    before = notes(file, tmp_path)
    anki.export([replace(NASTY, short="Another answer."), *QUESTIONS[:2]], file)
    after = notes(file, tmp_path)
    assert after[0][0] == before[0][0]
    assert "Another answer." in after[0][1][1]
    assert len({guid for guid, _, _ in after}) == 3


def test_what_looks_like_html_is_text(tmp_path: Path) -> None:
    file = tmp_path / "deck.apkg"
    anki.export([NASTY], file)
    ((_, fields, _),) = notes(file, tmp_path)
    assert fields[0] == "<p>What does <code>a &lt; b</code> &amp; &lt;b&gt;that&lt;/b&gt; do?</p>"
    assert "&lt;script&gt;" in fields[1]
    assert fields[2].count("<p>") == 2
    assert "print(1 &lt; 2)" in fields[5]


@pytest.mark.parametrize(
    ("name", "words"), [("deck.txt", "deck.apkg"), ("none/deck.apkg", "no folder")]
)
def test_a_file_that_cannot_be(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(anki.AnkiError, match=words):
        anki.export([NASTY], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_deck_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "deck.apkg").mkdir()
    with pytest.raises(anki.AnkiError, match="may write"):
        anki.export([NASTY], tmp_path / "deck.apkg")
    assert [path.name for path in tmp_path.iterdir()] == ["deck.apkg"]
