"""The moving picture in Chromium: from the self-contained page, and live in a real lab."""

import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from playground.trace.records import NAME_SHIFT, Kind
from playground.trace.trace import Lane
from playground.views import html
from playground.views.summary import zero_us
from tests.browser.conftest import PICTURES
from tests.views.traces import killed, loop, probed, restaurant, truck

PROBE = 0xC0000000  # where the front end numbers probes
STATE = "document.getElementById('view').__view.state()"
STILL = f"""async () => {{
  const before = {STATE}.draws;
  await new Promise((done) => setTimeout(done, 300));
  return {STATE}.draws === before;
}}"""
VIEWS = """() => [...document.querySelectorAll('.jp-OutputArea-output, .jp-OutputArea-output *')]
  .filter((el) => el.__view).map((el) => el.__view.state())"""
SHOWN_TWINS = """() => [...document.querySelectorAll('[data-playground-static]')]
  .filter((el) => el.getBoundingClientRect().height > 0).length"""
# Each worker answers once, and again when there is no file `held` (any more) in the workspace.
APP = """from pathlib import Path
from playground import burst, compare, serve, timeline
import time
held, answered = Path.cwd().parent / "held", []
def app(environ, start_response):
    time.sleep(0.5)
    while answered and held.exists():
        time.sleep(0.05)
    answered.append(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"slow"]"""


