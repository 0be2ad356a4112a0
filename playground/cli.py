"""The command `playground`: the terminal's way to everything that the notebooks do.

Each verb imports what it needs when it runs, so that `playground --help` is quick. What is expected
to go wrong ends as one sentence on standard error and exit code 1; wrong usage is exit code 2.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from playground import lab as jupyterlab
from playground import workspace
from playground.classroom.cli import app as classroom
from playground.grading.cli import app as grading
from playground.interrupts import hear_everywhere
from playground.interview.cli import app as interview
from playground.output import print_json
from playground.run_cli import app as runs
from playground.teaching.cli import app as teaching
from playground.waiting import advancing, working

if TYPE_CHECKING:
    from playground.doctor import Finding

MARKS = {"ok": "[green]✓[/]", "note": "[yellow]•[/]", "problem": "[red]✗[/]"}

app = typer.Typer(
    help="Build Python web servers from raw sockets, and watch every request while it runs.",
    epilog="Exit codes: 0 all is well, 1 something failed (one sentence says what), 2 wrong usage,"
    " 130 Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(runs)
app.add_typer(grading)
app.add_typer(classroom)
app.add_typer(interview, name="interview")
app.add_typer(teaching)


def main() -> None:
    """Run the command line and exit."""
    warnings.showwarning = _warn
    hear_everywhere()
    try:
        try:
            app(prog_name="playground")
        finally:
            sys.stdout.flush()  # a full disk is told here, and not when the interpreter ends
    except BrokenPipeError:  # `playground exercises | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        _fail(f"{name}{error.strerror or error}.")
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "playground":
            raise  # a bug, and its traceback helps
        _fail(str(error))


@app.command()
def lab(
    chapter: Annotated[str, typer.Argument(help="The chapter to open, such as 02.")] = "00",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The first port to try; 0 takes any free one.")
    ] = jupyterlab.FIRST_PORT,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Open the course in JupyterLab."""
    jupyterlab.run(chapter, port=port, browser=browser)


@app.command("app")
def serve_panel(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to try; 0 takes any free one.")
    ] = 8866,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
    dark: Annotated[bool, typer.Option("--dark", help="Light on dark.")] = False,
) -> None:
    """Serve the panel of chapter 11 as a web page, without Jupyter."""
    from playground.panel import app as page

    page.run(port, browser=browser, theme="dark" if dark else "light")


@app.command()
def reset(
    names: Annotated[
        list[str] | None, typer.Argument(help="Chapters (02), exercises or files.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="The whole workspace, progress included.")
    ] = False,
) -> None:
    """Take the course's own files again; yours go to a backup."""
    if bool(names) == everything:
        raise typer.BadParameter("give chapters or exercises (playground reset 02), or --all.")
    done = workspace.reset_all() if everything else workspace.reset(_files(names or []))
    if not done.replaced:
        print("Nothing to reset: your files are the course's own.")
        return
    count = len(done.replaced)
    print(f"{count} file{'s' * (count != 1)} replaced by the course's own.")
    if done.backup:
        print(f"Your files are in {done.backup}")


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False,
    for_class: Annotated[
        bool, typer.Option("--class", help="What an instructor looks at on the evening before.")
    ] = False,
    learners: Annotated[
        int, typer.Option(min=1, max=500, help="With --class: so many share this machine.")
    ] = 1,
    wheelhouse: Annotated[
        Path | None, typer.Option(help="With --class: a folder of wheels, for a room offline.")
    ] = None,
) -> None:
    """Look at what the course needs from this machine; changes nothing."""
    if not for_class and (learners != 1 or wheelhouse):
        raise typer.BadParameter("--learners and --wheelhouse go with --class.")
    with working("Looking …"):
        if for_class:
            from playground.teaching import evening

            findings = list(evening.examine(learners, wheelhouse))
        else:
            from playground.doctor import examine

            findings = list(examine())
    if as_json:
        print_json([dataclasses.asdict(finding) for finding in findings])
    else:
        Console().print(_findings_table(findings))
    problems = sum(finding.state == "problem" for finding in findings)
    if problems:
        plural = "s" * (problems != 1)
        _fail(f"{problems} problem{plural}: the remedy stands beside it.")


@app.command()
def gate(
    fix: Annotated[
        bool, typer.Option("--fix", help="Copy minimal_servers and the stubs into their cells.")
    ] = False,
) -> None:
    """Hold the notebooks to what they promise (for those who write the course)."""
    from playground import gate as course_gate
    from playground.grading import exercise

    course = workspace.checkout()
    catalogue = {one.id: one.rel for one in exercise.load()}
    if fix:
        for name in course_gate.fix(course, catalogue):
            print(f"changed {name}")
    problems = course_gate.check(course, catalogue)
    for problem in problems:
        print(problem)
    if problems:
        _fail(f"the course gate found {len(problems)} broken promises.")
    print("The course gate is green.")


@app.command(name="course-check")
def course_check(
    names: Annotated[list[str] | None, typer.Argument(help="Exercises. Without any: all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Hold the notebooks and every exercise to what they promise, on all cores (for authors)."""
    from playground.gate.course_check import course_check
    from playground.grading import exercise

    catalogue = exercise.load()
    chosen = [exercise.find(name) for name in names] if names else catalogue
    with advancing("Holding the course to its promises") as progress:
        report = course_check(workspace.checkout(), chosen, catalogue, progress)
    if as_json:
        print_json(dataclasses.asdict(report))
        raise typer.Exit(1 if report.broken else 0)
    for finding in report.broken:
        print(f"✗ {finding.promise}: {finding.problem}\n")
    for promise, reason in report.exempt.items():
        print(f"exempt: {promise}: {reason}")
    print(
        f"{report.exercises} exercises: {report.kept} promises kept"
        f" ({report.remembered} of them since nothing has changed), {len(report.broken)} broken."
    )
    raise typer.Exit(1 if report.broken else 0)


def _findings_table(findings: list[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        detail = escape(finding.detail)
        if finding.remedy:
            detail += f"\n[dim]→[/] {escape(finding.remedy)}"
        table.add_row(MARKS[finding.state], finding.name, detail)
    return table


def _files(names: list[str]) -> list[str]:
    """Replace exercise ids by their files."""
    from playground.grading import exercise

    files = {one.id: one.rel for one in exercise.load()}
    return [files.get(name, name) for name in names]


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show our own warnings as a sentence; those of other packages are not for learners."""
    if issubclass(category, UserWarning):
        print(f"playground: {message}", file=sys.stderr)


def _fail(sentence: str) -> None:
    print(f"playground: {sentence}", file=sys.stderr)
    sys.exit(1)
