"""One notebook: its form, and what it refers to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

SHAPE = ("Predict", "Build", "See", "Exercise", "Recap")
PYTHON_MAGICS = {"capture", "exercise", "prun", "time", "timeit"}  # the rest of the cell is Python
HOME = re.compile(r"(?<![\w.])/(?:home|Users|root|work|private)/\w")
REGISTRY = re.compile(r"\b(?:pypi|pythonhosted|npmjs|anaconda)\s*\.\s*(?:org|com)\b", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Problem:
    """A broken promise: the file, the cell (counted from 1, 0 = the whole file), the sentence."""

    path: str
    cell: int
    text: str

    def __str__(self) -> str:
        """Return `path, cell N: sentence`."""
        where = f"{self.path}, cell {self.cell}" if self.cell else self.path
        return f"{where}: {self.text}"


@dataclass(frozen=True)
class Cell:
    """A cell: its number counted from 1, its kind, its text, its metadata."""

    number: int
    kind: str
    source: str
    metadata: dict[str, Any]

    @cached_property
    def magic(self) -> tuple[str, str] | None:
        """The name and the argument of the cell magic: `("exercise", "wsgi-environ")`."""
        match = re.match(r"\s*%%(\w+)[ \t]*(.*)", self.source)
        return (match[1], match[2].strip()) if match else None

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree of a code cell, or None for other cells.

        Raises SyntaxError.
        """
        if self.kind != "code" or (self.magic and self.magic[0] not in PYTHON_MAGICS):
            return None
        body = self.source.split("\n", 1)
        text = "\n" + "".join(body[1:]) if self.magic else self.source
        if re.search(r"^\s*[%!?]|[?]\s*$|=\s*[%!]", text, re.MULTILINE):
            text = TransformerManager().transform_cell(text)
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        tree = compile(text, f"cell {self.number}", "exec", flags)
        assert isinstance(tree, ast.Module)
        return tree

    def builds(self) -> list[str]:
        """Return what the cell claims to build: `["minimal_servers.http11:parse_head"]`."""
        claimed = self.metadata.get("builds", [])
        return [claimed] if isinstance(claimed, str) else list(claimed)


class Notebook:
    """A notebook file; `rel` is its name in messages.

    Raises ValueError with a sentence when the file is not a notebook.
    """

    def __init__(self, path: Path, rel: str) -> None:
        self.path = path
        self.rel = rel
        try:
            self.node = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
            nbformat.validate(self.node)
        except Exception as error:  # the reader and the validator raise many kinds
            reason = str(error).strip().splitlines()[0]
            raise ValueError(f"is not a valid notebook: {reason}") from None
        self.cells = [
            Cell(number, cell.cell_type, cell.source, cell.metadata)
            for number, cell in enumerate(self.node.cells, start=1)
        ]

    @property
    def chapter(self) -> str:
        """The two digits the file name begins with."""
        return self.path.name[:2]

    def problem(self, text: str, cell: int = 0) -> Problem:
        """Return a Problem of this notebook."""
        return Problem(self.rel, cell, text)

    def exercises(self) -> Iterator[tuple[str, int]]:
        """Yield (exercise id, cell) for every `%%exercise id` and `exercise("id")`."""
        for cell in self.cells:
            if cell.magic and cell.magic[0] == "exercise":
                yield cell.magic[1].split(" ")[0], cell.number
            for call in _calls(cell, "exercise"):
                if call.args and isinstance(name := getattr(call.args[0], "value", None), str):
                    yield name, cell.number


def form(notebook: Notebook) -> Iterator[Problem]:
    """Yield what is wrong with a notebook taken by itself."""
    yield from _stored_results(notebook)
    yield from _kernel(notebook)
    if notebook.chapter != "00":
        yield from _shape(notebook)
    for cell in notebook.cells:
        yield from _addresses(notebook, cell)
        yield from _imports(notebook, cell)


def _stored_results(notebook: Notebook) -> Iterator[Problem]:
    if "widgets" in notebook.node.metadata:
        yield notebook.problem("stores widget state: clear all outputs.")
    for number, cell in enumerate(notebook.node.cells, start=1):
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield notebook.problem("stores a result: clear all outputs.", number)
        if "execution" in cell.metadata:
            yield notebook.problem("stores execution times: clear all outputs.", number)


def _kernel(notebook: Notebook) -> Iterator[Problem]:
    kernel = notebook.node.metadata.get("kernelspec", {}).get("name")
    if kernel != "python3":
        yield notebook.problem(
            f"names the kernel {kernel!r}: it must be 'python3', or a dialog greets the reader."
        )


def _shape(notebook: Notebook) -> Iterator[Problem]:
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.kind != "markdown" or not first.source.startswith("# "):
        yield notebook.problem("must begin with a Markdown cell with its title ('# …').")
    headings = [
        match[1].strip()
        for cell in notebook.cells
        if cell.kind == "markdown"
        for match in re.finditer(r"^##[ \t]+(.+)$", cell.source, re.MULTILINE)
    ]
    found = [word for text in headings for word in SHAPE if re.match(rf"(?:\W|\d)*{word}\b", text)]
    firsts = list(dict.fromkeys(found))
    for word in SHAPE:
        if word not in firsts:
            yield notebook.problem(f"has no section '## {word}'.")
    if sorted(firsts) == sorted(SHAPE) and tuple(firsts) != SHAPE:
        yield notebook.problem(f"has its sections in the order {', '.join(firsts)}.")


def _addresses(notebook: Notebook, cell: Cell) -> Iterator[Problem]:
    if match := HOME.search(cell.source):
        yield notebook.problem(f"names a folder of one machine ({match[0]}…).", cell.number)
    if match := REGISTRY.search(cell.source):
        yield notebook.problem(f"names a package registry ({match[0]}).", cell.number)


def _imports(notebook: Notebook, cell: Cell) -> Iterator[Problem]:
    try:
        tree = cell.tree
    except SyntaxError as error:
        if "raises-exception" not in cell.metadata.get("tags", []):
            yield notebook.problem(f"is not Python: {error.msg}.", cell.number)
        return
    for node in ast.walk(tree) if tree else ():
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            if name.startswith("playground."):
                text = f"imports {name}: notebooks import from the top of playground only."
                yield notebook.problem(text, cell.number)


def _calls(cell: Cell, name: str) -> Iterator[ast.Call]:
    try:
        tree = cell.tree
    except SyntaxError:
        return
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == name:
            yield node