class Shown:
    """A page of its own with the picture of some traces."""

    def __init__(self, browser, folder, traces, titles=None, *, width=1200, **context):
        path = folder / "picture.html"
        path.write_text(html.page_all(traces, titles), encoding="utf-8")
        self.said = []
        self.page = browser.new_page(viewport={"width": width, "height": 900}, **context)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(path.as_uri())
        self.page.wait_for_function(f"{STATE}.draws > 0")

    @property
    def state(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
        return self.page.evaluate(STATE)

    @property
    def run(self):
        return self.state["runs"][0]

    def row(self, key, value):
        return next(row for row in self.run["rows"] if row.get(key) == value)

    @property
    def canvas(self):
        return self.page.locator("canvas[tabindex='0']").first

    def scrub(self, share):
        self.page.evaluate(
            """(value) => { const bar = document.querySelector('.pgv input');
              bar.value = value; bar.dispatchEvent(new Event('input')); }""",
            share * 1000,
        )
        return self.state

    def point(self, row, at_s):
        """Where on the page a moment of a row is."""
        state, box = self.state, self.canvas.bounding_box()
        plot, (v0, v1) = state["runs"][0]["plot"], state["window"]
        x = plot["x0"] + (at_s - v0) / (v1 - v0) * (plot["x1"] - plot["x0"])
        return box["x"] + x, box["y"] + row["y"]


@pytest.fixture
def show(chromium, tmp_path):
    """Open the picture of traces; at the end no page may have complained."""
    opened = []

    def open_(*traces, **options):
        opened.append(Shown(chromium, tmp_path, traces, **options))
        return opened[-1]

    yield open_
    complaints = [text for shown in opened for text in shown.said]
    for shown in opened:
        shown.page.close()
    assert complaints == []


def test_the_end_of_a_run_shows_every_state_and_number(show):
    shown = show(restaurant())
    assert shown.state["mode"] == "follow"
    assert shown.run["counters"] == {
        "served": "8 of 8",
        "in line": 0,
        "waiters": "0 of 2 busy",
        "p95": "4.13 s",
    }
    assert shown.row("request", 1)["states"] == [1, 2, 3, 2]
    assert shown.row("request", 1)["text"] == "1.03 s"
    assert "#1 occupied, 2.9 % CPU" in shown.row("lane", 1)["texts"]


def test_at_the_end_all_are_served_whatever_the_clock_says(show):
    traces = [restaurant(4, 2) for _ in range(4)]
    for shift, trace in enumerate(traces):
        trace.records["t_us"] += 36_185_000_000 + shift / 7
        trace.records["dur_us"] += shift / 3
    assert [run["counters"]["served"] for run in show(*traces).state["runs"]] == ["4 of 4"] * 4


def test_scrubbing_moves_scene_timeline_and_sentence_together(show):
    shown = show(restaurant())
    state = shown.scrub(0.42)
    assert state["mode"] == "freeze"
    (run,) = state["runs"]
    assert run["counters"]["in line"] == 4
    assert run["scene"]["line"] == [5, 6, 7, 8]
    assert run["scene"]["kitchen"] == [3, 4]
    assert [(t["request"], t["says"]) for t in run["scene"]["tables"]] == [
        (3, "stands and waits"),
        (4, "stands and waits"),
    ]
    assert shown.row("request", 5)["states"] == [1]
    assert state["sentence"].startswith("2 of 8 served; 4 parties wait in line; worker 1 stands")
    assert state["aloud"] == state["sentence"]  # what a screen reader gets is what is seen
    expect(shown.page.locator("[aria-live='polite']")).to_have_text(state["sentence"])
    earlier = state["sentence"]
    assert shown.scrub(0.9)["sentence"] != earlier


def test_probes_stand_apart_and_are_no_customers(show):
    shown = show(probed(3, 8))
    state = shown.scrub(0.25)
    (run,) = state["runs"]
    assert run["total"] == 3
    assert run["counters"]["served"] == "0 of 3"
    assert run["counters"]["in line"] == 2
    assert run["counters"]["slowest probe"].startswith("≥ 12")
    first = PROBE + 1
    assert [row["request"] for row in run["rows"] if "request" in row] == [
        *(1, 2, 3),
        *range(first, first + 8),
    ]
    assert run["scene"]["line"][:3] == [2, 3, first]
    assert state["sentence"].startswith("0 of 3 served; 2 parties and 2 probes wait in line;")
    x, y = shown.point(shown.row("request", first), 0.2)
    shown.page.mouse.move(x, y)
    assert shown.state["tip"].startswith("probe 1 GET /health")
    assert shown.scrub(1)["runs"][0]["counters"]["served"] == "3 of 3"
    expect(shown.page.get_by_role("columnheader", name="slowest probe")).to_be_visible()


def test_what_was_not_observed_is_not_claimed(show):
    shown = show(restaurant(sampled=False, simulated=True, dropped=3))
    (run,) = [shown.scrub(0.3)["runs"][0]]
    assert run["scene"]["kitchen"] == []
    assert {table["says"] for table in run["scene"]["tables"]} == {"is occupied"}
    assert run["badges"] == ["simulated", "3 records dropped"]


def test_errors_are_said_in_words(show):
    shown = show(restaurant(failed=(2,)))
    assert shown.run["counters"]["errors"] == 1
    assert shown.row("request", 2)["text"] == "✕ 1.03 s · 500"


def test_play_goes_on_to_the_end_and_freeze_holds(show):
    shown = show(restaurant(wait_s=30))  # that it is over does not come in between
    shown.page.get_by_role("button", name="play", exact=True).click()
    shown.page.wait_for_function(f"{STATE}.mode === 'play' && {STATE}.t > 0.05")
    shown.page.get_by_role("button", name="pause", exact=True).click()
    held = shown.state["t"]
    assert shown.state["mode"] == "freeze"
    assert shown.state["t"] == held
    assert held < shown.scrub(0.999)["t"] < shown.state["edge"]
    shown.page.get_by_role("button", name="play", exact=True).click()
    shown.page.wait_for_function(f"{STATE}.mode === 'follow'")
    assert shown.state["t"] == shown.state["edge"]


def test_hovering_a_worker_highlights_its_request_everywhere(show):
    shown = show(restaurant())
    x, y = shown.point(shown.row("lane", 1), 1.5)
    shown.page.mouse.move(x, y)
    state = shown.state
    assert state["highlight"] == 3
    assert state["tip"].startswith("#3 GET /slow → 200")
    assert "2.07 s in all, by the client's clock" in state["tip"]
    assert "worker 1 · pid 417" in state["tip"]
    shown.page.mouse.move(5, 5)
    assert shown.state["highlight"] == 0


def test_keys_zoom_pan_step_and_explain(show):
    shown = show(restaurant())
    shown.canvas.focus()

    def press(key):
        shown.page.keyboard.press(key)
        return shown.state

    wide = shown.state["window"]
    near = press("w")["window"]
    assert near[1] - near[0] < wide[1] - wide[0]
    assert press("a")["window"][0] < near[0]
    assert press("Home")["window"] == wide
    frozen = press("ArrowLeft")
    assert (frozen["mode"], frozen["t"] < frozen["edge"]) == ("freeze", True)
    assert press("End")["mode"] == "follow"
    assert press("f")["mode"] == "freeze"
    assert press("ArrowDown")["highlight"] == 1
    assert press("?")["keys"]
    assert not press("Escape")["keys"]
    assert press(" ")["mode"] == "play"


def test_the_wheel_zooms_only_after_the_picture_was_chosen(show):
    shown = show(restaurant())
    box = shown.canvas.bounding_box()
    shown.page.mouse.move(box["x"] + 500, box["y"] + 100)
    shown.page.mouse.wheel(0, -100)
    assert not shown.state["zoomed"]
    shown.canvas.focus()
    shown.page.mouse.wheel(0, -100)
    shown.page.wait_for_function(f"{STATE}.zoomed")
    before = shown.state["window"]
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] + 600, box["y"] + 100, steps=3)
    shown.page.mouse.up()
    assert shown.state["window"][0] < before[0]


