"""`playground slides`: a chapter as a page of slides that needs no network.

nbconvert makes the page, with reveal.js in a folder beside it. reveal.js comes with the package
sphinx-revealjs, the extra `slides`; of that package nothing else is used.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config

from playground.lab import environment
from playground.teaching.projector import EXERCISE
from playground.teaching.sections import Chapter, TeachingError

TEMPLATES = Path(__file__).with_name("templates")
PACKAGE = "sphinx-revealjs"
REVEAL = "reveal.js"  # the folder beside the page
PARTS = ("LICENSE", "dist/reveal.css", "dist/reveal.js", "dist/theme", "plugin/notes/notes.js")
WIDTH, HEIGHT = 1280, 720
CELL_SECONDS = 240.0
ANSI = re.compile(r"\x1b\[[\d;]*m")


def build(chapter: Chapter, folder: Path, *, run: bool = True) -> Path:
    """Write the slides of a chapter, and what they need, into `folder`; return the page.

    With `run` every cell is executed first, in a workspace of its own, so that the pictures are of
    this machine; without it there are no pictures.

    Raises TeachingError when reveal.js is not installed or a cell fails.
    """
    source = _reveal()
    book = nbformat.read(chapter.path, as_version=4)
    if run:
        book = executed(book)
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        _copy(source / part, folder / REVEAL / part)
    page = folder / f"{chapter.path.stem}.slides.html"
    page.write_text(_page(book, chapter.title), encoding="utf-8")
    return page


def executed(book: NotebookNode) -> NotebookNode:
    """Return the notebook with what its cells put out; the exercises are left alone.

    Raises TeachingError.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    for cell in book.cells:
        if EXERCISE.match(cell.source):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "skip-execution"]
    with tempfile.TemporaryDirectory(prefix="playground-slides-") as place:
        settings = environment(Path(place)) | {"PLAYGROUND_WORKSPACE": place}
        client = NotebookClient(
            book, timeout=CELL_SECONDS, store_widget_state=False,
            skip_cells_with_tag="skip-execution",
            resources={"metadata": {"path": place}},
        )  # fmt: skip
        try:
            return client.execute(env=os.environ | settings, stderr=subprocess.DEVNULL)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            last = ANSI.sub("", str(error)).strip().splitlines()[-1]
            raise TeachingError(
                f"The slides have no pictures, since a cell failed: {last}"
            ) from None


def _page(book: NotebookNode, title: str) -> str:
    from nbconvert.exporters import SlidesExporter

    settings = Config()
    settings.SlidesExporter.reveal_url_prefix = REVEAL
    settings.SlidesExporter.reveal_theme = "white"
    settings.SlidesExporter.reveal_width = str(WIDTH)
    settings.SlidesExporter.reveal_height = str(HEIGHT)
    settings.TemplateExporter.extra_template_basedirs = [str(TEMPLATES)]
    book.metadata["title"] = title
    exporter = SlidesExporter(config=settings, template_name="projector")
    text, _ = exporter.from_notebook_node(book)
    return text


def _reveal() -> Path:
    """The folder of reveal.js in the installed package.

    Raises TeachingError.
    """
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.as_posix().endswith("/revealjs/dist/reveal.js"):
            return Path(str(file.locate())).parents[1]
    raise TeachingError(
        "Slides need reveal.js: `pip install -e '.[slides]' -c constraints.txt` brings it."
    )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)
