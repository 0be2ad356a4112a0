"""Measure side by side: all servers run, and take turns round by round, so that a slow moment of
the machine hits everybody. What counts is the ratio within one round; the median is reported."""

import argparse
import json
import os
import platform
import statistics
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.load import Load, LoadError, requests_per_second
from playground.setups.catalogue import SETUPS, ServeError
from playground.setups.server import serve


@dataclass(frozen=True)
class Contender:
    """One server process: a set-up of the catalogue and how it is sized."""

    setup: str
    threads: int = 1
    loop: str | None = None  # of an ASGI server

    @property
    def app(self) -> str:
        """What it serves."""
        return f"bench.apps:{SETUPS[self.setup].interface}"

    def __str__(self) -> str:
        """``minimal-wsgi, 4 threads`` or ``uvicorn on uvloop``."""
        if self.loop:
            return f"{self.setup} on {self.loop}"
        return f"{self.setup}, {self.threads} thread{'s' * (self.threads > 1)}"


@dataclass(frozen=True)
class Bar:
    """A claim: ``ours`` answers at least ``least`` times as many requests a second as ``other``."""

    ours: Contender
    other: Contender
    least: float


ASGI = Contender("minimal-asgi", loop="asyncio")
BARS = (
    Bar(Contender("minimal-wsgi"), Contender("gunicorn-sync"), 6.0),
    Bar(Contender("minimal-wsgi"), Contender("waitress", 4), 10.0),  # its default; 1 is slower
    Bar(Contender("minimal-wsgi", 4), Contender("gunicorn-gthread", 4), 2.0),
    Bar(ASGI, Contender("uvicorn", loop="asyncio"), 1.5),
    Bar(ASGI, Contender("uvicorn-h11", loop="asyncio"), 4.0),
    Bar(Contender("minimal-asgi", loop="uvloop"), Contender("uvicorn", loop="uvloop"), 1.3),
)


def measure(load: Load, rounds: int) -> dict[Contender, list[float]]:
    """Requests per second of every contender in every round."""
    contenders = list(dict.fromkeys(side for bar in BARS for side in (bar.ours, bar.other)))
    rates: dict[Contender, list[float]] = {contender: [] for contender in contenders}
    with ExitStack() as stack:
        urls = {
            contender: stack.enter_context(
                serve(
                    contender.setup,
                    contender.app,
                    threads=contender.threads,
                    loop=contender.loop,
                    trace=False,
                )
            ).url
            for contender in contenders
        }
        for url in urls.values():
            requests_per_second(url, Load(load.connections, 1))  # warm up
        turns = [contender for _ in range(rounds) for contender in contenders]
        for contender in track(turns, "measuring", transient=True):
            rates[contender].append(requests_per_second(urls[contender], load))
    return rates


def ratios(bar: Bar, rates: dict[Contender, list[float]]) -> list[float]:
    """The ratio of both sides of a bar, round by round."""
    pairs = zip(rates[bar.ours], rates[bar.other], strict=True)
    return [ours / other for ours, other in pairs]


def report(rates: dict[Contender, list[float]], load: Load) -> Table:
    """What was measured, to be read."""
    title = f"one process, {load.connections} keep-alive connections, {load.seconds} s a turn"
    table = Table(
        "", "requests/s (median)", "compared with", "ratio (min, max)", "bar", title=title
    )
    for bar in BARS:
        found = ratios(bar, rates)
        median = statistics.median(found)
        table.add_row(
            str(bar.ours),
            f"{statistics.median(rates[bar.ours]):,.0f}",
            f"{bar.other}: {statistics.median(rates[bar.other]):,.0f}",
            f"{median:.2f} × ({min(found):.2f}, {max(found):.2f})",
            f"{'met' if median >= bar.least else 'MISSED'}: {bar.least:g} ×",
        )
    return table


def record(rates: dict[Contender, list[float]], load: Load) -> dict[str, object]:
    """What was measured, to be kept as JSON: rates in requests per second."""
    packages = ("gunicorn", "waitress", "uvicorn", "httptools", "h11", "uvloop")
    return {
        "machine": {"cores": os.cpu_count(), "system": platform.platform()},
        "versions": {"python": platform.python_version()} | {p: version(p) for p in packages},
        "load": asdict(load),
        "requests_per_second": {str(contender): found for contender, found in rates.items()},
        "ratios": [asdict(bar) | {"rounds": ratios(bar, rates)} for bar in BARS],
    }


def main() -> int:
    """Measure, print, write; exit status 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="for each turn")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--out", type=Path, default=Path("bench/latest.json"))
    options = parser.parse_args()
    load = Load(options.connections, options.seconds)
    try:
        rates = measure(load, options.rounds)
    except (LoadError, ServeError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    Console().print(report(rates, load))
    options.out.write_text(json.dumps(record(rates, load), indent=2) + "\n")
    print(f"All numbers: {options.out}. They are about this machine, at this moment.")
    return int(any(statistics.median(ratios(bar, rates)) < bar.least for bar in BARS))


if __name__ == "__main__":
    sys.exit(main())
