"""The exercises in a terminal: check, watch, hint, solution, progress, update, exercises, grade."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from playground.output import print_json
from playground.waiting import advancing, working

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from playground.grading.exercise import Exercise
    from playground.grading.progress import Chapter
    from playground.grading.verdict import Verdict

app = typer.Typer()
exercises_app = typer.Typer(help="List the exercises; serve your own; mutate them (for authors).")
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
    from playground.grading import exercise

    chosen = [exercise.find(name) for name in names or []]
    if (watch or file) and len(chosen) != 1:
        raise typer.BadParameter("--watch and --file want exactly one exercise.")
    if watch:
        _watch(chosen[0], picture)
        return
    verdicts = _checked(chosen or exercise.load(), file, picture)
    if as_json:
        for verdict in verdicts:
            print(json.dumps(_as_data(verdict)))
    elif chosen:
        _show(verdicts)
    else:
        _print(_results(verdicts))
    raise typer.Exit(0 if all(verdict.passed for verdict in verdicts) else 1)


@app.command("watch")
def watch_exercises(
    name: Annotated[str | None, typer.Argument(help="Where to begin; otherwise the next.")] = None,
    picture: Annotated[bool, typer.Option(help="Draw your own server, if it is one.")] = False,
) -> None:
    """Check every exercise again as soon as you save it; keys for hints, the next one, …"""
    from playground.grading import exercise

    _watch(exercise.find(name) if name else None, picture)


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
    if sys.stdout.isatty():
        _print(Syntax(text, "python", background_color="default", word_wrap=True))
    else:  # a file or a pipe takes the program as it is
        print(text, end="")


@app.command("progress")
def show_progress(
    chapter: Annotated[
        str | None, typer.Argument(help="Such as 02: every exercise of one chapter.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write your progress to a file.")
    ] = None,
    take: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="Add what such a file holds.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The progress file as it is.")] = False,
) -> None:
    """Show what is passed, chapter by chapter; carry it to another machine and back."""
    from playground.grading import exercise, progress

    if take:
        count = progress.take(take)
        print(f"{count} new pass{'es' * (count != 1)} from {take}; nothing of yours was lost.")
    if export:
        count = progress.export(export)
        print(f"{count} pass{'es' * (count != 1)} written to {export}")
    if take or export:
        return
    data = progress.load()
    if as_json:
        print_json(data)
        return
    catalogue, recorded = exercise.load(), data["exercises"]
    if chapter:
        _print(_catalogue(_of_chapter(catalogue, chapter), recorded))
        return
    _print(_chapters(progress.chapters(catalogue, recorded).values()))
    following = progress.following(catalogue, recorded)
    if following:
        print(f"Next: {following.id} (playground watch {following.id})")
    print(f"Kept in {progress.path()}")


@app.command()
def update() -> None:
    """Take what is new or changed in the course; what you have changed stays as it is."""
    from playground import workspace

    report = workspace.prepare()
    for rel in report.created:
        print(f"new       {rel}")
    for rel in report.refreshed:
        print(f"changed   {rel}")
    for rel in report.newer:
        print(f"left      {rel}")
    if sentence := report.sentence():
        print(sentence)
    elif not report.created and not report.refreshed:
        print("Nothing to update: your workspace has what the course has.")


@app.command("grade")
def grade_cohort(
    folder: Annotated[Path, typer.Argument(help="A folder with one folder for each learner.")],
    target: Annotated[Path, typer.Option("--csv", metavar="FILE", help="Where the grades go.")],
    only: Annotated[
        list[str] | None, typer.Option(help="This exercise; give it again for more.")
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=0, max=64, help="Files at a time; 0 takes all processors.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The statistics as JSON.")] = False,
) -> None:
    """Grade the workspaces of many learners; the same command goes on after a kill."""
    from playground.grading import cohort, cohort_report, exercise

    def say(sentence: str) -> None:
        print(f"playground: {sentence}", file=sys.stderr)

    catalogue = exercise.load()
    chosen = {exercise.find(name).id for name in only or []} or {each.id for each in catalogue}
    catalogue = [each for each in catalogue if each.id in chosen]
    found = cohort.read(folder, catalogue, beside=target)
    what = f"Grading {len(found.tasks)} files of {len(found.learners)} learners …"
    try:
        with advancing(what) as advance:
            cohort.grade(found, target, jobs=jobs, advance=advance, say=say)
    except KeyboardInterrupt:
        say("Interrupted: the same command goes on from here.")
        raise typer.Exit(130) from None
    if as_json:
        print_json(cohort_report.data(found))
    else:
        _print(cohort_report.summary(found))
        print(f"Grades written to {target}")
    for sentence in [*found.notes, *found.problems]:
        say(sentence)
    raise typer.Exit(1 if found.problems else 0)


@exercises_app.callback(invoke_without_command=True)
def exercises(context: typer.Context) -> None:
    """List the exercises; serve your own; mutate them (for authors)."""
    if context.invoked_subcommand is None:
        from playground import workspace
        from playground.grading import exercise, progress

        _print(_catalogue(exercise.load(), progress.load()["exercises"], files=True))
        print(f"Your files are in {workspace.root() / 'exercises'}")


@exercises_app.command()
def serve(
    name: Id,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")
    ] = 0,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Serve this file instead.")
    ] = None,
) -> None:
    """Serve your own server or app until Ctrl-C, to ask it by hand."""
    from playground.grading import byhand, exercise

    found = exercise.find(name)
    try:
        byhand.run(found, file or found.learners_file(), port)
    except KeyboardInterrupt:
        print("\nEnded.")


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
        if not (sample or report.needless):
            mutation.record(each, report)
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


def _checked(chosen: list[Exercise], file: Path | None, picture: bool) -> list[Verdict]:
    """Grade on all cores; the verdicts come in the order of the exercises."""
    from concurrent.futures import ThreadPoolExecutor, as_completed

    from playground.grading import session

    if len(chosen) == 1:
        with working(f"Checking {chosen[0].id} …"):
            return [session.check(chosen[0], file, picture=picture)]
    with (
        advancing(f"Checking {len(chosen)} exercises …") as advance,
        ThreadPoolExecutor(os.cpu_count() or 2) as pool,
    ):
        running = [pool.submit(session.check, each, picture=picture, here=False) for each in chosen]
        try:
            for count, _ in enumerate(as_completed(running), 1):
                advance(count / len(chosen))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [each.result() for each in running]


def _watch(chosen: Exercise | None, picture: bool) -> None:
    from playground.grading.watch import run

    run(chosen, picture=picture)


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


def _of_chapter(catalogue: list[Exercise], name: str) -> list[Exercise]:
    wanted = name.zfill(2) if name.isdigit() else name
    found = [e for e in catalogue if e.chapter == wanted or e.chapter.startswith(f"{wanted}_")]
    if not found:
        raise typer.BadParameter(f"there is no chapter {name!r} with exercises (try 02).")
    return found


def _chapters(chapters: Iterable[Chapter]) -> Table:
    """One row a chapter, and their sum."""
    from rich.table import Table
    from rich.text import Text

    from playground.grading import progress

    table = Table(box=None, pad_edge=False)
    for name in ("", "chapter", "", "passed", "min", "to go"):
        side: Literal["left", "right"] = "right" if name in ("passed", "min", "to go") else "left"
        table.add_column(name, justify=side, no_wrap=True)
    total = progress.Chapter("")
    for each in chapters:
        total.passed += each.passed
        total.total += each.total
        total.minutes += each.minutes
        total.minutes_left += each.minutes_left
        number, _, name = each.name.partition("_")
        table.add_row(number, name.replace("_", " "), *_reached(each))
    table.add_row("", Text("all", "bold"), *_reached(total))
    return table


def _reached(chapter: Chapter) -> tuple[Text, str, str, str]:
    from rich.text import Text

    from playground.grading import render
    from playground.grading.verdict import Status

    bar = render.bar(chapter.passed, chapter.total, 20)
    counted = f"{chapter.passed} of {chapter.total}"
    left = str(chapter.minutes_left) if chapter.minutes_left else "✓"
    return Text(bar, render.RICH[Status.PASSED]), counted, str(chapter.minutes), left


def _catalogue(
    catalogue: list[Exercise], recorded: dict[str, dict[str, object]], files: bool = False
) -> Table:
    """One row an exercise; with `files` its state and the learner's file stand below it."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("", "exercise", *([] if files else [""]), "title", "level", "min"):
        side: Literal["left", "right"] = "right" if name == "min" else "left"
        table.add_column(name, justify=side, no_wrap=name != "title", overflow="fold")
    for each in catalogue:
        entry = recorded.get(each.id, {})
        status = str(entry.get("status", "not begun"))
        sign = "✓ passed" if status == "passed" else f"○ {status}"
        style = "green" if status == "passed" else ""
        state = Text(sign, style)
        rest = each.difficulty, str(each.minutes)
        if files:
            whose = Text(f"{each.id}\n").append_text(state)
            title = Text(f"{each.title}\n").append(each.rel, "dim")
            table.add_row(each.chapter[:2], whose, title, *rest)
        else:
            table.add_row(each.chapter[:2], each.id, state, each.title, *rest)
    return table


def _as_data(verdict: Verdict) -> dict[str, object]:
    from playground.grading import render

    message = verdict.message
    return {
        "exercise": verdict.exercise,
        "status": str(verdict.status),
        "checks": {check.name: check.passed for check in verdict.checks},
        "message": {row.label: row.text for row in render.rows(message)} if message else {},
        "repeat": render.repeats(verdict),
        "notes": verdict.notes,
    }


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _print(renderable: object) -> None:
    from rich.console import Console

    Console().print(renderable, crop=False)
