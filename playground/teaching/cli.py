"""For those who teach the course, in a terminal: plan, notes, slides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from playground.output import print_json

if TYPE_CHECKING:
    from rich.table import Table

    from playground.teaching.plan import Plan
    from playground.teaching.sections import Chapter

app = typer.Typer()

STYLES = {"break": "dim", "room": "italic"}


@app.command("plan")
def show_plan(
    name: Annotated[str, typer.Argument(metavar="half-day|one-day|two-day", help="Which one.")],
    minutes: Annotated[
        int | None, typer.Option(min=30, max=2400, help="Fit it to so many minutes of teaching.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The plan as JSON.")] = False,
) -> None:
    """Say what to teach in half a day, one day or two, and how that adds up."""
    from playground.grading import exercise
    from playground.teaching import plan, sections

    catalogue = {one.id: one for one in exercise.load()}
    found, spare = plan.load(name, sections.load(), catalogue)
    if minutes is not None:
        found = plan.fit(found, spare, minutes)
    if as_json:
        print_json(found.as_data())
        return
    _print_plan(found)


def _print_plan(found: Plan) -> None:
    from rich.console import Console
    from rich.markup import escape

    from playground.teaching.plan import total_sentence

    console = Console(highlight=False)
    console.print(f"[bold]{escape(found.title)}[/]\n{escape(' '.join(found.reason.split()))}\n")
    console.print(_plan_table(found))
    console.print(f"\n[bold]In all[/] {total_sentence(found)}.")
    if found.left_out:
        console.print("Left out for lack of time:")
        for text in found.left_out:
            console.print(f"  {escape(text)}")
    console.print("[dim]Minutes are estimated, not measured in a room: docs/INSTRUCTORS.md.[/]")


def _plan_table(found: Plan) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from playground.teaching.plan import difference

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for number, block in enumerate(found.blocks, start=1):
        sums = f"{block.planned} of {block.target}: {difference(block.over)}"
        table.add_row("", f"[bold]{number} · {escape(block.title)}[/] [dim]({sums})[/]")
        for item in block.items:
            table.add_row(str(item.minutes), escape(item.text), style=STYLES.get(item.kind))
        if block.home:
            table.add_row("", f"[dim]at home: {', '.join(block.home)}[/]")
        table.add_row("", "")
    return table


@app.command()
def notes(
    chapter: Annotated[str, typer.Argument(help="The chapter, such as 02.")],
    as_json: Annotated[bool, typer.Option("--json", help="The notes as JSON.")] = False,
) -> None:
    """Show the speaker notes of a chapter, with the cells they belong to."""
    from playground.teaching import sections

    found = sections.find(chapter)
    if as_json:
        print_json(_notes_data(found))
        return
    _print_notes(found)


def _notes_data(chapter: Chapter) -> dict[str, object]:
    return {
        "chapter": chapter.number,
        "title": chapter.title,
        "minutes": chapter.minutes,
        "sections": [
            {
                "title": section.title,
                "minutes": section.minutes,
                "notes": [vars(note) for note in section.notes],
            }
            for section in chapter.sections
        ],
    }


def _print_notes(chapter: Chapter) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    colours = {"ask": "cyan", "demo": "green", "note": "yellow"}
    console = Console(highlight=False)
    for section in chapter.sections:
        heading = Text(section.title, style="bold")
        console.print(heading.append(f"  {section.minutes} min", style="dim"))
        numbers = {cell.id: number for number, cell in section.cells}
        for note in section.notes:
            kind = Text(f"{note.kind.capitalize():5}", style=f"bold {colours.get(note.kind, '')}")
            console.print(Padding(kind.append(f"cell {numbers[note.cell]}", style="dim"), (0, 2)))
            console.print(Padding(Text(note.text), (0, 2, 0, 4)))
        console.print()


@app.command()
def slides(
    chapter: Annotated[str, typer.Argument(help="The chapter, such as 02.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", file_okay=False, help="The folder for the page.")
    ] = Path("slides"),
    run: Annotated[
        bool, typer.Option(help="Run the cells first; without it there are no pictures.")
    ] = True,
) -> None:
    """Make slides of a chapter: a page for a browser, which needs no network (s: notes)."""
    from playground.teaching import sections
    from playground.teaching import slides as deck
    from playground.waiting import working

    found = sections.find(chapter)
    with working(f"{found.title} …"):
        page = deck.build(found, output, run=run)
    print(page)