def test_an_event_loop_is_a_food_truck_with_one_cook(show):
    shown = show(loop())
    state = shown.scrub(0.6)
    (truck,) = state["runs"][0]["scene"]["trucks"]
    assert truck["hands"] == 4
    assert truck["says"] == "#4 in hand, holds the loop"
    assert truck["pass"] == [1, 2, 3, 5, 6, 7, 8]
    assert truck["tickets"] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (truck["ovens"], truck["helpers"], truck["bell"]) == ([], [], False)
    assert truck["lag"].startswith("≥ ")
    assert shown.row("request", 1)["text"].startswith("≥ ")
    assert shown.row("lane", 1)["texts"][-1].startswith("#4 holds the loop ")
    assert "ready, not running" in state["sentence"]


def test_helpers_and_lag_are_those_of_the_trace_at_every_moment(show):
    trace = truck(8, pool=2)
    shown = show(trace)
    work = trace.records[trace.records["kind"] == Kind.WORKER]
    steps = trace.records[trace.records["kind"] == Kind.STEP]
    zero = zero_us(trace)
    for share in (0.05, 0.1, 0.2, 0.25, 0.31, 0.5):
        state = shown.scrub(share)
        now = zero + state["t"] * 1e6
        (drawn,) = state["runs"][0]["scene"]["trucks"]
        at_work = {one["request"] for one in drawn["helpers"]} - {None}
        assert at_work == set(going_on(work, now)["request"].tolist())
        assert [drawn["hands"] or 0] == (going_on(steps, now)["request"].tolist() or [0])
        idle = going_on(trace.records[trace.records["kind"] == Kind.IDLE], now)
        assert drawn["bell"] == bool(len(idle))
    assert shown.row("lag", 1)["ramps"] == 6


def test_a_step_that_sleeps_is_not_said_to_compute(show):
    shown = show(truck(block_s=1.2))
    assert shown.row("lane", 1)["texts"][-1] == "#1 holds the loop 1.20 s, ≤ 0.1 % CPU"


def going_on(records, now):
    return records[(records["t_us"] <= now) & (records["t_us"] + records["dur_us"] > now)]


