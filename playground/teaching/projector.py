"""A chapter becomes slides: headlines, lists and pictures; the prose goes to the speaker's notes.

nbconvert decides what a slide is by the metadata `slideshow.slide_type`. This preprocessor, which
its template `projector` calls, makes each of them fit for a projector. What it takes away from a
slide is in the notes of that slide (press s), with what the speaker is to ask and to show.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from playground.grading import exercise

MOST_CODE = 16  # lines: more cannot be read from the back row, and is in the notebook
MOST_TAIL = 11
MOST_OUTPUT = 18
MOST_SENTENCES = 3
SCREEN, LINE = 590, 28  # pixels: what a slide has room for, what a line takes
PICTURE = 420  # pixels: rather without its code than smaller than this
MOST_WORDS = 32  # of a sentence that may stand under a headline
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z*`\"])")
SHOWN = ("#", "- ", "* ", "|", ">", "```", "1. ", "2. ", "3. ")
LEAD = re.compile(r"\*\*[^*]+\*\*")
LEAST_LEAD = 4  # words: fewer are a term, and not what is said about it
TITLE = re.compile(r"^#{1,3} (.+)$", re.MULTILINE)
HEADING = re.compile(r"^#{1,3} ", re.MULTILINE)
EXERCISE = re.compile(r"(?:%%exercise ([\w-]+)|exercise\(\"([\w-]+)\"\))")
WIDGET = "application/vnd.jupyter.widget-view+json"


class Projector(Preprocessor):
    """Turns the cells of a chapter into what a room can read from the back."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook as slides, with a cell of notes behind each cell that has any."""
        nb.metadata.pop("widgets", None)  # nbconvert would load their code from the network
        nb.cells = list(_titled(_all_slides(nb.cells)))
        return nb, resources


def _all_slides(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    for is_exercise, group in groupby(cells, lambda cell: bool(_exercise(cell))):
        if is_exercise:
            yield from _exercises(list(group))
        else:
            for cell in group:
                yield from _slides(cell)


def _titled(cells: Iterator[NotebookNode]) -> Iterator[NotebookNode]:
    """The cells, with the title of the section over each slide that has none of its own."""
    title = ""
    for cell in cells:
        kind = cell.metadata["slideshow"]["slide_type"]
        if kind == "slide" and (titles := TITLE.findall(cell.source)):
            title = titles[-1]
        elif kind == "subslide":
            yield _cell(f"##### {title}", "subslide")
            cell.metadata["slideshow"] = {"slide_type": "-"}
        yield cell


def _slides(cell: NotebookNode) -> Iterator[NotebookNode]:
    """The cell as it is shown, then its notes."""
    kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
    if kind == "slide" and (heading := HEADING.search(cell.source)):
        before = cell.source[: heading.start()].strip()
        cell.source = cell.source[heading.start() :]
        if on_the_wall(before):  # the end of the section before, in the same cell
            yield from _slides(_cell(before, "subslide"))
        elif before:
            yield _cell(before, "notes")
    notes = _speaker(cell)
    if kind == "notes":
        notes.append(cell.source)
        kind = "skip"
    elif cell.cell_type == "markdown" and kind != "skip":
        shown = on_the_wall(cell.source)
        if shown != cell.source:
            notes.append(cell.source)
        cell.source = shown
    more: list[NotebookNode] = []
    if cell.cell_type == "code" and kind != "skip":
        more = _taken_apart(cell)
        if not _code(cell):
            kind = "skip"
    cell.metadata["slideshow"] = {"slide_type": kind}
    yield cell
    if notes:
        yield _cell("\n\n".join(notes), "notes")
    for other in more:
        yield from _slides(other)


def _taken_apart(cell: NotebookNode) -> list[NotebookNode]:
    """Leave the first picture in the cell; return cells without code for each of the others."""
    begins = [number for number, output in enumerate(cell.outputs) if _pictures(output)][1:]
    parts = []
    for begin, end in pairwise([*begins, len(cell.outputs)]):
        part = new_code_cell("", outputs=cell.outputs[begin:end])
        part.metadata["slideshow"] = {"slide_type": "subslide"}
        parts.append(part)
    if begins:
        cell.outputs = cell.outputs[: begins[0]]
    return parts


def _speaker(cell: NotebookNode) -> list[str]:
    notes = cell.metadata.get("playground", {}).get("speaker", [])
    return [f"**{note['kind'].capitalize()}.** {note['text']}" for note in notes]


def _cell(text: str, kind: str) -> NotebookNode:
    return new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}})


