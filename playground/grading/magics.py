"""Exercises in a notebook: `%%exercise ID`, `%hint ID`, `%solution ID --show`.

None of them raises for what a learner can do: Run All goes on, and a panel says what is the matter.
"""

from __future__ import annotations

import json
from typing import Any

from playground import workspace
from playground.grading import progress, render, session
from playground.grading.exercise import Exercise, ExerciseError, find, hint_title, load
from playground.grading.progress import ProgressError
from playground.grading.session import NotYet
from playground.grading.verdict import Status, Verdict
from playground.workspace import WorkspaceError

_SENTENCES = (ExerciseError, ProgressError, WorkspaceError, NotYet)


class Panel:
    """Something to show that has a plain text and an HTML form."""

    def __init__(self, text: str, html: str) -> None:
        self.text = text
        self.html = html

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def register(shell: Any) -> None:
    """Add the magics to an IPython shell."""
    shell.register_magic_function(exercise_cell, "cell", "exercise")
    shell.register_magic_function(hint_line, "line", "hint")
    shell.register_magic_function(solution_line, "line", "solution")


def load_ipython_extension(shell: Any) -> None:
    """Make `%load_ext playground.grading.magics` work as well."""
    register(shell)


def exercise_cell(line: str, cell: str) -> None:
    """Write the cell to the learner's file, grade it, and show picture, verdict and hints."""
    try:
        chosen = find(line.strip())
        sentence = session.save_cell(chosen, cell)
        verdict = session.check(chosen, picture=True)
    except _SENTENCES as error:
        show(note(str(error)))
        return
    if sentence:
        verdict.notes.insert(0, sentence)
    if verdict.picture is not None:
        show(verdict.picture)
    show(verdict)
    if verdict.status is not Status.NOT_SOLVED:
        show(standing(chosen))


def hint_line(line: str) -> None:
    """Show one more hint each time."""
    try:
        chosen = find(line.strip())
        given = session.hints(chosen)
    except _SENTENCES as error:
        show(note(str(error)))
        return
    show(hints(chosen, given))


def solution_line(line: str) -> None:
    """Show the reference solution: after the pass, or with --show."""
    words = line.split()
    try:
        chosen = find(next((word for word in words if word != "--show"), ""))
        text = session.solution(chosen, show="--show" in words)
    except _SENTENCES as error:
        show(note(str(error)))
        return
    show(Panel(text, render.card(render.code(text), render.COLOURS[Status.PASSED])))


def exercise(name: str) -> None:
    """Show the task of an exercise: what it teaches, minutes, file, hints, and buttons.

    Raises ExerciseError for an unknown id.
    """
    chosen = find(name)
    show(task(chosen))
    if in_notebook():
        from playground.grading.buttons import buttons

        show_widget(buttons(chosen), "[Check my file] [A hint] [Show the solution]")


def task(chosen: Exercise) -> Panel:
    """Return the panel of an exercise's task."""
    facts = f"{chosen.difficulty} · about {chosen.minutes} min · {chosen.spec}"
    file = f"workspace/exercises/{chosen.rel}"
    lines = [
        f"Exercise {chosen.id}: {chosen.title}",
        f"  {facts}",
        f"  {chosen.teaches}",
        f"  Your file: {file}",
        f"  In a terminal: playground watch {chosen.id}",
    ]
    html = (
        f'<div style="font-weight:700;font-size:1.1em">{render.inline(chosen.title)}</div>'
        f"<div>{render.inline(f'`{chosen.id}` · {facts}')}</div>"
        f'<div style="margin:.4em 0">{render.inline(chosen.teaches)}</div>'
        f"<div>{render.inline(f'Your file: `{file}`')}</div>"
        f"<div>{render.inline(f'In a terminal: `playground watch {chosen.id}`')}</div>"
        f"{render.hints_html(chosen.hints)}"
    )
    return Panel("\n".join(lines), render.card(html, render.COLOURS[Status.NOT_SOLVED]))


