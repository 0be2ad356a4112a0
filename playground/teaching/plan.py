"""Plans for half a day, one day and two: what is taught, and how that adds up.

`plans.toml` says what is selected, and why. The minutes come from the notebooks (the sections) and
from the exercises' own data; only what happens between them has its minutes in the plan.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from playground.grading.exercise import Exercise
from playground.teaching.sections import Chapter, Section, TeachingError

PLANS = Path(__file__).with_name("plans.toml")
NAMES = ("half-day", "one-day", "two-day")


@dataclass(frozen=True)
class Item:
    """One line of a plan.

    `kind` is "sections", "exercise", "room" (people, not the course) or "break"; `drop` is the
    turn in which it goes when there is less time (0: never), `spare` waits for more time.
    """

    kind: str
    text: str
    minutes: int
    drop: int = 0
    spare: bool = False
    why: str = ""


@dataclass(frozen=True)
class Block:
    """What stands between two breaks; `target` and all other times in minutes."""

    title: str
    reason: str
    target: int
    items: tuple[Item, ...]
    home: tuple[str, ...]

    @property
    def planned(self) -> int:
        """The minutes of what is taught in it."""
        return sum(item.minutes for item in self.items if item.kind != "break")

    @property
    def over(self) -> int:
        """Minutes over the target; negative: under it."""
        return self.planned - self.target


@dataclass(frozen=True)
class Plan:
    """A plan, as it stands or fitted to other minutes; breaks are in no sum but `breaks`."""

    name: str
    title: str
    reason: str
    target: int
    blocks: tuple[Block, ...]
    left_out: tuple[str, ...] = ()

    @property
    def planned(self) -> int:
        """Minutes of teaching."""
        return sum(block.planned for block in self.blocks)

    @property
    def over(self) -> int:
        """Minutes over the target; negative: under it."""
        return self.planned - self.target

    @property
    def breaks(self) -> int:
        """Minutes of all breaks."""
        items = [item for block in self.blocks for item in block.items]
        return sum(item.minutes for item in items if item.kind == "break")

    def as_data(self) -> dict[str, Any]:
        """Return it for JSON: what it is made of, and every sum; minutes everywhere."""
        return {
            "name": self.name,
            "title": self.title,
            "reason": self.reason,
            "minutes": _sums(self.planned, self.target) | {"breaks": self.breaks},
            "estimated": True,
            "left_out": list(self.left_out),
            "blocks": [
                {
                    "title": block.title,
                    "reason": block.reason,
                    "minutes": _sums(block.planned, block.target),
                    "items": [
                        {"kind": i.kind, "text": i.text, "minutes": i.minutes, "why": i.why}
                        for i in block.items
                    ],
                    "home": list(block.home),
                }
                for block in self.blocks
            ],
        }


def _sums(planned: int, target: int) -> dict[str, int]:
    return {"planned": planned, "target": target, "over": planned - target}


def load(
    name: str,
    chapters: Mapping[str, Chapter],
    catalogue: Mapping[str, Exercise],
    file: Path = PLANS,
) -> tuple[Plan, list[tuple[int, Item]]]:
    """Return the plan `name`, and its spare items, each with the number of its block.

    Raises TeachingError for a plan, a section or an exercise that does not exist, for one exercise
    both in class and for home, and for a section that is taught twice.
    """
    data = tomllib.loads(file.read_text("utf-8"))
    if name not in data:
        raise TeachingError(f"There is no plan {name!r}: choose {', '.join(data)}.")
    known = _Known(chapters, catalogue)
    blocks, spare = [], []
    for number, block in enumerate(data[name]["block"]):
        items = [known.item(entry) for entry in block["items"]]
        spare += [(number, item) for item in items if item.spare]
        now = tuple(item for item in items if not item.spare)
        home = tuple(known.home(each) for each in block.get("home", []))
        blocks.append(Block(block["title"], block["reason"], block["minutes"], now, home))
    target = sum(block.target for block in blocks)
    return Plan(name, data[name]["title"], data[name]["reason"], target, tuple(blocks)), spare


class _Known:
    """Turns the entries of a plan into items, and takes each thing once."""

    def __init__(self, chapters: Mapping[str, Chapter], catalogue: Mapping[str, Exercise]) -> None:
        self._chapters, self._catalogue = chapters, catalogue
        self._taken: set[str] = set()

    def item(self, entry: dict[str, Any]) -> Item:
        kind, text, minutes = self._read(entry)
        drop, spare = entry.get("drop", 0), entry.get("spare", False)
        return Item(kind, text, minutes, drop, spare, entry.get("why", ""))

    def _read(self, entry: dict[str, Any]) -> tuple[str, str, int]:
        if "chapter" in entry:
            return self._sections(entry)
        if "exercise" in entry:
            found = self._exercise(entry["exercise"])
            return "exercise", f"{found.id}: {found.title}", found.minutes
        kind = "break" if "break" in entry else "room"
        return kind, entry[kind], entry["minutes"]

    def _sections(self, entry: dict[str, Any]) -> tuple[str, str, int]:
        number = entry["chapter"]
        if number not in self._chapters:
            raise TeachingError(f"A plan uses chapter {number!r}, which does not exist.")
        chapter = self._chapters[number]
        names = entry.get("sections", [])
        sections = [chapter.section(each) for each in names] or list(chapter.sections)
        for section in sections:
            self._take(f"{number} {section.title}")
        what = _named(names) or "all of it"
        return "sections", f"{chapter.title}: {what}", sum(map(_in_class, sections))

    def home(self, name: str) -> str:
        found = self._exercise(name)
        return f"{found.id} ({found.minutes})"

    def _exercise(self, name: str) -> Exercise:
        if name not in self._catalogue:
            raise TeachingError(f"A plan uses exercise {name!r}, which does not exist.")
        self._take(name)
        return self._catalogue[name]

    def _take(self, what: str) -> None:
        if what in self._taken:
            raise TeachingError(f"A plan uses {what!r} twice.")
        self._taken.add(what)


def _named(names: list[str]) -> str:
    """Return `Opening; Steps 1, 2; Recap` for the names of sections."""
    found: list[str] = []
    for name in names:
        if name.startswith("Step ") and found and found[-1].startswith("Step"):
            found[-1] = f"Steps {found[-1].split(' ', 1)[1]}, {name.removeprefix('Step ')}"
        else:
            found.append(name)
    return "; ".join(found)


def _in_class(section: Section) -> int:
    """Minutes of a section with a room: each question that is asked takes one more."""
    return (section.minutes or 0) + sum(note.kind == "ask" for note in section.notes)


def fit(plan: Plan, spare: list[tuple[int, Item]], minutes: int) -> Plan:
    """Return the plan for another length, in minutes of teaching.

    With less time it loses items in the order of their `drop`; with more it gains the spare ones,
    as far as they fit. Targets of the blocks are scaled.
    """
    blocks = [list(block.items) for block in plan.blocks]
    total, left_out = plan.planned, []
    for number, item in _droppable(plan):
        if total <= minutes:
            break
        blocks[number].remove(item)
        left_out.append(item.text)
        total -= item.minutes
    for number, item in spare if minutes > plan.target else []:
        if total + item.minutes <= minutes:
            blocks[number].append(item)
            total += item.minutes
    targets = _scaled([block.target for block in plan.blocks], minutes)
    fitted = [
        replace(block, items=tuple(items), target=target)
        for block, items, target in zip(plan.blocks, blocks, targets, strict=True)
    ]
    return replace(plan, target=minutes, blocks=tuple(fitted), left_out=tuple(left_out))


def _droppable(plan: Plan) -> Iterator[tuple[int, Item]]:
    found = [
        (number, item)
        for number, block in enumerate(plan.blocks)
        for item in block.items
        if item.drop
    ]
    yield from sorted(found, key=lambda one: one[1].drop)


def _scaled(targets: list[int], total: int) -> list[int]:
    """Whole numbers in the same proportions, with this sum."""
    edges = [0]
    for target in targets:
        edges.append(edges[-1] + target)
    at = [round(edge * total / edges[-1]) for edge in edges]
    return [after - before for before, after in pairwise(at)]


def markdown(plan: Plan) -> str:
    """Return the table that stands in docs/INSTRUCTORS.md."""
    lines = ["| block | what | minutes |", "|---|---|---:|"]
    for number, block in enumerate(plan.blocks, start=1):
        title = f"**{number} · {block.title}**"
        for item in block.items:
            text = f"`{item.text}`".replace(": ", "` ", 1)[:-1]
            what = text if item.kind == "exercise" else item.text
            what = f"*{what}*" if item.kind in ("break", "room") else what
            lines.append(f"| {title} | {what} | {item.minutes} |")
            title = ""
        if block.home:
            names = ", ".join(f"`{name}`".replace(" (", "` (")[:-1] for name in block.home)
            lines.append(f"| | at home: {names} | |")
        lines.append(f"| | {_sentence(block.planned, block.target)} | **{block.planned}** |")
    lines.append(f"| **in all** | {total_sentence(plan)} | **{plan.planned}** |")
    return "\n".join(lines)


def total_sentence(plan: Plan) -> str:
    """Return the last line: `planned 198, target 195: 3 over; and 15 of breaks`."""
    breaks = f"; and {plan.breaks} of breaks" if plan.breaks else ""
    return _sentence(plan.planned, plan.target) + breaks


def _sentence(planned: int, target: int) -> str:
    return f"planned {planned}, target {target}: {difference(planned - target)}"


def difference(over: int) -> str:
    """Return `3 over`, `4 under` or `to the minute`."""
    if not over:
        return "to the minute"
    return f"{abs(over)} {'over' if over > 0 else 'under'}"
