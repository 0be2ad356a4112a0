"""All chapters together: their form, the exercises they use, the code they end with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import nbformat

from playground.gate import builds
from playground.gate.notebooks import Notebook, Problem, form
from playground.workspace import write_atomic


def check(course: Path, catalogue: Mapping[str, str]) -> list[Problem]:
    """Return every broken promise of the course in the folder `course`, sorted.

    `catalogue` maps the id of every exercise to its chapter, `{"wsgi-environ": "02"}`.
    """
    notebooks, problems = _read(course)
    code = _code(course, notebooks)
    for notebook in notebooks:
        problems += form(notebook)
        problems += builds.check_cells(notebook, code)
    problems += _exercises(notebooks, catalogue)
    if notebooks:
        problems += builds.check_end_state(notebooks, code)
    else:
        problems.append(Problem("notebooks", 0, "has no notebook."))
    return sorted(problems)


def fix(course: Path) -> list[str]:
    """Copy the modules' text into the cells that build it; return the notebooks that changed."""
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
        after = nbformat.writes(notebook.node)
        if after != before:
            write_atomic(notebook.path, after.rstrip("\n").encode() + b"\n")
            changed.append(notebook.rel)
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


def _exercises(notebooks: list[Notebook], catalogue: Mapping[str, str]) -> Iterator[Problem]:
    used: set[str] = set()
    for notebook in notebooks:
        for name, cell in notebook.exercises():
            used.add(name)
            if name not in catalogue:
                yield notebook.problem(f"uses exercise {name!r}, which does not exist.", cell)
    chapters = {notebook.chapter for notebook in notebooks}
    for name, chapter in sorted(catalogue.items()):
        if chapter in chapters and name not in used:
            yield Problem("exercises", 0, f"{name} (chapter {chapter}) is used in no notebook.")
