"""The exercises in a terminal: check, hint, solution, progress, exercises."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from playground.waiting import working

if TYPE_CHECKING:
    from rich.table import Table

    from playground.grading.exercise import Exercise
    from playground.grading.verdict import Verdict

app = typer.Typer()
exercises_app = typer.Typer(help="List the exercises; verify and mutate them (for authors).")
app.add_typer(exercises_app, name="exercises", invoke_without_command=True)

Id = Annotated[str, typer.Argument(help="Such as http-request-line; the file will do as well.")]


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Exercises; without any, all are checked.")
    ] = None,
    watch: Annotated[bool, typer.Option(help="Check again whenever the file is saved.")] = False,
    picture: Annotated[bool, typer.Option(help="Draw your own server, if it is one.")] = False,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Grade this file instead.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Grade your files in the workspace; exit code 0 when all pass."""
    from playground.grading import exercise, session

    chosen = [exercise.find(name) for name in names or []]
    if (watch or file) and len(chosen) != 1:
        raise typer.BadParameter("--watch and --file want exactly one exercise.")
    if watch:
        _watch(chosen[0], picture)
        return
    verdicts = []
    for each in chosen or exercise.load():
        with working(f"Checking {each.id} …"):
            verdicts.append(session.check(each, file, picture=picture))
    if as_json:
        for verdict in verdicts:
            print(json.dumps(_as_data(verdict)))
    elif chosen:
        _show(verdicts)
    else:
        _print(_results(verdicts))
    raise typer.Exit(0 if all(verdict.passed for verdict in verdicts) else 1)


@app.command()
def hint(
    name: Id,
    layer: Annotated[
        int | None, typer.Option(min=1, help="Up to this layer; otherwise one more each time.")
    ] = None,
) -> None:
    """Show a hint: first a nudge, then the concept, then almost the code."""
    from rich.padding import Padding
    from rich.text import Text

    from playground.grading import exercise, session

    found = exercise.find(name)
    given = session.hints(found, layer)
    for number, text in enumerate(given, 1):
        print(f"{exercise.hint_title(number, len(found.hints))}\n")
        _print(Padding(Text(text), (0, 0, 1, 2)))
    if len(given) < len(found.hints):
        print(f"One more: playground hint {found.id}")


@app.command()
def solution(
    name: Id,
    show: Annotated[
        bool, typer.Option("--show", help="Before the pass as well; noted in your progress.")
    ] = False,
) -> None:
    """Show the reference solution, once you have passed."""
    from rich.syntax import Syntax

    from playground.grading import exercise, session

    text = session.solution(exercise.find(name), show=show)
    _print(Syntax(text, "python", background_color="default"))


@app.command("progress")
def show_progress(
    as_json: Annotated[bool, typer.Option("--json", help="The progress file as it is.")] = False,
) -> None:
    """Show what is passed, and where the progress file is."""
    from playground.grading import exercise, progress

    data = progress.load()
    if as_json:
        print(json.dumps(data, indent=2, sort_keys=True))
        return
    catalogue = exercise.load()
    _print(_catalogue(catalogue, data["exercises"]))
    done = [e for e in catalogue if data["exercises"].get(e.id, {}).get("status") == "passed"]
    minutes = sum(e.minutes for e in catalogue if e not in done)
    print(f"{len(done)} of {len(catalogue)} passed; about {minutes} minutes to go.")
    print(f"Kept in {progress.path()} (copy it to carry it along).")


@exercises_app.callback(invoke_without_command=True)
def exercises(context: typer.Context) -> None:
    """List the exercises; verify and mutate them (for authors)."""
    if context.invoked_subcommand is None:
        from playground import workspace
        from playground.grading import exercise, progress

        _print(_catalogue(exercise.load(), progress.load()["exercises"], files=True))
        print(f"Your files are in {workspace.root() / 'exercises'}")


