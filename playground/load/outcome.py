"""What came of one load, as numbers for tables, charts and files."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from playground.load.client import Reply
from playground.load.files import write_whole
from playground.load.ranks import percentile
from playground.load.reopen import run_of
from playground.load.run import Run
from playground.setups.catalogue import ServeError
from playground.trace.trace import Trace
from playground.views.look import seconds

MOST_TOGETHER = 4  # runs in one picture: more cannot be told apart
COLUMNS = ("served", "per s", "median", "p90", "p95", "p99", "longest")
FIELDS = (
    *("run", "round", "request", "intended_s", "sent_s", "answer_s", "latency_s"),
    *("status", "error"),
)


@dataclass(frozen=True)
class Outcome:
    """A name, the replies in the order of their numbers, and what to know about them. If they are
    of several ``rounds``, how many of each.
    """

    name: str
    replies: Sequence[Reply]
    wall_s: float
    notes: tuple[str, ...] = ()
    rounds: tuple[int, ...] = ()

    @property
    def latencies(self) -> list[float]:
        """Of those that were answered, in seconds, in ascending order."""
        return sorted(reply.latency_s for reply in self.replies if reply.error is None)

    @property
    def served(self) -> str:
        """Such as ``"97 of 100"``."""
        return f"{len(self.latencies)} of {len(self.replies)}"

    def rank(self, percent: float) -> float | None:
        """A percentile of the latencies in seconds; None if nothing was answered."""
        return percentile(self.latencies, percent)

    @property
    def rate(self) -> float:
        """Answers a second, from the first intended send to the last end."""
        return len(self.latencies) / self.wall_s if self.wall_s else 0.0

    def cells(self) -> list[str]:
        """The values of ``COLUMNS``."""
        ranks = [self.rank(percent) for percent in (50, 90, 95, 99, 100)]
        told = ["–" if value is None else seconds(value) for value in ranks]
        return [self.served, f"{self.rate:.3g}", *told]


def outcome(run: Run, name: str) -> Outcome:
    """Of one run."""
    notes = (run.note,) if run.note else ()
    return Outcome(name, run.replies, run.summary()["wall_s"], notes)


def outcomes(runs: Sequence[Any], titles: Sequence[str] | None = None) -> list[Outcome]:
    """Of up to four runs or traces, each with a name of its own.

    Raises ``ServeError`` for what is no run, for none or too many, and unless each has a title.
    """
    check_together(len(runs), "runs")
    for run in runs:
        if not isinstance(run, Run | Trace):
            raise ServeError(f"{run!r} is no run: pass what burst(…) or load(…) returned.")
    runs = [run_of(run) if isinstance(run, Trace) else run for run in runs]
    if titles is not None and len(titles) != len(runs):
        raise ServeError(f"titles= wants one title for each of the {len(runs)} runs.")
    names = list(titles) if titles is not None else _names(runs)
    return [outcome(run, name) for run, name in zip(runs, names, strict=True)]


def check_together(count: int, what: str) -> None:
    """Raises ``ServeError`` unless so many can be told apart in one picture."""
    if not 1 <= count <= MOST_TOGETHER:
        raise ServeError(
            f"From 1 to {MOST_TOGETHER} {what} can be told apart in one picture, not {count}."
        )


def numbered(names: Sequence[str]) -> list[str]:
    """The same with ``(2)``, ``(3)`` … after those that come again."""
    return [
        name if names[:place].count(name) == 0 else f"{name} ({names[:place].count(name) + 1})"
        for place, name in enumerate(names)
    ]


def write_csv(path: str | os.PathLike[str], some: Sequence[Outcome]) -> Path:
    """One line a request: seconds after the start of its round, or after its intended send.

    ``intended_s`` is the former; ``sent_s``, ``answer_s`` and ``latency_s`` are the latter.
    Raises ``ServeError`` when the file cannot be written.
    """
    text = StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(FIELDS)
    for one in some:
        rounds = one.rounds or (len(one.replies),)
        for turn, number, reply in zip(*_places(rounds), one.replies, strict=True):
            times = (reply.intended_s, reply.sent_s, reply.answer_s, reply.latency_s)
            told = ["" if value is None else f"{value:.6f}" for value in times]
            lines.writerow([one.name, turn, number, *told, reply.status or "", reply.error or ""])
    return write_whole(path, text.getvalue().encode())


def _places(rounds: Sequence[int]) -> tuple[list[int], list[int]]:
    """Of each reply which round it is of, and which of that round it is."""
    turns = [turn for turn, count in enumerate(rounds, 1) for _ in range(count)]
    return turns, [number for count in rounds for number in range(1, count + 1)]


def _names(runs: Sequence[Run]) -> list[str]:
    """The set-ups where each run had one of its own, else the titles."""
    metas = [run.trace.meta for run in runs]
    setups = [str(meta.get("setup") or "run") for meta in metas]
    if len(set(setups)) == len(setups):
        return setups
    return numbered([str(meta.get("title") or "run") for meta in metas])