def on_the_wall(source: str) -> str:
    """Return what of a Markdown cell is shown: headings, lists, tables, code, quotes.

    Of a paragraph that begins in bold the bold words stay; under a heading, the first sentences
    of the first paragraphs.
    """
    found: list[str] = []
    said = MOST_SENTENCES  # until there is a heading
    for block in _blocks(source):
        lead = LEAD.match(block)
        first = SENTENCE.split(block)[0]
        if block.startswith(SHOWN):
            found.append(block)
            said = 0 if block.startswith("#") else said
        elif lead and (lead[0] == block or len(lead[0].split()) >= LEAST_LEAD):
            found.append(lead[0])
        elif said < MOST_SENTENCES and len(first.split()) <= MOST_WORDS:
            found.append(first)
            said += 1
    return "\n\n".join(found)


def _blocks(source: str) -> Iterator[str]:
    """Paragraphs; a fenced block is one, whatever is in it."""
    fenced: list[str] = []
    for block in re.split(r"\n{2,}", source):
        fenced.append(block)
        if sum(part.count("```") for part in fenced) % 2 == 0:
            yield "\n\n".join(fenced)
            fenced = []


def _code(cell: NotebookNode) -> bool:
    """Make a code cell fit; False if nothing of it is to be seen."""
    cell.source = shown_code(cell.source)
    lines = len(cell.source.splitlines())
    said = sum(_lines(output) for output in cell.outputs)
    pictures = sum(len(_pictures(output)) for output in cell.outputs)
    room = (SCREEN - LINE * said) // max(pictures, 1)
    if pictures and room - LINE * lines // pictures < PICTURE:
        cell.source = ""
    elif pictures:
        room -= LINE * lines // pictures
    if not cell.source:
        cell.metadata["transient"] = {"remove_source": True}
    cell.outputs = [shown for output in cell.outputs if (shown := _output(output, room))]
    return bool(cell.source or cell.outputs)


def shown_code(source: str) -> str:
    """Return a short cell whole; of a long one its last statements, which use what it defines.

    Nothing of one that asks for a prediction: its questions are shown.
    """
    lines = source.splitlines()
    if source.startswith("predict("):
        return ""
    if len(lines) <= MOST_CODE:
        return source
    try:
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        tree = compile(source, "cell", "exec", flags)
    except SyntaxError:  # it is a magic
        return ""
    starts = [node.lineno for node in tree.body if len(lines) - node.lineno < MOST_TAIL]
    if not starts:
        return ""
    return "\n".join([f"# … {starts[0] - 1} lines more above", *lines[starts[0] - 1 :]])


def _pictures(output: NotebookNode) -> list[str]:
    return re.findall(r"<svg.*?</svg>", output.get("data", {}).get("text/html", ""), re.DOTALL)


def _lines(output: NotebookNode) -> int:
    """How many lines of text an output takes, about."""
    text = output.get("text", output.get("data", {}).get("text/plain", ""))
    return 0 if _pictures(output) else min(len(text.splitlines()), MOST_OUTPUT)


def _output(output: NotebookNode, room: int) -> NotebookNode | None:
    """The output as it is projected, a picture at most `room` high (pixels).

    None for one that lives in a notebook only.
    """
    if output.output_type == "stream":
        return new_output("stream", name="stdout", text=_cut(output.text))
    data = output.get("data", {})
    text = data.get("text/plain", "")
    if pictures := _pictures(output):
        return _html(_scaled(pictures, room))
    if text.startswith("Predict: "):
        return _html(f"<p><strong>{text}</strong></p>")
    if WIDGET in data:
        return None
    if text.startswith("Measured: "):
        return _html(f"<p><strong>{text.partition(' You made')[0]}</strong></p>")
    return new_output("display_data", {"text/plain": _cut(text)}) if text else None


def _cut(text: str) -> str:
    lines = text.strip("\n").splitlines()
    rest = len(lines) - MOST_OUTPUT
    if rest < 2:  # where a line says that one is missing, that one may stand as well
        return "\n".join(lines)
    return "\n".join([*lines[:MOST_OUTPUT], f"… {rest} lines more"])


def _html(text: str) -> NotebookNode:
    return new_output("display_data", {"text/html": text})


def _scaled(pictures: list[str], room: int) -> str:
    style = f"max-height: {room}px"
    inner = "".join(
        f'<div><svg style="{style}"{one.removeprefix("<svg")}</div>' for one in pictures
    )
    return f'<div class="picture">{inner}</div>'


def _exercises(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """A list instead of the cells of exercises, and their notes."""
    found = [exercise.find(name) for name in dict.fromkeys(map(_exercise, cells))]
    lines = [f"- `{e.id}` {e.title} ({e.difficulty}, {e.minutes} min)" for e in found]
    yield _cell("\n".join(lines), "-")
    if notes := [note for cell in cells for note in _speaker(cell)]:
        yield _cell("\n\n".join(notes), "notes")


def _exercise(cell: NotebookNode) -> str:
    """The id of the exercise that a cell is about, or ``""``."""
    match = EXERCISE.match(cell.source) if cell.cell_type == "code" else None
    return (match[1] or match[2]) if match else ""