def test_the_line_at_the_window_is_who_is_queued(show):
    shown = show(loop(24), width=900)
    state = shown.scrub(0.04)
    (run,) = state["runs"]
    assert len(run["scene"]["line"]) + run["scene"]["hidden"] == run["counters"]["in line"] > 0
    in_house = len(run["scene"]["trucks"][0]["tickets"])
    assert in_house + run["counters"]["in line"] == 24


def test_a_run_of_each_kind_stands_side_by_side_on_one_clock(show):
    shown = show(restaurant(8, 2), truck(), titles=["tables", "truck"])
    tables, kitchen = shown.scrub(0.2)["runs"]
    assert (tables["scene"]["kind"], kitchen["scene"]["kind"]) == ("restaurant", "truck")
    assert tables["plot"] == kitchen["plot"]
    labels = ("the restaurant", "the food truck")
    left, right = (shown.page.get_by_label(one, exact=True).bounding_box() for one in labels)
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]
    assert shown.page.locator(".pgv-controls").count() == 1


def test_what_a_request_waits_for_is_named(show):
    trace = truck()
    trace.meta["awaits"] = ["", "sleep", "receive"]
    first, second = np.flatnonzero(
        (trace.records["request"] == 1) & (trace.records["kind"] == Kind.AWAIT)
    )
    trace.records["flags"][first] |= 1 << NAME_SHIFT
    trace.records["flags"][second] |= 2 << NAME_SHIFT
    shown = show(trace)
    x, y = shown.point(shown.row("request", 1), 1.5)
    shown.scrub(0.1)
    shown.page.mouse.move(x, y)
    assert "waiting so far · in sleep\n" in shown.state["tip"]
    shown.scrub(1)
    shown.page.mouse.move(x, y + 1)
    assert "waiting · in sleep, receive\n" in shown.state["tip"]


def test_two_processes_are_two_trucks(show):
    trace = loop(8)
    second = trace.records["request"] % 2 == 0
    trace.records["lane"][second & (trace.records["lane"] == 1)] = 2
    trace.lanes.append(Lane(2, "loop 2", "loop", 418, 418))
    trace.meta["workers"] = 2
    shown = show(trace)
    trucks = shown.scrub(0.6)["runs"][0]["scene"]["trucks"]
    assert [one["tickets"] for one in trucks] == [[1, 3, 5, 7], [2, 4, 6, 8]]
    assert [one["hands"] for one in trucks] == [None, 4]


def test_processes_signals_and_ends_stand_below_the_requests(show):
    shown = show(killed())
    (run,) = shown.scrub(0.3)["runs"]
    assert run["marks"] == []
    rows = {row["process"]: row for row in run["rows"] if "process" in row}
    assert list(rows) == [416, 417, 418]
    assert [rows[pid]["role"] for pid in rows] == ["parent", "worker", "worker"]
    assert [one["lane"] for one in run["scene"]["tables"]] == [1, 2]
    (run,) = shown.scrub(0.6 / shown.state["edge"])["runs"]
    assert [one["lane"] for one in run["scene"]["tables"]] == [2, None], "before another has come"
    (run,) = shown.scrub(1)["runs"]
    rows = {row["process"]: row for row in run["rows"] if "process" in row}
    assert list(rows) == [416, 417, 418, 431]
    assert rows[416]["text"] == "12 % CPU · 31 MiB · 1 restart"
    assert rows[417]["text"] == "ended: kill -9"
    assert [row["over"] for row in rows.values()] == [False, True, False, False]
    assert run["marks"] == [
        "kill -9 to worker 1 · 417",
        "worker 1 · 417 ended",
        "worker 3 · 431 began",
    ]
    assert shown.row("request", 3)["text"] == "✕ 500 ms · no answer"
    assert [one["lane"] for one in run["scene"]["tables"]] == [2, 3]
    x, y = shown.point(rows[417], 0.2)
    shown.page.mouse.move(x, y)
    assert "ended: kill -9 at 504 ms" in shown.state["tip"]
    assert shown.state["actions"] == [], "nobody is there any more to get a signal"
    PICTURES.mkdir(exist_ok=True)
    shown.page.screenshot(path=PICTURES / "views-killed.png", full_page=True)


