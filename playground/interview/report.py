"""The report of a mock interview, as Markdown in the workspace: what was good, what to read again.

    interviews/2030-06-01_12-00-00.md

Links lead to the chapter's section whose words are nearest to the question's.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground import workspace
from playground.grading import render
from playground.interview import predict
from playground.interview.bank import LEVELS, Question
from playground.interview.mock import (
    FOLLOWING,
    PREDICTION,
    Record,
    Task,
    clock_words,
    points_of,
    prediction_of,
    records,
)

STEM = 6  # letters of a word that count: "blocking" is "blocked"
FEW = 120  # words: a section of fewer is no better for that
GOOD = 0.75  # of the points, and the wrong answer was not given
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]{3,}")
_HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
NEAREST = "Each link leads to the section whose words are nearest to the question's."
FRAMES = ("Build", "See")  # headings of others, mostly
TEACH_NOTHING = ("Recap", "Predict", "Exercise")  # sections that one does not read again


@dataclass(frozen=True)
class Section:
    """A part of a chapter: its heading, the id of the heading's cell, and its words."""

    title: str
    cell: str
    words: frozenset[str]


@dataclass(frozen=True)
class Line:
    """One task of the interview, as the report tells it."""

    task: Task
    question: str
    todo: tuple[str, ...]  # what was missing, and what shows it
    read: str  # a link in Markdown, "" for a prediction

    @property
    def good(self) -> bool:
        """Whether most points were there, and the wrong answer was not."""
        return self.task.share >= GOOD and not self.task.slipped


@dataclass(frozen=True)
class Report:
    """What came of an interview, and the one before it, if there was one."""

    record: Record
    lines: tuple[Line, ...]
    before: Record | None

    def markdown(self) -> str:
        """The report as text."""
        return "\n".join([*_head(self), *_again(self), *_good(self), *_tables(self), *_all(self)])

    def as_data(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "id": self.record.id,
            "seed": self.record.seed,
            "minutes": self.record.minutes,
            "used_s": round(self.record.used_s, 1),
            "points": share(self.record.done),
            "before": share(self.before.done) if self.before else None,
            "by_level": {name: share(some) for name, some in _by_level(self.record.done)},
            "by_chapter": {name: share(some) for name, some in _by_chapter(self.record.done)},
            "tasks": [
                {
                    "kind": line.task.kind,
                    "name": line.task.name,
                    "level": line.task.level,
                    "chapter": line.task.file[:2],
                    "used_s": round(line.task.used_s, 1),
                    "points": line.task.points,
                    "slipped": line.task.slipped,
                    "good": line.good,
                }
                for line in self.lines
            ],
        }


def report(record: Record, questions: Sequence[Question]) -> Report:
    """Put together what came of an interview."""
    known = {each.id: each for each in questions}
    lines = tuple(_line(task, known.get(task.name)) for task in record.done)
    earlier = [one for one in records() if one.id < record.id and one.done]
    return Report(record, lines, earlier[-1] if earlier else None)


def write(told: Report) -> Path:
    """Write it beside the interview's own file. Raises ``WorkspaceError``."""
    path = told.record.path.with_suffix(".md")
    workspace.write_atomic(path, told.markdown().encode())
    return path


def share(tasks: Iterable[Task]) -> float | None:
    """The part of all points that were there; None of nothing."""
    points = [point for task in tasks for point in task.points]
    return sum(points) / len(points) if points else None


def nearest_section(question: Question) -> Section | None:
    """The section of its chapter that is most like a question.

    What both say counts, rare words more, and those of the question itself twice; long sections
    say many words, and get less for each.
    """
    found = sections(question.file)
    often = Counter(word for one in found for word in one.words)
    asked = _words(f"{question.question} {question.id}")
    wanted = asked | _words(question.short)

    def likeness(one: Section) -> float:
        shared = wanted & one.words
        weights = (
            (1 + (word in asked)) * math.log(1 + len(found) / often[word]) for word in shared
        )
        return sum(weights) / math.sqrt(len(one.words) or 1)

    return max(found, key=likeness, default=None)