@exercises_app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Without any: all.")] = None,
) -> None:
    """Hold exercises to their promises: stub, solution, alternatives, mutants, data."""
    from playground import workspace
    from playground.grading import exercise
    from playground.grading import verify as promises

    catalogue = exercise.load()
    chosen = [exercise.find(name) for name in names] if names else catalogue
    todo = [promise for each in chosen for promise in promises.promises(each)]
    problems = [] if names else promises.stray(catalogue, workspace.checkout())
    problems = [f"stray file: {name}" for name in problems] + promises.twins(chosen)
    for number, promise in enumerate(todo, 1):
        problem = promise.problem()
        sign = "✗" if problem else "✓"
        print(f"{number:>4}/{len(todo)} {sign} {promise.exercise.id}: {promise.name}")
        if problem:
            problems.append(f"{promise.exercise.id}: {promise.name}: {problem}")
    for problem in problems:
        print(f"\n{problem}")
    print(f"\n{len(chosen)} exercises, {len(todo)} promises, {len(problems)} broken.")
    raise typer.Exit(1 if problems else 0)


@exercises_app.command()
def mutate(
    names: Annotated[list[str] | None, typer.Argument(help="Without any: all.")] = None,
    sample: Annotated[int, typer.Option(help="At most so many changes for each exercise.")] = 0,
    seed: Annotated[int, typer.Option(help="Which sample.")] = 0,
) -> None:
    """Change the solutions in small ways; list what the graders let pass."""
    from playground.grading import exercise
    from playground.grading import mutate as mutation

    chosen = [exercise.find(name) for name in names] if names else exercise.load()
    tried = problems = 0
    for each in chosen:
        report = mutation.mutate(each, sample=sample, seed=seed)
        tried += report.tried
        problems += len(report.survivors) + len(report.needless)
        sign = "✗" if report.survivors or report.needless else "✓"
        print(f"{sign} {each.id}: {report.tried} changes, {len(report.survivors)} pass", flush=True)
        for survivor in report.survivors:
            print(f"\n  passes, line {survivor.line}:\n{_indented(survivor.diff)}")
        for change in report.needless:
            print(f"\n  listed as equivalent, but it is not (or gone):\n{_indented(change)}")
    print(f"\n{len(chosen)} exercises, {tried} changes, {problems} to look at.")
    raise typer.Exit(1 if problems else 0)


def _watch(chosen: Exercise, picture: bool) -> None:
    from playground.grading import session
    from playground.grading.watch import saves

    path = chosen.learners_file()
    print(f"Watching {path}; Ctrl-C ends.")
    with contextlib.suppress(KeyboardInterrupt):
        for _ in saves(path):
            with working(f"Checking {chosen.id} …"):
                verdict = session.check(chosen, picture=picture)
            _show([verdict])


def _show(verdicts: Iterable[Verdict]) -> None:
    for verdict in verdicts:
        if verdict.picture is not None:
            _print(verdict.picture)
        _print(verdict)


def _results(verdicts: list[Verdict]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from playground.grading import render

    table = Table(box=None, pad_edge=False)
    for name in ("exercise", "verdict", "title"):
        table.add_column(name)
    for verdict in verdicts:
        sign = f"{render.SIGNS[verdict.status]} {verdict.status}"
        style = render.RICH[verdict.status]
        table.add_row(verdict.exercise, Text(sign, style), verdict.title)
    return table


def _catalogue(
    catalogue: list[Exercise], recorded: dict[str, dict[str, object]], files: bool = False
) -> Table:
    """One row an exercise; with `files` the learner's file stands below its title."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("", "exercise", "", "title", "level", "min"):
        side: Literal["left", "right"] = "right" if name == "min" else "left"
        table.add_column(name, justify=side, no_wrap=name != "title", overflow="fold")
    for each in catalogue:
        entry = recorded.get(each.id, {})
        status = str(entry.get("status", "not begun"))
        sign = "✓ passed" if status == "passed" else f"○ {status}"
        style = "green" if status == "passed" else ""
        state = Text(sign, style)
        minutes = str(each.minutes)
        title = Text(each.title)
        if files:
            title.append(f"\n{each.rel}", "dim")
        table.add_row(each.chapter[:2], each.id, state, title, each.difficulty, minutes)
    return table


def _as_data(verdict: Verdict) -> dict[str, object]:
    from playground.grading import render

    message = verdict.message
    return {
        "exercise": verdict.exercise,
        "status": str(verdict.status),
        "checks": {check.name: check.passed for check in verdict.checks},
        "message": {row.label: row.text for row in render.rows(message)} if message else {},
        "notes": verdict.notes,
    }


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _print(renderable: object) -> None:
    from rich.console import Console

    Console().print(renderable)
