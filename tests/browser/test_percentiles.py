"""The curves of latencies in a real lab: in the colours of its theme, and without a network."""

import re

import pytest
from playwright.sync_api import expect

from playground.views.look import THEMES

CELL = """from playground import Trace, percentiles
from playground.load.client import Reply
from playground.load.run import Run
from playground.trace.trace import from_tuples

def run(size):
    trace = Trace(from_tuples([]))
    return Run(trace, [Reply(200, {}, b"", size * place / 100) for place in range(1, 101)])

percentiles(run(1.0), run(0.25), titles=["slow", "quick"])"""
DRAWN = """(root) => [...root.querySelectorAll('svg path')].map((path) => {
  const box = path.getBoundingClientRect();
  const stroke = path.getAttribute('stroke');
  return { stroke, dash: path.getAttribute('stroke-dasharray'), top: box.top,
           width: box.width, height: box.height };
}).filter((one) => one.width > 200)"""
WORDS = """(root) => [...root.querySelectorAll('svg text')].map((text) => ({
  said: text.textContent, color: getComputedStyle(text).fill,
  here: text.getBoundingClientRect().width > 0 }))"""
PAPER = "() => getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor"


SEEN = """(root) => [...root.querySelectorAll('svg path')].map((path) => ({
  stroke: path.getAttribute('stroke'), seen: getComputedStyle(path).stroke,
  width: path.getBoundingClientRect().width })).filter((one) => one.width > 200)"""


def brightness(color):
    """From 0 to 255, of ``rgb(r, g, b)``."""
    red, green, blue = (float(part) for part in re.findall(r"[\d.]+", color)[:3])
    return 0.299 * red + 0.587 * green + 0.114 * blue


def rgb(color):
    """As a browser writes ``#0072b2``."""
    return f"rgb({', '.join(str(part) for part in bytes.fromhex(color[1:]))})"


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_the_curves_are_drawn_in_the_colours_of_the_theme_and_offline(
    page, lab, open_notebook, request
):
    asked, said = [], []
    page.on("request", lambda one: asked.append(one.url))
    page.on("pageerror", lambda error: said.append(str(error)))
    notebook = open_notebook(lab.add("12_curves.ipynb", [CELL]))
    notebook.run_cell(0)
    chart = page.locator("[data-playground-percentiles]")
    expect(chart.locator("svg")).to_be_visible()
    expect(chart.locator("img")).to_have_count(0)  # a picture is for who shows no SVG
    slow, quick = (
        [one for one in chart.evaluate(DRAWN) if one["stroke"] == color]
        for color in THEMES["auto"].colors[:2]
    )
    assert (len(slow), len(quick)) == (1, 1), "a curve each"
    assert slow[0]["height"] > 2 * quick[0]["height"] > 10
    assert slow[0]["top"] < quick[0]["top"]
    assert slow[0]["dash"] != quick[0]["dash"]
    theme = request.node.callspec.params["page"]
    painted = [rgb(color) for color in THEMES[theme].colors[:2]]
    known = THEMES["auto"].colors
    assert [one["seen"] for one in chart.evaluate(SEEN) if one["stroke"] in known] == painted
    words = chart.evaluate(WORDS)
    assert {"50", "90", "99", "slow", "quick"} <= {one["said"] for one in words if one["here"]}
    paper = brightness(page.evaluate(PAPER))
    assert all(abs(brightness(one["color"]) - paper) > 100 for one in words), "one can read it"
    expect(chart.locator("table")).to_contain_text("990 ms")
    notebook.picture(f"percentiles-{theme}")
    elsewhere = [url for url in asked if not re.match(rf"{lab.origin}/|data:|blob:", url)]
    assert (elsewhere, said) == ([], [])
