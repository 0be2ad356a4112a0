"""All chapters together: their form, the exercises they use, the code they end with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import nbformat

from playground.gate import builds
from playground.gate.notebooks import Cell, Notebook, Problem, form
from playground.grading import exercise
from playground.teaching import document, sections
from playground.workspace import write_atomic


def check(course: Path, catalogue: Mapping[str, str]) -> list[Problem]:
    """Return every broken promise of the course in the folder `course`, sorted.

    `catalogue` maps the id of every exercise to its place in `exercises/`, with the slashes of a
    path: `{"wsgi-environ": "02_wsgi/environ.py"}`.
    """
    notebooks, problems = _read(course)
    code = _code(course, notebooks)
    for notebook in notebooks:
        problems += form(notebook)
        problems += builds.check_cells(notebook, code)
        problems += _stubs(course, notebook, catalogue)
        problems += _taught(notebook)
    problems += _plans(course)
    problems += _exercises(notebooks, catalogue)
    if notebooks:
        problems += builds.check_end_state(notebooks, code)
    else:
        problems.append(Problem("notebooks", 0, "has no notebook."))
    return sorted(problems)


def fix(course: Path, catalogue: Mapping[str, str]) -> list[str]:
    """Copy modules and stubs into the cells that hold them, and the plans into their document.

    Return the files that changed.
    """
    notebooks, _ = _read(course)
    code = _code(course, notebooks)
    changed = []
    for notebook in notebooks:
        before = nbformat.writes(notebook.node)
        for cell, node in zip(notebook.cells, notebook.node.cells, strict=True):
            try:
                wanted = builds.expected(cell, code)
            except LookupError:
                continue  # `check` names it
            if wanted:
                node.source = builds.render(wanted)
            elif stub := _stub_cell(course, cell, catalogue):
                node.source = stub
        after = nbformat.writes(notebook.node)
        if after != before:
            write_atomic(notebook.path, after.rstrip("\n").encode() + b"\n")
            changed.append(notebook.rel)
    text = _with_plans(course)
    if text is not None and text != (course / document.DOCUMENT).read_text("utf-8"):
        write_atomic(course / document.DOCUMENT, text.encode())
        changed.append(document.DOCUMENT.as_posix())
    return changed


def _code(course: Path, notebooks: list[Notebook]) -> dict[str, list[builds.Definition]]:
    claims = {claim for book in notebooks for cell in book.cells for claim in cell.builds()}
    return builds.split_classes(builds.modules(course), claims)


def _read(course: Path) -> tuple[list[Notebook], list[Problem]]:
    notebooks: list[Notebook] = []
    problems: list[Problem] = []
    for path in sorted((course / "notebooks").glob("*.ipynb")):
        rel = f"notebooks/{path.name}"
        try:
            notebooks.append(Notebook(path, rel))
        except ValueError as error:
            problems.append(Problem(rel, 0, str(error)))
    return notebooks, problems


def _stub_cell(course: Path, cell: Cell, catalogue: Mapping[str, str]) -> str | None:
    """Return what a `%%exercise` cell must hold: the magic, then the stub."""
    name = cell.magic[1] if cell.magic and cell.magic[0] == "exercise" else ""
    stub = course / "exercises" / catalogue.get(name, name)
    if not name or not stub.is_file():
        return None
    return f"%%exercise {name}\n{stub.read_text(encoding='utf-8')}".rstrip("\n")


def _stubs(course: Path, notebook: Notebook, catalogue: Mapping[str, str]) -> Iterator[Problem]:
    for cell in notebook.cells:
        stub = _stub_cell(course, cell, catalogue)
        if stub is not None and cell.source.rstrip("\n") != stub:
            text = "differs from the stub of its exercise: `playground gate --fix` copies it."
            yield notebook.problem(text, cell.number)


def _taught(notebook: Notebook) -> Iterator[Problem]:
    """What somebody who teaches it needs: minutes and speaker notes, section by section."""
    minutes = notebook.node.metadata.get("course", {}).get("minutes")
    if notebook.chapter in sections.TAUGHT and minutes:
        for cell, text in sections.problems(notebook.node.cells, notebook.chapter, minutes):
            yield notebook.problem(text, cell)


def _plans(course: Path) -> Iterator[Problem]:
    rel = document.DOCUMENT.as_posix()
    try:
        text = _with_plans(course)
    except sections.TeachingError as error:
        yield Problem(rel, 0, str(error))
    else:
        if text is not None and text != (course / document.DOCUMENT).read_text("utf-8"):
            yield Problem(rel, 0, "shows other plans than are computed: `playground gate --fix`.")


def _with_plans(course: Path) -> str | None:
    """The document that shows the plans, as it should be; None where there is none."""
    path = course / document.DOCUMENT
    if not path.is_file():
        return None
    catalogue = {one.id: one for one in exercise.load(course)}
    return document.updated(path.read_text("utf-8"), course, catalogue)


def _exercises(notebooks: list[Notebook], catalogue: Mapping[str, str]) -> Iterator[Problem]:
    used: set[str] = set()
    for notebook in notebooks:
        for name, cell in notebook.exercises():
            used.add(name)
            if name not in catalogue:
                yield notebook.problem(f"uses exercise {name!r}, which does not exist.", cell)
    chapters = {notebook.chapter for notebook in notebooks}
    for name, place in sorted(catalogue.items()):
        if place[:2] in chapters and name not in used:
            yield Problem("exercises", 0, f"{name} (chapter {place[:2]}) is used in no notebook.")
