"""What a cohort's grades say about each exercise: as data, and as a table in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from playground.grading.cohort import MISSING, UNREADABLE, Cohort, Row
from playground.grading.verdict import Status

SHOWN = 100  # characters of a message in the table; JSON and CSV have more
_UNTRIED = (MISSING, UNREADABLE, str(Status.NOT_SOLVED), str(Status.BROKEN))


@dataclass
class Statistics:
    """How one exercise went; `tried` counts the files that were more than the stub."""

    exercise: str
    passed: int = 0
    tried: int = 0
    learners: int = 0
    failing_check: str = ""  # where most fail; of several, the first in the alphabet
    failing_count: int = 0  # how many fail there
    failing: str = ""  # the most frequent message of those

    @property
    def rate(self) -> float:
        """Passed of those who tried, 0 to 1; 0 when nobody did."""
        return self.passed / self.tried if self.tried else 0.0


def statistics(cohort: Cohort) -> list[Statistics]:
    """Return the statistics of every exercise, in the order of the course."""
    found: dict[str, Statistics] = {}
    failed: dict[str, list[Row]] = {}
    for row in cohort.rows:
        one = found.setdefault(row.exercise, Statistics(row.exercise))
        one.learners += 1
        one.passed += row.status == Status.PASSED
        one.tried += row.status not in _UNTRIED
        if row.status == Status.FAILED:
            failed.setdefault(row.exercise, []).append(row)
    for name, rows in failed.items():
        one = found[name]
        one.failing_check, one.failing_count = _most(row.failed_check for row in rows)
        one.failing, _ = _most(row.message for row in rows if row.failed_check == one.failing_check)
    return list(found.values())


def _most(texts: Iterable[str]) -> tuple[str, int]:
    """Return the most frequent text and its count; of several, the first in the alphabet."""
    return min(Counter(texts).items(), key=lambda item: (-item[1], item[0]))


def data(cohort: Cohort) -> dict[str, Any]:
    """Return everything as plain data, for JSON."""
    return {
        "learners": cohort.learners,
        "exercises": [asdict(each) | {"rate": each.rate} for each in statistics(cohort)],
        "notes": cohort.notes,
        "problems": cohort.problems,
    }


def summary(cohort: Cohort) -> Any:
    """Return the table of the exercises that somebody tried, to be printed by rich."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    every = statistics(cohort)
    tried = [each for each in every if each.tried]
    view = Table(box=None, pad_edge=False)
    view.add_column("exercise", no_wrap=True)
    for name in ("passed", "tried", "rate"):
        view.add_column(name, justify="right", no_wrap=True)
    view.add_column("where most fail, and the most frequent message", overflow="fold")
    for each in tried:
        failing = ""
        if each.failing_count:
            message = each.failing if len(each.failing) <= SHOWN else each.failing[:SHOWN] + "…"
            failing = f"{each.failing_count} × {each.failing_check}\n{message}"
        rate = f"{each.rate:.0%}"
        view.add_row(each.exercise, str(each.passed), str(each.tried), rate, Text(failing))
    learners = _counted(len(cohort.learners), "learner")
    untried = len(every) - len(tried)
    rest = f"; {_counted(untried, 'exercise')} that nobody tried" * (untried > 0)
    return Group(view, Text(f"{learners}, {_counted(len(tried), 'exercise')}{rest}."))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
