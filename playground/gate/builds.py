"""Cells that build `minimal_servers/`: the end state of the cells is the code.

A code cell whose metadata says `{"builds": "minimal_servers.http11:parse_head"}` (or a list of
such names) holds exactly these definitions, in this order, character for character as they stand
in the module, with the comment lines directly above them.

A class may grow over several cells. The claim `module:Server.serve` stands for a cell that goes on
with `class Server(Server):` and holds this method; `module:Server` is then the class without the
methods that are claimed so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playground.gate.notebooks import Cell, Notebook, Problem


@dataclass(frozen=True)
class Definition:
    """A top-level definition or assignment: the names it binds and its text."""

    names: tuple[str, ...]
    text: str
    is_block: bool  # a def or class, which stands between two blank lines


def definitions(source: str, tree: ast.Module | None = None) -> list[Definition]:
    """Return the top-level definitions and assignments of `source`, in order.

    Imports, the docstring, and `if __name__ == "__main__":` define nothing.

    Raises SyntaxError.
    """
    lines = source.split("\n")
    found = []
    for node in (tree or ast.parse(source)).body:
        if names := _bound_names(node):
            start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
            while start and lines[start - 1].startswith("#"):
                start -= 1
            is_block = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            text = "\n".join(line.rstrip() for line in lines[start : node.end_lineno])
            found.append(Definition(names, text, is_block))
    return found


def modules(course: Path) -> dict[str, list[Definition]]:
    """Return the definitions of every module of `minimal_servers/`, by dotted name."""
    return {
        f"minimal_servers.{path.stem}": definitions(path.read_text(encoding="utf-8"))
        for path in sorted((course / "minimal_servers").glob("*.py"))
        if path.stem != "__init__"
    }


def split_classes(
    code: dict[str, list[Definition]], claims: set[str]
) -> dict[str, list[Definition]]:
    """Return `code` with each class that grows over several cells taken apart.

    It becomes the class without the claimed methods, then a definition `Class.method` for each.
    """
    return {
        module: [
            part
            for definition in found
            for part in _take_apart(
                definition, {c.partition(":")[2] for c in claims if c.startswith(f"{module}:")}
            )
        ]
        for module, found in code.items()
    }


def _take_apart(definition: Definition, names: set[str]) -> list[Definition]:
    members = [one for one in _members(definition) if one.names[0] in names]
    if not members:
        return [definition]
    shell = definition.text
    for member in members:
        shell = shell.replace(member.text + "\n", "\n", 1).removesuffix(member.text)
    shell = re.sub(r"\n{3,}", "\n\n", shell).rstrip()
    return [Definition(definition.names, shell, True), *members]


def _members(definition: Definition) -> list[Definition]:
    """Return the methods of a class, each with its decorators and its indentation."""
    tree = ast.parse(definition.text).body
    if not tree or not isinstance(tree[0], ast.ClassDef):
        return []
    lines = definition.text.split("\n")
    found = []
    for node in tree[0].body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
            text = "\n".join(lines[start : node.end_lineno])
            found.append(Definition((f"{tree[0].name}.{node.name}",), text, True))
    return found


def expected(cell: Cell, code: dict[str, list[Definition]]) -> list[Definition]:
    """Return the definitions that a cell claims to build.

    Raises LookupError with a sentence for a name that the modules do not have.
    """
    wanted = []
    for claim in cell.builds():
        module, _, name = claim.partition(":")
        matches = [found for found in code.get(module, []) if name in found.names]
        if not matches:
            raise LookupError(f"claims to build {claim!r}, which does not exist.")
        wanted += matches
    return list(dict.fromkeys(wanted))


def render(wanted: list[Definition]) -> str:
    """Return the text of a cell with these definitions, formatted as ruff does."""
    text, grown = "", ""
    for before, definition in zip([None, *wanted], wanted, strict=False):
        owner = definition.names[0].rpartition(".")[0]
        if owner and owner == grown:
            text += "\n\n" + definition.text
            continue
        if before:
            text += "\n\n\n" if before.is_block or definition.is_block else "\n"
        if owner:
            text += f"class {owner}({owner}):\n"
        text, grown = text + definition.text, owner
    return text


def check_cells(notebook: Notebook, code: dict[str, list[Definition]]) -> Iterator[Problem]:
    """Yield the cells of a notebook that do not hold what they claim to build."""
    for cell in notebook.cells:
        if not cell.builds():
            continue
        try:
            wanted = expected(cell, code)
        except LookupError as error:
            yield notebook.problem(str(error.args[0]), cell.number)
            continue
        claims = ", ".join(cell.builds())
        if not _same(cell, wanted):
            text = f"differs from {claims}: `playground gate --fix` copies the module's text."
            yield notebook.problem(text, cell.number)


def check_end_state(
    notebooks: list[Notebook], code: dict[str, list[Definition]]
) -> Iterator[Problem]:
    """Yield what the chapters together leave out of `minimal_servers/`, or leave different."""
    claimed = {claim for book in notebooks for cell in book.cells for claim in cell.builds()}
    last = _last_definitions(notebooks, code)
    for module, found in code.items():
        path = module.replace(".", "/") + ".py"
        for definition in found:
            if not any(f"{module}:{name}" in claimed for name in definition.names):
                yield Problem(path, 0, f"{definition.names[0]} is built in no chapter.")
        for name in dict.fromkeys(name for definition in found for name in definition.names):
            texts = [definition.text for definition in found if name in definition.names]
            if (end := last.get((module, name))) and end.text not in texts:
                text = f"leaves {name} different from the one in {path}."
                yield end.notebook.problem(text, end.cell)


@dataclass(frozen=True)
class _End:
    """Where the chapters define a name for the last time, and the text there."""

    notebook: Notebook
    cell: int
    text: str


def _last_definitions(
    notebooks: list[Notebook], code: dict[str, list[Definition]]
) -> dict[tuple[str, str], _End]:
    """Return the last definition in the cells of every (module, name) of `code`.

    A cell that does not say which module it builds counts for every module with that name.
    """
    homes = {
        name: {module for module, found in code.items() if any(name in d.names for d in found)}
        for found in code.values()
        for definition in found
        for name in definition.names
    }
    last = {}
    for notebook in notebooks:
        for cell in notebook.cells:
            for definition in _cell_definitions(cell):
                for name in definition.names:
                    candidates = homes.get(name, set())
                    said = {m for m in candidates if f"{m}:{name}" in cell.builds()}
                    for module in said or candidates:
                        last[module, name] = _End(notebook, cell.number, definition.text)
    return last


def _cell_definitions(cell: Cell) -> list[Definition]:
    if cell.magic:  # an exercise is the learner's, not the course's
        return []
    try:
        found = definitions(cell.source, cell.tree) if cell.tree else []
    except SyntaxError:
        return []
    return [
        part
        for one in found
        for part in (_members(one) if one.text.startswith(_growing(one)) else [one])
    ]


def _growing(definition: Definition) -> str:
    name = definition.names[0]
    return f"class {name}({name}):"


def _same(cell: Cell, wanted: list[Definition]) -> bool:
    plain, needed = (
        [line.rstrip() for line in text.split("\n") if line.strip()]
        for text in (cell.source, render(wanted))
    )
    return plain == needed


def _bound_names(node: ast.stmt) -> tuple[str, ...]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return (node.name,)
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    return tuple(
        name.id
        for target in targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    )
