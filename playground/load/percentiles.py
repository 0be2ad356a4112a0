"""Latencies by percentile: a curve for each run, drawn by Vega-Lite without a browser or a network.

The curve is a staircase of values that were measured; nothing is smoothed. To the right each 10
times fewer requests take as much room: the slow ones are what one looks for.
"""

import base64
import html
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playground.load.files import write_whole
from playground.load.grid import grid_html, grid_text
from playground.load.outcome import COLUMNS, MOST_TOGETHER, Outcome, outcomes, write_csv
from playground.load.page import write_page
from playground.load.run import Run
from playground.setups.catalogue import ServeError
from playground.trace.trace import Trace
from playground.views.look import PALETTE, THEMES, Theme

WIDTH, HEIGHT = 760, 300  # pixels of the plot itself
FONT = "Helvetica, Arial, sans-serif"
DASHES = ([1, 0], [7, 4], [2, 3], [9, 3, 2, 3])  # a second sign besides the colour
TICKS = {1: "0", 2: "50", 4: "75", 10: "90", 20: "95", 100: "99", 1000: "99.9", 10_000: "99.99"}
STEPS = 800  # points of a curve that a picture of that width can show
HERE = "#010203"  # stands for the colour of the page's own text
FEW = 100  # answers, below which the right end is a matter of single requests


class Percentiles:
    """The curves and the table of up to four outcomes."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = list(outcomes)

    def to_svg(self, theme: str = "auto") -> str:
        """The curves as SVG: ``theme`` is light, dark, or auto (the colours of the page)."""
        return drawn(specification(self.outcomes, THEMES[theme]))

    def to_png(self, path: str | os.PathLike[str], theme: str = "light") -> Path:
        """Write the curves as a PNG file, ``theme`` light or dark, for screens and slides."""
        return write_whole(path, to_png(self.to_svg(theme)))

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write a line for each request."""
        return write_csv(path, self.outcomes)

    def to_text(self) -> str:
        """The table, and what to know about its numbers."""
        rows = [[one.name, *one.cells()] for one in self.outcomes]
        return "\n".join([grid_text(["", *COLUMNS], rows), *self.notes()])

    def to_html(self, path: str | os.PathLike[str]) -> Path:
        """Write the curves and the table as a page."""
        names = ", ".join(one.name for one in self.outcomes)
        return write_page(path, f"Percentiles of {names}", self.html())

    def html(self) -> str:
        """The curves and the table, to be part of a page."""
        rows = [[one.name, *one.cells()] for one in self.outcomes]
        still = base64.b64encode(self.to_svg("light").encode()).decode()
        notes = "".join(
            f'<p style="margin:.5em 0">{html.escape(note)}</p>' for note in self.notes()
        )
        style = f"<style>{_on_dark()}</style>"
        # a front end that does not trust a notebook drops the SVG's tags, and shows the image
        return (
            f'<div data-playground-percentiles="">{style}'
            f'<div style="font-size: 0px">{self.to_svg()}</div>'
            f'<noscript><img alt="" src="data:image/svg+xml;base64,{still}"></noscript>'
            f"{grid_html(['', *COLUMNS], rows)}{notes}</div>"
        )

    def notes(self) -> list[str]:
        """Sentences: of late clients, of closed loops, and of what few answers can tell."""
        of_all = [
            note
            for note in self.outcomes[0].notes
            if all(note in one.notes for one in self.outcomes)
        ]
        told = of_all + [
            f"{one.name}: {note}"
            for one in self.outcomes
            for note in one.notes
            if note not in of_all
        ]
        fewest = min(len(one.latencies) for one in self.outcomes)
        if 0 < fewest < FEW:
            told.append(
                f"With {fewest} answer{'s' * (fewest != 1)} the 99th percentile is the slowest of"
                " them: more requests tell more about the right end of the curve."
            )
        return told

    def __repr__(self) -> str:
        return f"<Percentiles of {', '.join(one.name for one in self.outcomes)}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.to_text()}

    def __rich_console__(self, console: Any, options: Any) -> Any:
        from rich.text import Text

        yield Text(self.to_text())


def drawn(chart: dict[str, Any]) -> str:
    """A chart in Vega-Lite's own words as SVG."""
    svg = _drawing().vegalite_to_svg(chart, allowed_base_urls=[])
    return str(svg).replace(HERE, "currentColor")


def to_png(svg: str) -> bytes:
    """A picture as PNG, with two pixels for each of its own."""
    return bytes(_drawing().svg_to_png(svg, scale=2))