def hints(chosen: Exercise, given: list[str]) -> Panel:
    """Return the panel of the hints that were given so far."""
    titles = [hint_title(number, len(chosen.hints)) for number in range(1, len(given) + 1)]
    text = "\n\n".join(f"{t}\n  {h}" for t, h in zip(titles, given, strict=True))
    html = "".join(
        f'<div style="font-weight:600;margin-top:.4em">{t}</div>{render.paragraph(h)}'
        for t, h in zip(titles, given, strict=True)
    )
    return Panel(text, render.card(html, render.COLOURS[Status.NOT_SOLVED]))


def standing(chosen: Exercise, *, links: bool = True) -> Panel:
    """Return the line of progress, with the way to the next exercise.

    `links` work where JupyterLab renders the HTML, not inside a widget.
    """
    catalogue = load()
    recorded = progress.load()["exercises"]
    chapters = progress.chapters(catalogue, recorded)
    here = chapters[chosen.chapter]
    passed = sum(each.passed for each in chapters.values())
    counted = f"{here.passed} of {here.total}; course {passed} of {len(catalogue)}"
    following = progress.following(catalogue, recorded, chosen.id)
    text = f"{_bar(here)} {counted}"
    html = f"{render.inline(render.chapter_name(here.name))} {_bar(here, html=True)} {counted}"
    if following is not None:
        text += f". Next: {following.id}"
        html += f". Next: {_link(following) if links else render.inline(f'`{following.id}`')}"
    return Panel(text, f'<div style="margin:.3em 0">{html}{_all_chapters(chapters)}</div>')


def _all_chapters(chapters: dict[str, progress.Chapter]) -> str:
    rows = "".join(
        f'<tr style="background:none"><td style="text-align:left">'
        f"{render.inline(render.chapter_name(each.name))}</td><td>{_bar(each, html=True)}</td>"
        f"<td>{each.passed} of {each.total}</td><td>{each.minutes_left} min to go</td></tr>"
        for each in chapters.values()
    )
    return (
        '<details><summary style="cursor:pointer">All chapters</summary>'
        f'<table style="border-collapse:collapse;color:inherit">{rows}</table></details>'
    )


def _bar(chapter: progress.Chapter, *, html: bool = False) -> str:
    bar = render.bar(chapter.passed, chapter.total, 14)
    return f'<span style="color:{render.COLOURS[Status.PASSED]}">{bar}</span>' if html else bar


def _link(target: Exercise) -> str:
    """Return a link to the exercise's place in the notebooks; its name where that is not found."""
    name = f"{target.chapter}.ipynb"
    words = f"{render.inline(target.title)} ({render.inline(f'`{target.id}`')})"
    try:
        cells = json.loads((workspace.root() / "notebooks" / name).read_text("utf-8"))["cells"]
        call = f'exercise("{target.id}")'
        cell = next(each["id"] for each in cells if call in "".join(each["source"]))
    except (OSError, ValueError, LookupError, TypeError, StopIteration):
        return words
    return f'<a href="{name}#cell-id={cell}">{words}</a>'


def note(sentence: str) -> Panel:
    """Return a sentence in a panel."""
    html = render.card(render.paragraph(sentence), render.COLOURS[Status.NOT_SOLVED])
    return Panel(sentence, html)


def show(what: Panel | Verdict | Any) -> None:
    """Display in a notebook, print in a terminal."""
    from IPython.core.getipython import get_ipython

    if get_ipython() is None:
        from rich import print as rich_print

        rich_print(what) if hasattr(what, "__rich__") else print(what)
        return
    from IPython.display import display

    display(what)


def show_widget(widget: Any, text: str) -> None:
    """Display a widget; where no widget can be shown, `text` stands in its place."""
    from IPython.display import display

    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle  # an anywidget adds its metadata
    display({**data, "text/plain": text}, raw=True)


def in_notebook() -> bool:
    """Tell whether a front end is there that shows widgets."""
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")
