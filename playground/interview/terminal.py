"""A question in a terminal, and practice there: keys are typed, each followed by Enter."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from fsrs import Rating
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from playground.errors import Told
from playground.grading import render
from playground.grading.verdict import Status
from playground.interview import evidence
from playground.interview.bank import Question
from playground.interview.folding import fold
from playground.interview.practice import Session, spoken
from playground.waiting import working

SEEN = {  # letters, and what they show
    "s": "short answer", "l": "long answer", "f": "follow-ups", "w": "wrong answer",
    "e": "evidence",
}  # fmt: skip
RATINGS = {str(int(rating)): rating for rating in Rating}


class _Code:
    """A program, its lines broken for the columns that there are."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = fold(self._code, options.max_width)
        # the colours of the terminal itself, which are readable on its background
        yield Syntax(code, "python", theme="ansi_dark", background_color="default", word_wrap=True)


class NoTerminalError(Told):
    """Practice needs somebody who answers."""


def console() -> Console:
    """Return a console on which `code` in a text is readable on light and on dark."""
    return Console(highlight=False, theme=Theme({"markdown.code": "bold"}))


def where(question: Question) -> str:
    """Return "02 wsgi · junior"."""
    return f"{render.chapter_name(question.file)} · {question.level}"


def listed(questions: Iterable[Question]) -> Table:
    """Return a table, one row a question, its id below it."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("level", no_wrap=True)
    table.add_column("question", overflow="fold")
    for each in questions:
        text = Text(each.question)
        table.add_row(each.chapter, each.level, text.append(f"\n{each.id}", "dim"))
    return table


def whole(question: Question) -> Group:
    """Return a question with all its answers, and its evidence as text."""
    title = Text(f"{where(question)} · {question.id}", "dim")
    parts = [piece for letter in SEEN for piece in (Text(), part(question, letter))]
    return Group(title, Text(question.question, "bold"), *parts)


def part(question: Question, letter: str) -> Group:
    """Return the part of a question that a letter of `SEEN` stands for, under its heading."""
    shown: dict[str, RenderableType] = {
        "s": Markdown(question.short),
        "l": Markdown(question.long),
        "f": Markdown("\n".join(f"- {one}" for one in question.follow_ups)),
        "w": Markdown(question.wrong),
        "e": _evidence(question),
    }
    titles = {
        "s": "In 30 seconds", "l": "In two minutes", "f": "What comes next",
        "w": "The wrong answer", "e": "Evidence",
    }  # fmt: skip
    return Group(Text(titles[letter], "bold underline"), Padding(shown[letter], (0, 0, 0, 2)))


def outcome(found: evidence.Outcome) -> Panel:
    """Return what came of an evidence: what it printed, and whether the claim held."""
    status = Status.PASSED if found.held else Status.FAILED
    said = "the claim held here" if found.held else "the claim was not shown"
    title = Text(f"{render.SIGNS[status]} {said}", f"bold {render.RICH[status]}")
    lines = [line for line in (found.printed, found.trouble) if line]
    return Panel(Text("\n".join(lines)), title=title, title_align="left", border_style=title.style)


def begin(questions: Sequence[Question], new: int) -> Session:
    """Return a session with what is due and `new` others at most; raises NoTerminalError."""
    if not sys.stdin.isatty():
        raise NoTerminalError(
            "Practice asks you, and standard input is no terminal: `playground interview show ID`"
            " prints a question, and chapter 12 has practice in the notebook."
        )
    session = Session(questions, new=new)
    for sentence in (session.note, "" if session.current else _rest(session)):
        if sentence:
            print(sentence)
    return session


def practise(session: Session) -> None:
    """Ask until nothing is left; every answer is kept at once. Ctrl-C is KeyboardInterrupt."""
    out = console()
    while session.current is not None and _ask(session, out):
        pass


def _ask(session: Session, out: Console) -> bool:
    """Ask the current question until it is rated; False for the wish to end."""
    question = session.current
    assert question is not None
    out.print()
    out.rule(Text(f"{len(session.queue)} to go · {where(question)}"), align="left")
    out.print(Text(question.question, "bold"))
    out.print(Text("Say your answer aloud, in 30 seconds. Then press Enter.", "dim"))
    seen = False
    for key in _keys(out):
        if key == "q":
            return False
        if key in RATINGS and seen:
            session.rate(RATINGS[key])
            if session.current is None:
                print(_rest(session))
            return True
        if key in RATINGS:
            out.print(Text("First look at the answer: press Enter."))
            continue
        key = key or ("l" if seen else "s")
        if key not in SEEN:
            out.print(Text(f"{key!r} does nothing here."))
            continue
        seen = seen or key in "sl"
        out.print(Text(), part(question, key))
        if key == "e":
            with working("Running it …"):
                found = evidence.run(question.evidence)
            out.print(outcome(found))
        out.print(_help(session, seen))
    return False


def _keys(out: Console) -> Iterator[str]:
    """Yield what is typed, until the end of the input."""
    while True:
        try:
            yield out.input("> ").strip().lower()
        except EOFError:
            out.print()
            return


def _help(session: Session, seen: bool) -> Text:
    """Return the line of what can be typed."""
    shows = "  ".join(f"{letter} {name}" for letter, name in SEEN.items())
    lines = Text(f"\n{shows}  q end", "dim")
    if seen:
        after = session.intervals().items()
        ratings = (f"{int(each)} {each.name.lower()} ({spoken(time)})" for each, time in after)
        lines.append(f"\nHow was it?  {'  '.join(ratings)}", "not dim bold")
    return lines


def _rest(session: Session) -> str:
    """Return the sentence at the end."""
    coming = session.coming()
    later = f" The next one comes in {spoken(coming)}." if coming else ""
    return f"That is all for now.{later}"


def kept(session: Session) -> str:
    """Return the sentence that says what was kept."""
    return f"{session.answered} answer{'s' * (session.answered != 1)} kept."


def _evidence(question: Question) -> Group:
    shown = Text(question.evidence.shows)
    if question.evidence.test:
        shown.append(f"\n{question.evidence.test}", "dim")
    return Group(shown, Text(), _Code(evidence.source(question.evidence)))
