"""Slides: what is shown, what is said. tests/browser/test_slides.py looks at the page itself."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from playground.teaching import sections, slides
from playground.teaching.projector import MOST_OUTPUT, Projector, on_the_wall, shown_code
from playground.teaching.sections import TeachingError

KINDS = {"slide", "subslide", "fragment", "skip", "notes", "-"}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9" height="9"></svg>'


def cell(source: str, kind: str, *outputs: Any, **metadata: Any) -> nbformat.NotebookNode:
    metadata["slideshow"] = {"slide_type": kind}
    if kind == "notes" or source.startswith("#"):
        return new_markdown_cell(source, metadata=metadata)
    return new_code_cell(source, metadata=metadata, outputs=list(outputs))


def projected(*cells: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """(slide type, text) of every cell."""
    book, _ = Projector().preprocess(new_notebook(cells=list(cells)), {})
    return [(one.metadata["slideshow"]["slide_type"], one.source) for one in book.cells]


# ---- what is shown, what is said ---------------------------------------------------------------


@pytest.mark.parametrize("number", sections.TAUGHT)
def test_every_cell_says_where_it_belongs(number: str) -> None:
    book = nbformat.read(sections.find(number).path, as_version=4)
    for one in book.cells:
        assert one.metadata["slideshow"]["slide_type"] in KINDS
    for section in sections.split(book.cells, number):
        assert section.cells[0][1].metadata["slideshow"]["slide_type"] == "slide"


def test_headlines_lists_and_tables_are_shown_and_prose_is_said() -> None:
    text = (
        "## See\n\nOne. Two is more.\n\n- a\n- b\n\n| x |\n|---|\n\n**Failure 1: too slow.** Why."
    )
    assert on_the_wall(text) == (
        "## See\n\nOne.\n\n- a\n- b\n\n| x |\n|---|\n\n**Failure 1: too slow.**"
    )
    kinds = projected(cell(text, "slide", playground={"speaker": [{"kind": "ask", "text": "Q?"}]}))
    assert kinds == [("slide", on_the_wall(text)), ("notes", f"**Ask.** Q?\n\n{text}")]


def test_what_stands_before_a_heading_belongs_to_the_section_before() -> None:
    mixed = {"slideshow": {"slide_type": "slide"}}
    found = projected(cell("# A", "slide"), new_markdown_cell("- rest of A\n\n# B", metadata=mixed))
    assert [text for _, text in found] == ["# A", "##### A", "- rest of A", "# B"]


def test_prose_between_two_pictures_is_said_at_the_first() -> None:
    found = projected(cell("# A", "slide"), cell("It is long prose.", "notes"))
    assert found[1:] == [("skip", "It is long prose."), ("notes", "It is long prose.")]


def test_of_long_code_the_end_is_shown() -> None:
    long = "\n".join(["def f():", *["    x = 1"] * 20, "f()", "print(f())"])
    assert shown_code("x = 1") == "x = 1"
    assert shown_code(long) == "# … 21 lines more above\nf()\nprint(f())"
    assert shown_code("predict('a', 'When?')") == ""
    assert shown_code("%%writefile a.py\n" + long) == ""


def test_outputs_are_pictures_or_a_few_lines() -> None:
    widget = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "The moving picture"}
    book, _ = Projector().preprocess(
        new_notebook(
            cells=[
                cell(
                    "x", "slide",
                    new_output("display_data", widget),
                    new_output("display_data", {"text/html": f"<p>No?</p>{SVG}", "text/plain": ""}),
                    new_output("display_data", {"text/plain": "Measured: 4 s. You made none."}),
                    new_output("stream", text="line\n" * 100),
                )
            ]
        ),
        {},
    )  # fmt: skip
    picture, measured, text = book.cells[0].outputs
    assert picture.data["text/html"].startswith('<div class="picture"><div><svg style="max-height')
    assert "Measured: 4 s." in measured.data["text/html"]
    assert len(text.text.splitlines()) == MOST_OUTPUT + 1
    assert text.text.endswith("… 82 lines more")


def test_each_picture_has_a_slide() -> None:
    pictures = [new_output("display_data", {"text/html": SVG}) for _ in range(3)]
    said = new_output("stream", text="said")
    found = projected(cell("# A", "slide"), cell("x", "subslide", *pictures[:2], said, pictures[2]))
    assert [kind for kind, _ in found] == ["slide", *["subslide", "-"] * 3]
    assert [text for _, text in found] == ["# A", "##### A", "x", "##### A", "", "##### A", ""]


def test_exercises_are_a_list() -> None:
    found = projected(
        cell("# Exercise", "slide"),
        cell('exercise("truck-predict")', "-"),
        cell("%%exercise truck-predict\nx", "-"),
    )
    assert found[1][1].startswith("- `truck-predict` Predict")
    assert len(found) == 2


# ---- the page ----------------------------------------------------------------------------------


def test_without_running_there_is_a_page_without_pictures(tmp_path: Path) -> None:
    page = slides.build(sections.find("08"), tmp_path, run=False)
    text = page.read_text("utf-8")
    assert "<svg" not in text.partition("<body")[2].replace("<svg class", "")
    assert "Step 1 · An arbiter in fifty lines" in text


def test_without_reveal_js_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> list[Any]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(slides.metadata, "files", missing)
    with pytest.raises(TeachingError, match=r"pip install -e '\.\[slides\]'"):
        slides.build(sections.find("00"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cell_that_fails_is_one_sentence() -> None:
    book = new_notebook(cells=[new_code_cell("1 / 0")])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    with pytest.raises(TeachingError, match="since a cell failed: ZeroDivisionError"):
        slides.executed(book)
