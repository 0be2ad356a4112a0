"""Answers a second of several servers: a point for each round, a stroke at their median."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from playground.load.percentiles import WIDTH, config, drawn
from playground.views.look import THEMES, Theme

ROW = 34  # pixels for each server


def rates_svg(rates: Mapping[str, Sequence[float]], theme: str = "auto") -> str:
    """The picture as SVG: ``rates`` has for each name the answers a second of its rounds."""
    return drawn(specification(rates, THEMES[theme]))


def specification(rates: Mapping[str, Sequence[float]], theme: Theme) -> dict[str, Any]:
    """The chart in Vega-Lite's own words."""
    names = list(rates)
    rounds = [{"run": name, "x": value} for name in names for value in rates[name]]
    middles = [{"run": name, "x": median(rates[name])} for name in names if rates[name]]
    row = {"field": "run", "type": "nominal", "sort": names, "title": None}
    x = {
        "field": "x",
        "type": "quantitative",
        "scale": {"zero": True},
        "axis": {"title": "answers a second: each round, and their median", "tickCount": 6},
    }
    color = {
        "field": "run",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": names, "range": list(theme.colors[: len(names)])},
    }
    place = {"x": x, "y": {**row, "axis": {"labelLimit": 260}}, "color": color}
    return {
        "width": WIDTH - 120,
        "height": ROW * len(names),
        "background": theme.paper or "transparent",
        "padding": {"left": 48, "right": 12, "top": 12, "bottom": 12},  # other fonts are wider
        "layer": [
            {
                "data": {"values": middles},
                "mark": {"type": "tick", "thickness": 4, "size": ROW * 0.7},
                "encoding": place,
            },
            {
                "data": {"values": rounds},
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.6},
                "encoding": place,
            },
        ],
        "config": config(theme),
    }
