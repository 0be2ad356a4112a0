"""What a chapter is made of for somebody who teaches it: sections, their minutes, speaker notes.

A section begins at a Markdown cell with a heading, and ends before the next one. The metadata of
that cell say how long it takes, and those of any of its cells what to say::

    "playground": {"minutes": 4, "speaker": [{"kind": "ask", "text": "…"}]}

The minutes of all sections add up to `course.minutes`, the chapter's own promise, which is without
the exercises. They are estimated, not measured in a room: docs/INSTRUCTORS.md has the rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from playground import workspace
from playground.errors import Told

TAUGHT = tuple(f"{number:02}" for number in range(12))  # 12 is for oneself, the night before
KINDS = {
    "ask": "a question for the room, before the cell runs",
    "demo": "something to do in front of everybody",
    "note": "what goes wrong, or what to say",
}
SHORTEST = 60  # characters: a note that is shorter says nothing that one could use
HEADING = re.compile(r"^#{1,3} +(.+)$", re.MULTILINE)


class TeachingError(Told):
    """A chapter, a section or a plan is not as it should be; the message is a sentence."""


@dataclass(frozen=True)
class SpeakerNote:
    """A prompt for the person in front: its kind (see KINDS), its text, the cell it belongs to."""

    kind: str
    text: str
    cell: str


@dataclass(frozen=True)
class Section:
    """Some cells under one heading; `cells` are `(number counted from 1, cell)`."""

    chapter: str
    title: str
    cells: tuple[tuple[int, NotebookNode], ...]

    @property
    def name(self) -> str:
        """What plans call it: `Step 3` of `Step 3 · A clock`."""
        return self.title.partition(" · ")[0]

    @property
    def minutes(self) -> int | None:
        """Minutes, estimated, without exercises; None where nobody has said."""
        return self.cells[0][1].metadata.get("playground", {}).get("minutes")

    @cached_property
    def notes(self) -> list[SpeakerNote]:
        """The speaker notes of all its cells, in order."""
        return [
            SpeakerNote(note.get("kind", ""), note.get("text", ""), cell.id)
            for _, cell in self.cells
            for note in cell.metadata.get("playground", {}).get("speaker", [])
        ]


@dataclass(frozen=True)
class Chapter:
    """A notebook, as it is taught; `minutes` is what it says of itself."""

    path: Path
    title: str
    minutes: int
    sections: tuple[Section, ...]

    @property
    def number(self) -> str:
        """The two digits: `02`."""
        return self.path.name[:2]

    def section(self, name: str) -> Section:
        """Return the section of that name; `Opening` is the one with the chapter's title.

        Raises TeachingError.
        """
        if name == "Opening":
            return self.sections[0]
        found = [one for one in self.sections[1:] if name in (one.name, one.title)]
        if len(found) != 1:
            raise TeachingError(f"Chapter {self.number} has {len(found)} sections named {name!r}.")
        return found[0]


def split(cells: list[NotebookNode], chapter: str) -> list[Section]:
    """Return the sections of a notebook, in order; what stands before any heading is none."""
    found: list[tuple[str, list[tuple[int, NotebookNode]]]] = []
    for number, cell in enumerate(cells, start=1):
        titles = HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
        if titles:
            found.append((titles[-1].replace("`", "").strip(), []))
        if found:
            found[-1][1].append((number, cell))
    return [Section(chapter, title, tuple(own)) for title, own in found]


def load(course: Path | None = None) -> dict[str, Chapter]:
    """Return the chapters that are taught, by number.

    Raises TeachingError for a notebook without `course.minutes`.
    """
    folder = (course or workspace.checkout()) / "notebooks"
    found = {}
    for path in sorted(folder.glob("*.ipynb")):
        if path.name[:2] in TAUGHT:
            chapter = read(path)
            found[chapter.number] = chapter
    return found


def read(path: Path) -> Chapter:
    """Return one chapter.

    Raises TeachingError when the notebook does not say how long it takes.
    """
    book = nbformat.read(path, as_version=4)
    minutes = book.metadata.get("course", {}).get("minutes")
    sections = split(book.cells, path.name[:2])
    if not isinstance(minutes, int) or not sections:
        raise TeachingError(f"{path.name} does not say how many minutes it takes.")
    return Chapter(path, sections[0].title, minutes, tuple(sections))


def find(number: str, course: Path | None = None) -> Chapter:
    """Return the chapter `02`, `2` or `02_wsgi`.

    Raises TeachingError for one that is not taught.
    """
    known = load(course)
    wanted = number[:2].rstrip("_").zfill(2)
    if wanted not in known:
        raise TeachingError(f"There is no chapter {number!r}: choose one from 00 to 11.")
    return known[wanted]


def problems(cells: list[NotebookNode], chapter: str, minutes: int) -> Iterator[tuple[int, str]]:
    """Yield (cell, sentence) for whatever a teacher would miss in a notebook."""
    sections = split(cells, chapter)
    for section in sections:
        first = section.cells[0][0]
        if not isinstance(section.minutes, int) or section.minutes < 1:
            yield first, f"begins section {section.title!r}, and says no playground.minutes."
        if not section.notes:
            yield first, f"begins section {section.title!r}, which has no speaker note."
        yield from _bad_notes(section)
    total = sum(section.minutes or 0 for section in sections)
    if total != minutes:
        yield 0, f"promises {minutes} minutes, and its sections take {total}."
    heads = {section.cells[0][0] for section in sections}
    for number, cell in enumerate(cells, start=1):
        if number not in heads and "minutes" in cell.metadata.get("playground", {}):
            yield number, "says playground.minutes, and begins no section."


def _bad_notes(section: Section) -> Iterator[tuple[int, str]]:
    numbers = {cell.id: number for number, cell in section.cells}
    for note in section.notes:
        if note.kind not in KINDS:
            kinds = ", ".join(KINDS)
            yield numbers[note.cell], f"has a speaker note of kind {note.kind!r}: {kinds}."
        if len(note.text) < SHORTEST:
            yield numbers[note.cell], f"has a speaker note that says too little: {note.text!r}."
