"""The same load on servers side by side, in rounds that take turns, told as ratios.

A machine is never equally busy for a minute. Servers that are measured one after the other differ
by that, too; here each round asks every server once, in turn, and what is compared is of one round.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playground.load.arrivals import CLOSED
from playground.load.checks import check_server, check_whole
from playground.load.grid import grid_html, grid_text
from playground.load.outcome import Outcome, check_together, numbered
from playground.load.paced import load
from playground.load.page import write_page
from playground.load.percentiles import Percentiles
from playground.load.rates import rates_svg
from playground.load.run import CLOSED_NOTE, LATE_NOTE, Run
from playground.setups.catalogue import ServeError
from playground.setups.server import Server

ROUNDS = 4
MOST_ROUNDS = 50
RATIOS = {"throughput_rps": "per s", "p50_s": "median", "p95_s": "p95", "p99_s": "p99"}
BARE = ("show", "progress")

Summary = dict[str, Any]  # of one run


@dataclass(frozen=True)
class Ratio:
    """How many times the first server's value: the median of the rounds, the least and the most."""

    median: float
    least: float
    most: float

    @property
    def spread(self) -> str:
        """Such as ``"0.20–0.24"``."""
        return f"{self.least:.2f}–{self.most:.2f}"

    def __str__(self) -> str:
        return f"{self.median:.2f} ×"