@functools.cache
def sections(file: str) -> tuple[Section, ...]:
    """The parts of a chapter that teach something; () for a chapter that is not there."""
    try:
        path = workspace.checkout() / "notebooks" / f"{file}.ipynb"
        cells = json.loads(path.read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return ()
    parts: list[tuple[str, str, list[str]]] = []
    for cell in cells:
        text = "".join(cell["source"])
        heading = _HEADING.search(text) if cell["cell_type"] == "markdown" else None
        if heading:
            parts.append((heading[1].strip(), cell.get("id", ""), []))
        if parts:
            parts[-1][2].append(text)
    found = [Section(title, cell, _words(" ".join(texts))) for title, cell, texts in parts]
    return tuple(
        one
        for one in found
        if one.title not in TEACH_NOTHING and (one.title not in FRAMES or len(one.words) >= FEW)
    )


def _words(text: str) -> frozenset[str]:
    """The stems of its words."""
    return frozenset(word.lower()[:STEM] for word in _WORD.findall(text))


def _line(task: Task, question: Question | None) -> Line:
    if task.kind == PREDICTION:
        seed, number = prediction_of(task)
        again = f"again: `playground interview predict --seed {seed} --number {number}`"
        asked = predict.question(seed, number)
        words = f"Predict the timeline: {asked.choice.title} {asked.does}; {asked.sends}"
        return Line(task, words, (again,), "")
    if question is None:
        return Line(task, task.name, (), "")
    link = _link(question)
    run = f"see it run: `playground interview show {task.name} --run`"
    if task.kind == FOLLOWING:
        follow_up = question.follow_ups[task.follow_up % len(question.follow_ups)]
        return Line(task, f"{question.question} And then: {follow_up}", (run,), link)
    said = zip(points_of(question, task), task.points, strict=False)
    todo = [f"not said: {_flat(point)}" for point, there in said if not there]
    if task.slipped:
        todo.append(f"said, and wrong: {_flat(question.wrong)}")
    return Line(task, question.question, (*todo, run), link)


def _link(question: Question) -> str:
    """Where to read: chapter and section, from the folder of the report."""
    chapter = render.chapter_name(question.file)
    target, section = f"../notebooks/{question.file}.ipynb", nearest_section(question)
    if section is None:
        return f"[{chapter}]({target})"
    return f"[{chapter}, “{section.title}”]({target}#cell-id={section.cell})"


# ---- the parts of the text


def _head(told: Report) -> list[str]:
    record, done = told.record, told.record.done
    spent = f"{clock_words(record.used_s)} of {record.minutes}:00 minutes"
    said = f"{len(done)} of {len(record.tasks)} questions answered in {spent}"
    marked = f"{_percent(share(done))} of the points, by your own marks."
    nothing = "nothing was answered, so there is nothing to say."
    title = f"# Mock interview, {record.began:%d %B %Y, %H:%M}"
    return [title, "", f"{said}; {marked if done else nothing}", "", *_compared(told)]


def _compared(told: Report) -> list[str]:
    """Beside the one before."""
    if told.before is None or not told.record.done:
        return []
    rows = [("all", told.record.done, told.before.done)]
    now, then = dict(_by_level(told.record.done)), dict(_by_level(told.before.done))
    rows += [(name, now[name], then[name]) for name in now if name in then]
    lines = [
        f"Compared with the one before, of {told.before.began:%d %B %Y, %H:%M}:",
        "",
        "| | points | before | time a question | before |",
        "|---|---|---|---|---|",
    ]
    for name, some, others in rows:
        cells = [_percent(share(some)), _percent(share(others)), _each(some), _each(others)]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return [*lines, ""]


def _again(told: Report) -> list[str]:
    """What to read again, each place once."""
    weak = [line for line in told.lines if not line.good]
    if not weak:
        return []
    lines = ["## Read again", "", NEAREST, ""]
    for line in weak:
        lines.append(f"- {line.read}: {line.question}" if line.read else f"- {line.question}")
        lines += [f"  - {todo}" for todo in line.todo]
    return [*lines, ""]


def _good(told: Report) -> list[str]:
    good = [line for line in told.lines if line.good]
    if not good:
        return []
    return ["## What was good", "", *(f"- {line.question}" for line in good), ""]


def _tables(told: Report) -> list[str]:
    lines: list[str] = []
    done = told.record.done
    for title, some in (("level", _by_level(done)), ("chapter", _by_chapter(done))):
        if not some:
            continue
        lines += [f"## By {title}", "", f"| {title} | questions | points | time a question |"]
        lines.append("|---|---|---|---|")
        for name, tasks in some:
            lines.append(f"| {name} | {len(tasks)} | {_percent(share(tasks))} | {_each(tasks)} |")
        lines.append("")
    return lines


def _all(told: Report) -> list[str]:
    if not told.lines:
        return []
    lines = ["## Question by question", ""]
    for place, line in enumerate(told.lines, 1):
        task = line.task
        about = " · ".join(filter(None, (render.chapter_name(task.file), task.level, task.kind)))
        lines += [
            f"{place}. {line.question}",
            "",
            f"   {about} · {clock_words(task.used_s)} of {task.minutes}:00 ·"
            f" {sum(task.points)} of {len(task.points)} points",
            "",
        ]
        if task.text.strip():
            quoted = [f"   > {row}" for row in task.text.strip().splitlines()]
            lines += [*quoted, ""]
    return lines


def _by_level(tasks: Sequence[Task]) -> list[tuple[str, list[Task]]]:
    return _grouped(tasks, lambda task: task.level, LEVELS)


def _by_chapter(tasks: Sequence[Task]) -> list[tuple[str, list[Task]]]:
    names = sorted({render.chapter_name(task.file) for task in tasks if task.file})
    return _grouped(tasks, lambda task: render.chapter_name(task.file), names)


def _grouped(
    tasks: Sequence[Task], of: Callable[[Task], str], names: Iterable[str]
) -> list[tuple[str, list[Task]]]:
    groups = [(name, [task for task in tasks if of(task) == name]) for name in names]
    return [(name, some) for name, some in groups if some]


def _percent(part: float | None) -> str:
    return "–" if part is None else f"{part * 100:.0f} %"


def _each(tasks: Sequence[Task]) -> str:
    """Minutes and seconds for one of them, on average."""
    return clock_words(sum(task.used_s for task in tasks) / len(tasks)) if tasks else "–"


def _flat(text: str) -> str:
    return " ".join(text.split())