def test_many_requests_become_counts_and_bars(show):
    shown = show(restaurant(400, 40, wait_s=0.1), width=400)
    (run,) = shown.scrub(0.3)["runs"]
    groups = [row["requests"] for row in run["rows"] if "requests" in row]
    assert groups[0] == [0, 20]
    assert len(groups) == 20
    assert len(run["scene"]["line"]) + run["scene"]["hidden"] == run["counters"]["in line"]
    assert run["scene"]["hidden"] > 0
    assert shown.page.evaluate("document.querySelector('.pgv').scrollWidth") <= 400


def test_compared_runs_share_one_clock_and_scale(show):
    shown = show(restaurant(8, 2), restaurant(8, 4), titles=["two", "four"])
    two, four = shown.state["runs"]
    assert (two["title"], four["title"]) == ("two", "four")
    assert two["plot"] == four["plot"]
    two, four = shown.scrub(0.4)["runs"]
    assert (two["counters"]["served"], four["counters"]["served"]) == ("2 of 8", "4 of 8")
    assert shown.page.locator(".pgv-controls").count() == 1


def test_the_theme_follows_the_page_while_it_changes(show):
    shown = show(restaurant(), color_scheme="dark")
    assert shown.state["theme"] == "dark"
    shown.page.evaluate("document.body.setAttribute('data-jp-theme-light', 'true')")
    shown.page.wait_for_function(f"{STATE}.theme === 'light'")
    shown.page.evaluate("document.body.setAttribute('data-jp-theme-light', 'false')")
    shown.page.wait_for_function(f"{STATE}.theme === 'dark'")


def test_nothing_is_drawn_while_nothing_changes(show):
    shown = show(restaurant())
    shown.page.wait_for_function(STILL)


def test_without_scripts_the_page_shows_the_static_picture(chromium, tmp_path):
    shown = tmp_path / "picture.html"
    shown.write_text(html.page(restaurant()), encoding="utf-8")
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(shown.as_uri())
    expect(page.locator("#still svg")).to_be_visible()
    context.close()


# In JupyterLab


@pytest.fixture
def held(lab):
    """A file that holds most answers of ``APP`` while it is there."""
    file = lab.workspace / "held"
    file.touch()
    yield file
    file.unlink(missing_ok=True)


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_the_picture_moves_while_the_cell_is_busy(page, lab, held, open_notebook, request):
    theme = request.node.callspec.params["page"]
    cells = [
        APP,
        'with serve("minimal-wsgi", app, workers=2) as s:\n'
        '    run = burst(s, 8, "/slow", timeout=300)',
    ]
    notebook = open_notebook(lab.add(f"views_{theme}.ipynb", cells))
    notebook.run_cell(0)
    notebook.cell(1).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(f"({VIEWS})().some((v) => v.live && v.t > 0.6)")
    (first,) = page.evaluate(VIEWS)
    notebook.picture(f"views-live-{theme}")
    assert notebook.cell(1).locator(".jp-InputPrompt").first.text_content() == "[*]:"
    assert first["runs"][0]["badges"] == ["● live"]
    assert first["theme"] == theme
    page.wait_for_function(f"({VIEWS})()[0].seq > {first['seq']} && ({VIEWS})()[0].live")
    held.unlink()
    page.wait_for_function(f"!({VIEWS})()[0].live")
    (last,) = page.evaluate(VIEWS)
    assert last["runs"][0]["counters"]["served"] == "8 of 8"
    page.wait_for_function("document.querySelectorAll('[data-playground-static]').length === 1")
    assert page.evaluate(SHOWN_TWINS) == 0
    notebook.picture(f"views-end-{theme}")