@dataclass
class Comparison:
    """What came of it: for each of ``names`` the ``runs`` of all rounds, in their order."""

    path: str
    names: list[str]
    runs: list[list[Run]]

    @property
    def rounds(self) -> int:
        """How often each server was asked."""
        return len(self.runs[0])

    @property
    def outcomes(self) -> list[Outcome]:
        """Of each server, all rounds together."""
        return [
            Outcome(
                name,
                [reply for run in runs for reply in run.replies],
                sum(run.summary()["wall_s"] for run in runs),
                _notes(runs),
                tuple(len(run.replies) for run in runs),
            )
            for name, runs in zip(self.names, self.runs, strict=True)
        ]

    @property
    def percentiles(self) -> Percentiles:
        """The curves of all rounds together."""
        return Percentiles(self.outcomes)

    @property
    def rates(self) -> dict[str, list[float]]:
        """Of each server the answers a second of its rounds."""
        told = ([run.summary()["throughput_rps"] for run in runs] for runs in self.runs)
        return dict(zip(self.names, told, strict=True))

    def ratios(self) -> list[dict[str, Ratio | None]]:
        """Of each server to the first one, by the names of ``RATIOS``; None where one of them had
        no answer in some round.
        """
        told = [[run.summary() for run in runs] for runs in self.runs]
        return [{name: _ratio(mine, told[0], name) for name in RATIOS} for mine in told]

    def summary(self) -> dict[str, Any]:
        """All numbers as JSON can hold them: seconds, requests per second, and ratios."""
        told = []
        for one, ratios, runs in zip(self.outcomes, self.ratios(), self.runs, strict=True):
            ranks = {f"p{rank}_s": one.rank(rank) for rank in (50, 90, 95, 99)}
            late = [run.summary() for run in runs]
            told.append(
                {
                    "name": one.name,
                    "served": len(one.latencies),
                    "failed": len(one.replies) - len(one.latencies),
                    "throughput_rps": one.rate,
                    **ranks,
                    "max_s": one.rank(100),
                    "ratios": {
                        name: ratio
                        and {"median": ratio.median, "min": ratio.least, "max": ratio.most}
                        for name, ratio in ratios.items()
                    },
                    "sender_late_ms": max(run["sender_late_ms"] for run in late),
                    "bottleneck": any(run["bottleneck"] for run in late),
                    "notes": list(one.notes),
                }
            )
        return {"path": self.path, "rounds": self.rounds, "to": self.names[0], "servers": told}

    def grid(self) -> tuple[list[str], list[list[str]]]:
        """The table of ratios: headings and rows."""
        rows: list[list[str]] = []
        for name, ratios in zip(self.names[1:], self.ratios()[1:], strict=True):
            told = ratios.values()
            rows.append([name, *("–" if ratio is None else str(ratio) for ratio in told)])
            rows.append(["", *("" if ratio is None else ratio.spread for ratio in told)])
        return [f"times {self.names[0]}", *RATIOS.values()], rows

    @property
    def words(self) -> str:
        """What the ratios are, in a sentence."""
        return (
            f"Ratios: the median of {self.rounds} rounds, in each of which every server was asked"
            " in turn; below it the least and the most."
            if self.rounds > 1
            else "Ratios of one round: with more of them one sees how far they spread."
        )

    def to_text(self) -> str:
        """The tables, and what to know about their numbers."""
        if len(self.names) == 1:
            return self.percentiles.to_text()
        return "\n".join([self.percentiles.to_text(), "", grid_text(*self.grid()), self.words])

    def to_svg(self, theme: str = "auto") -> str:
        """The curves as SVG: ``theme`` is light, dark or auto."""
        return self.percentiles.to_svg(theme)

    def to_png(self, path: str | os.PathLike[str], theme: str = "light") -> Path:
        """Write the curves as a PNG file."""
        return self.percentiles.to_png(path, theme)

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write a line for each request."""
        return self.percentiles.to_csv(path)

    def to_html(self, path: str | os.PathLike[str]) -> Path:
        """Write the curves and the tables as a page."""
        return write_page(path, f"{self.path} on {', '.join(self.names)}", self.html())

    def html(self) -> str:
        """The curves and the tables, to be part of a page."""
        ratios = (
            f'<br>{grid_html(*self.grid())}<p style="margin:.5em 0">{self.words}</p>'
            if len(self.names) > 1
            else ""
        )
        rates = f'<div style="font-size: 0px">{rates_svg(self.rates)}</div>'
        return f"{self.percentiles.html()}{ratios}{rates}"

    def __repr__(self) -> str:
        return f"<GET {self.path} on {', '.join(self.names)}: {self.rounds} rounds in turn>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.to_text()}

    def __rich_console__(self, console: Any, options: Any) -> Any:
        from rich.text import Text

        yield Text(self.to_text())


def _ratio(mine: list[Summary], first: list[Summary], name: str) -> Ratio | None:
    pairs = [(one[name], other[name]) for one, other in zip(mine, first, strict=True)]
    if any(one is None or not other for one, other in pairs):
        return None
    values = [one / other for one, other in pairs]
    return Ratio(median(values), min(values), max(values))


def _notes(runs: list[Run]) -> tuple[str, ...]:
    """What to know about the rounds of one server, in as few sentences as it takes."""
    told = []
    late = [run.summary()["sender_late_ms"] for run in runs if run.summary()["bottleneck"]]
    if late:
        told.append(
            f"In {len(late)} of {len(runs)} rounds the client itself was late, up to"
            f" {max(late):.0f} ms, {LATE_NOTE}"
        )
    if runs[0].arrivals == CLOSED:
        told.append(CLOSED_NOTE)
    return tuple(told)


def interleaved(
    servers: Sequence[Server],
    path: str = "/",
    *,
    rounds: int = ROUNDS,
    titles: Sequence[str] | None = None,
    progress: Callable[[float], None] | None = None,
    **more: Any,
) -> Comparison:
    """Put the same load on each of up to four running servers, ``rounds`` times in turn.

    ``more`` is what ``load`` takes: ``arrivals``, ``rate``, ``n`` or ``seconds`` of one round, and
    so on. Who begins changes from round to round; the seed of Poisson arrivals, too, but in one
    round it is the same for all. ``progress`` is told the part that is done, from 0 to 1. Tracers
    differ in what they cost: for small differences serve with ``trace=False``.

    An interrupt ends it; each server has its last run in ``last_run``.

    Raises ``ServeError`` for what makes no sense.
    """
    check_together(len(servers), "servers")
    for server in servers:
        check_server(server, "interleaved")
    check_whole("rounds", rounds, 1, MOST_ROUNDS)
    for name in BARE:
        if name in more:
            raise ServeError(f"The rounds are not drawn one by one: leave out {name}=.")
    if titles is not None and len(titles) != len(servers):
        raise ServeError(f"titles= wants one title for each of the {len(servers)} servers.")
    names = list(titles) if titles is not None else [server.name for server in servers]
    runs: list[list[Run]] = [[] for _ in servers]
    seed = more.pop("seed", 1)
    check_whole("seed", seed, 0)

    def told(part: float) -> None:
        if progress is not None:
            done = sum(map(len, runs))
            progress((done + part) / (rounds * len(servers)))

    for turn in range(rounds):
        for place in range(len(servers)):
            which = (place + turn) % len(servers)
            run = load(servers[which], path, seed=seed + turn, show=False, progress=told, **more)
            runs[which].append(run)
    return Comparison(path, numbered(names), runs)