def percentiles(*runs: Run | Trace, titles: Sequence[str] | None = None) -> Percentiles:
    """Up to four runs or traces as curves of latency by percentile, with a table.

    ``titles``: one for each. Raises ``ServeError`` for what cannot be drawn.
    """
    return Percentiles(outcomes(runs, titles))


def _on_dark() -> str:
    """What paints charts in the colours for dark pages where the page is dark: JupyterLab says so,
    a page of its own follows the reader's system.
    """
    pairs = list(zip(PALETTE["light"], PALETTE["dark"], strict=True))[:MOST_TOGETHER]

    def rules(page: str) -> str:
        return "".join(
            f'{page} .marks [{part}="{light}"]{{{part}:{dark}}}'
            for light, dark in pairs
            for part in ("stroke", "fill")
        )

    alone = "body:not([data-jp-theme-light])"
    return (
        rules('[data-jp-theme-light="false"]')
        + f"@media (prefers-color-scheme:dark){{{rules(alone)}}}"
    )


def curve(latencies: Sequence[float]) -> list[tuple[float, float]]:
    """The corners of the staircase of values in ascending order: ``(1 / (1 - share), value)``.

    The value holds from that share of the requests on. Of corners that fall on one pixel the last
    is kept.
    """
    count = len(latencies)
    corners: dict[int, tuple[float, float]] = {}
    reach = max(count, 2)
    for place, value in enumerate(latencies):
        x = count / (count - place)
        corners[round(math.log(x) / math.log(reach) * STEPS)] = (x, value)
    return list(corners.values())


def specification(some: Sequence[Outcome], theme: Theme) -> dict[str, Any]:
    """The chart in Vega-Lite's own words."""
    end = max([2, *(len(one.latencies) for one in some)]) * 1.25  # room for the last step
    longest = max((one.latencies[-1] for one in some if one.latencies), default=1.0)
    unit, size = ("s", 1.0) if longest >= 1 else ("ms", 1e3)
    names = [one.name for one in some]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "background": theme.paper or "transparent",
        "padding": 12,
        "data": {"values": [row for one in some for row in _rows(one, size, end)]},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2.5},
        "encoding": {
            "x": {
                "field": "x",
                "type": "quantitative",
                "scale": {"type": "log", "domain": [1, end], "nice": False},
                "axis": {
                    "title": "percentile of the answered requests",
                    "values": [tick for tick in TICKS if tick <= end],
                    "labelExpr": f"{ {str(tick): name for tick, name in TICKS.items()} }"
                    "['' + datum.value]",
                },
            },
            "y": {
                "field": "y",
                "type": "quantitative",
                "scale": {"zero": True},
                "axis": {"title": f"latency from the intended send ({unit})", "tickCount": 6},
            },
            "color": _scale(names, list(theme.colors[: len(names)])),
            "strokeDash": _scale(names, [list(dash) for dash in DASHES[: len(names)]]),
        },
        "config": config(theme),
    }


def _drawing() -> Any:
    try:
        import vl_convert
    except ImportError:
        raise ServeError(
            "The curves need vl-convert-python, which is not installed here: run `make lab` once."
        ) from None
    return vl_convert


def _rows(one: Outcome, size: float, end: float) -> list[dict[str, Any]]:
    corners = curve(one.latencies)
    if corners:
        corners.append((end, corners[-1][1]))
    return [{"run": one.name, "x": x, "y": value * size} for x, value in corners]


def _scale(names: list[str], values: list[Any]) -> dict[str, Any]:
    legend = {"title": None, "orient": "top", "columns": 2, "columnPadding": 28, "symbolSize": 900}
    scale = {"domain": names, "range": values}
    return {"field": "run", "type": "nominal", "scale": scale, "legend": legend}


def config(theme: Theme) -> dict[str, Any]:
    """Fonts and colours of a chart."""
    ink, muted = (HERE if color == "currentColor" else color for color in (theme.ink, theme.muted))
    words = {"labelColor": ink, "titleColor": ink, "labelFont": FONT, "titleFont": FONT}
    return {
        "axis": {
            **words,
            "labelFontSize": 13,
            "titleFontSize": 14,
            "titleFontWeight": "normal",
            "titlePadding": 10,
            "gridColor": theme.faint,
            "gridOpacity": 0.6 if theme.paper else 0.3,
            "domainColor": muted,
            "tickColor": muted,
        },
        "legend": {
            **words,
            "labelFontSize": 14,
            "labelLimit": WIDTH,
            "symbolStrokeWidth": 3,
        },
        "view": {"stroke": None},
    }