def test_a_button_kills_a_worker_in_the_middle_of_a_burst(page, lab, held, open_notebook):
    serve = (
        'with serve("gunicorn-sync", app, workers=2, options=["--timeout=300"]) as s:\n'
        '    run = burst(s, 16, "/slow", timeout=300)'
    )
    notebook = open_notebook(lab.add("views_kill.ipynb", [APP, serve]))
    notebook.run_cell(0)
    notebook.cell(1).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(f"({VIEWS})().some((v) => v.live && v.t > 0.7)")
    (view,) = page.evaluate(VIEWS)
    assert view["actions"] == ["HUP", "TTIN", "TTOU", "USR2", "QUIT", "TERM", "kill -9"]
    page.get_by_role("button", name="kill -9").click()
    page.wait_for_function(f"({VIEWS})()[0].runs[0].marks.length >= 3")
    notebook.picture("views-kill-live")
    held.unlink()
    page.wait_for_function(f"!({VIEWS})()[0].live")
    (last,) = page.evaluate(VIEWS)
    (run,) = last["runs"]
    assert run["counters"]["served"] == "15 of 16"
    assert run["counters"]["failed"] == 1
    signal, ended, began = run["marks"]
    killed = signal.removeprefix("kill -9 to ")
    assert (ended, began.endswith(" began")) == (f"{killed} ended", True)
    assert began != f"{killed} began"
    assert last["actions"] == []
    notebook.picture("views-kill-end")


def test_a_saved_notebook_opens_with_and_without_the_state_of_its_widgets(
    page, lab, open_notebook, reopen_notebook
):
    cells = [APP, 'with serve("minimal-wsgi", app) as s:\n    run = burst(s, 2)\nrun']
    rel = lab.add("views_saved.ipynb", cells)
    notebook = open_notebook(rel)
    notebook.run_cell(0)
    notebook.run_cell(1)
    page.wait_for_function(f"({VIEWS})().length === 1 && !({VIEWS})()[0].live")
    notebook.save()
    saved = json.loads((lab.workspace / rel).read_text())

    reopen_notebook(rel, ".pgv")
    page.wait_for_function(f"({VIEWS})().length === 1")
    (again,) = page.evaluate(VIEWS)
    assert again["runs"][0]["counters"]["served"] == "2 of 2"
    page.wait_for_function(f"({SHOWN_TWINS})() === 0")
    assert page.get_by_text("Error displaying widget").count() == 0

    del saved["metadata"]["widgets"]
    saved["cells"][0]["source"] = "'so that nobody has trusted this notebook'"
    bare = rel.replace("saved", "bare")
    (lab.workspace / bare).write_text(json.dumps(saved))
    untrusted = open_notebook(bare)
    picture = page.locator(".jp-OutputArea img[src^='data:image/svg+xml']").first
    expect(picture).to_be_visible()
    assert page.get_by_text("Error displaying widget").count() == 0
    untrusted.picture("views-untrusted")


def test_a_trusted_notebook_without_its_models_shows_one_static_picture(page, lab, open_notebook):
    source = """from IPython.display import display
from playground.views import static
from tests.views.traces import restaurant
lost = {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}
display({"application/vnd.jupyter.widget-view+json": lost, "text/plain": "lost"}, raw=True)
for _ in range(2):
    display(static.bundle([restaurant()], key="abc"), raw=True)"""
    path = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})"
    notebook = open_notebook(lab.add("views_lost.ipynb", [path, source]))
    notebook.run_cell(0)
    notebook.run_cell(1)
    lost = page.get_by_text("Error displaying widget")
    lost.wait_for(state="attached")
    expect(lost).to_be_hidden()
    assert page.evaluate(SHOWN_TWINS) == 1
    notebook.picture("views-lost")
