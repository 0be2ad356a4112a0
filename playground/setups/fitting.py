"""What goes with one set-up: a table for the terminal, and the same as data."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from playground.setups.catalogue import find
from playground.setups.workloads import FRAMEWORKS, WORKLOADS, cell


def as_data(setup: str) -> list[dict[str, Any]]:
    """One entry for each framework and workload. Raises ``ServeError`` for an unknown set-up."""
    find(setup)
    found = []
    for framework in FRAMEWORKS:
        for workload in WORKLOADS:
            one = cell(setup, framework, workload)
            names = {"framework": framework, "workload": workload}
            found.append({**names, "valid": one.valid, "why": one.why, "anyway": one.anyway})
    return found


def as_table(setup: str) -> RenderableType:
    """Workloads by frameworks, and below it why the rest cannot be. Raises ``ServeError`` for an
    unknown set-up.
    """
    shown = find(setup)
    title = f"{shown.name} ({shown.interface}) shows {shown.shows}."
    possible = [name for name in FRAMEWORKS if cell(setup, name).valid]
    table = Table(box=None, pad_edge=False)
    table.add_column("workload", min_width=16)
    for framework in possible:
        table.add_column(framework, justify="center")
    for workload in WORKLOADS:
        marks = ["✓" if cell(setup, name, workload).valid else "–" for name in possible]
        table.add_row(workload, *marks)
    reasons = Table(box=None, pad_edge=False, show_header=False)
    for who, why in _reasons(setup, possible):
        reasons.add_row(f"– {who}", escape(why))
    return Group(escape(title), "", table, "", reasons)


def _reasons(setup: str, possible: list[str]) -> Iterator[tuple[str, str]]:
    """Each reason once, with what it is about."""
    told: dict[str, str] = {}
    for workload in WORKLOADS:
        for framework in possible:
            why = cell(setup, framework, workload).why
            if why and why not in told.values():
                told[workload] = why
    for framework in FRAMEWORKS:
        if framework not in possible:
            told[framework] = cell(setup, framework).why
    yield from told.items()
