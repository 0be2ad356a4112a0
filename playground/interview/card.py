"""Practice in a notebook: the card, and the verbs `practice`, `questions` and `evidence`.

Messages from the page may come on any thread, and none come while a cell runs, so a message only
starts a thread that does what it asks for, one after the other.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from fsrs import Rating

from playground.errors import Told
from playground.grading import render
from playground.grading.magics import Panel, in_notebook, note, show, show_widget
from playground.grading.verdict import Status
from playground.interview import bank
from playground.interview import evidence as evidences
from playground.interview.bank import Question
from playground.interview.markup import html
from playground.interview.practice import NEW, Session, spoken

FRONTEND = Path(__file__).with_name("frontend")
NOT_RUN: dict[str, Any] = {"key": 0}  # the evidence of no question


class Card(anywidget.AnyWidget):
    """One question after the other, until nothing is due and no more are to be learned."""

    _esm = FRONTEND / "card.js"
    _css = FRONTEND / "card.css"
    view = traitlets.Dict().tag(sync=True)
    proof = traitlets.Dict(NOT_RUN).tag(sync=True)

    def __init__(self, questions: Sequence[Question], new: int = NEW) -> None:
        super().__init__()
        self._questions, self._new = questions, new
        self._doing = threading.Lock()
        self._key = 0
        self._begin()
        self.on_msg(self._message)

    def act(self, content: dict[str, Any]) -> None:
        """Do what the page asked for; what was meant for another question is let be."""
        with self._doing:
            if content.get("key") != self._key:
                return
            try:
                self._act(content)
            except (Told, OSError) as error:
                self.view = {**self.view, "note": str(error)}

    def _act(self, content: dict[str, Any]) -> None:
        question = self._session.current
        if content.get("do") == "more":
            self._begin()
        elif question is not None and content.get("do") == "run":
            self.proof = {"key": self._key, "running": True}
            found = evidences.run(question.evidence)
            self.proof = {
                "key": self._key,
                "running": False,
                "held": found.held,
                "printed": found.printed,
                "trouble": found.trouble,
            }
        elif question is not None and content.get("rating") in list(Rating):
            self._session.rate(Rating(content["rating"]))
            self._show()

    def _message(self, _: Any, content: dict[str, Any], __: list[memoryview]) -> None:
        threading.Thread(target=self.act, args=(content,), name="practice", daemon=True).start()

    def _begin(self) -> None:
        self._session = Session(self._questions, new=self._new)
        self._show()

    def _show(self) -> None:
        """Show the current question, or the end."""
        self._key += 1
        question, session = self._session.current, self._session
        common = {"key": self._key, "note": session.note}
        if question is None:
            self.view = {**common, **self._end()}
            return
        self.view = {
            **common,
            "where": f"{render.chapter_name(question.file)} · {question.level}",
            "count": f"{len(session.queue)} to go, {session.answered} answered",
            "question": html(question.question),
            "short": html(question.short),
            "long": html(question.long),
            "follow_ups": html("\n".join(f"- {one}" for one in question.follow_ups)),
            "wrong": html(question.wrong),
            "shows": html(question.evidence.shows),
            "test": question.evidence.test,
            "code": evidences.source(question.evidence),
            "intervals": [spoken(time) for time in session.intervals().values()],
        }

    def _end(self) -> dict[str, Any]:
        """What is shown when nothing is left to ask."""
        more = min(self._new, self._session.fresh)
        coming = self._session.coming()
        later = f" The next one comes in {spoken(coming)}." if coming else ""
        return {"end": f"That is all for now.{later}", "more": more}


def practice(chapter: str | None = None, level: str | None = None, new: int = NEW) -> None:
    """Ask questions one by one: what is due first, then at most `new` never asked before.

    How well each was known is kept in the workspace at once. Raises BankError for a chapter or a
    level that is none.
    """
    chosen = bank.select(bank.load(), chapter, level)
    if in_notebook():
        show_widget(Card(chosen, new), "Practice (in a terminal: playground interview practice)")
    else:
        show(note("Practice in a terminal: playground interview practice"))


def questions(chapter: str | None = None, level: str | None = None) -> Panel:
    """Return the questions of a chapter and a level as a list; raises BankError for neither."""
    chosen = bank.select(bank.load(), chapter, level)
    levels = Counter(each.level for each in chosen)
    counted = ", ".join(f"{levels[level]} {level}" for level in bank.LEVELS if levels[level])
    title = f"{len(chosen)} questions: {counted}"
    lines = (f"{each.chapter} {each.level:<6} {each.question}" for each in chosen)
    text = "\n".join((title, *lines))
    parts = [f'<div style="margin-bottom:.4em">{title}</div>']
    for file, group in groupby(chosen, key=lambda each: each.file):
        rows = "".join(_row(each) for each in group)
        parts.append(
            f'<details{" open" * bool(chapter)}><summary style="cursor:pointer;font-weight:600">'
            f"{render.chapter_name(file)}</summary><table style="
            f'"border-collapse:collapse;color:inherit;font-size:inherit">{rows}</table></details>'
        )
    return Panel(text, render.card("".join(parts), render.COLOURS[Status.NOT_SOLVED]))


def evidence(name: str) -> None:
    """Run the evidence of the question `name` here, and show it; raises BankError."""
    question = bank.find(name, bank.load())
    found = evidences.run(question.evidence)
    status = Status.PASSED if found.held else Status.FAILED
    said = "The claim held here." if found.held else "The claim was not shown."
    verdict = f"{render.SIGNS[status]} {said} {found.trouble}".strip()
    code = evidences.source(question.evidence)
    text = "\n\n".join((question.question, question.evidence.shows, code, found.printed, verdict))
    body = (
        f'<div style="font-weight:600">{render.inline(question.question)}</div>'
        f'<div style="margin:.4em 0">{render.inline(question.evidence.shows)}</div>'
        f"{render.code(code)}<hr>{render.code(found.printed)}"
        f'<div style="margin-top:.5em;font-weight:600">{escape(verdict)}</div>'
    )
    show(Panel(text, render.card(body, render.COLOURS[status])))


def _row(question: Question) -> str:
    cell = '<td style="text-align:left;vertical-align:top;padding:.15em 1em .15em 0">'
    return (
        f'<tr style="background:none">{cell}{question.level}</td>'
        f"{cell}{render.inline(question.question)}<br><code>{question.id}</code></td></tr>"
    )
