"""The interview in a terminal: `playground interview`."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Questions of an interview, each with evidence that runs here.")


@app.callback(invoke_without_command=True)
def interview(
    check: Annotated[
        bool, typer.Option("--check", help="Hold every question to its rules (for authors).")
    ] = False,
) -> None:
    """Questions of an interview, each with evidence that runs here."""
    if check:
        _check()


def _check() -> None:
    from playground.interview import bank

    problems = bank.problems()
    for problem in problems:
        print(f"✗ {problem}")
    questions = [] if problems else bank.load()
    for gap in bank.gaps(questions):
        print(f"○ {gap}")
    print(f"{len(problems)} broken rules.")
    raise typer.Exit(1 if problems else 0)
