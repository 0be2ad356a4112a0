"""What the static views say, held against what the trace says."""

import base64
import json
import math
import re
from collections import Counter
from io import StringIO
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from playground.trace.records import NAME_SHIFT, Flag, Kind
from playground.trace.states import State, spans
from playground.trace.trace import Trace, from_tuples
from playground.views import html, lives, perfetto, static, svg, terminal, wire
from playground.views.look import percent, seconds
from playground.views.summary import percentile, picture
from tests.trace.example import example_trace
from tests.views.traces import START, killed, loop, probed, restaurant, truck

NAME = "{http://www.w3.org/2000/svg}"


def words(text):
    return [element.text for element in ElementTree.fromstring(text).iter(f"{NAME}text")]


def printed(trace, width=100, **options):
    out = StringIO()
    Console(file=out, width=width, **options).print(terminal.render(trace))
    return out.getvalue()


# The numbers


def test_the_numbers_tell_answers_errors_and_silence_apart():
    numbers = picture(example_trace()).numbers()
    assert (numbers["total"], numbers["served"], numbers["errors"]) == (6, 4, 1)
    assert numbers["failed"] == 0
    assert numbers["max_s"] == pytest.approx(0.5)


def test_a_request_without_an_answer_failed_and_is_in_no_latency():
    trace = restaurant(3, 1)
    lost = (trace.records["kind"] == Kind.CLIENT) & (trace.records["request"] == 3)
    trace.records["flags"][lost] = Flag.ERROR
    shown = picture(trace)
    assert shown.numbers()["failed"] == 1
    assert len(shown.latencies()) == 2


def test_percentiles_are_values_that_occurred():
    values = [float(n) for n in range(1, 21)]
    assert [percentile(values, q) for q in (0.5, 0.95, 1.0)] == [10.0, 19.0, 20.0]
    assert np.isnan(percentile([], 0.5))


def test_the_share_of_the_processor_is_unknown_unless_known_for_every_request():
    (worker,) = picture(restaurant(2, 1)).workers
    assert worker.cpu_s == pytest.approx(0.06)
    partly = restaurant(2, 1)
    partly.requests[2] = type(partly.requests[2])("GET /slow", 200)
    assert picture(partly).workers[0].cpu_s is None


def test_as_of_a_moment_nothing_later_is_counted():
    shown = picture(restaurant(), START + 500_000)
    assert shown.end_s == pytest.approx(0.4999)  # zero is the first intended send
    assert shown.numbers()["served"] == 0


def test_probes_are_counted_apart():
    numbers = picture(probed(3, 8)).numbers()
    assert (numbers["total"], numbers["served"], numbers["probes"]) == (3, 3, 8)
    assert numbers["max_s"] == pytest.approx(0.9, abs=0.02)
    assert numbers["probe_max_s"] == pytest.approx(0.21, abs=0.02)
    assert [one.number for one in picture(probed(3, 2)).guests] == [1, 2, 3]


def test_a_lost_probe_is_told_and_in_no_number_of_the_run():
    trace = probed(2, 3)
    lost = (trace.records["kind"] == Kind.CLIENT) & (trace.records["request"] == 4)
    trace.records["flags"][lost] = Flag.ERROR
    numbers = picture(trace).numbers()
    assert (numbers["failed"], numbers["probes_failed"]) == (0, 1)
    heading = "probe GET /health, 1 of 3 without an answer"
    assert heading in words(svg.render(trace))
    assert heading in printed(trace)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0 s"), (12.34, "12.3 s"), (1.234, "1.23 s"), (0.72, "720 ms"), (2.5e-3, "2.5 ms")],
)
def test_times_have_the_unit_that_reads_best(value, said):
    assert seconds(value) == said
    assert seconds(43e-6) == "43 µs"
    assert percent(1, 250) == "0.4 %"


# SVG


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
@pytest.mark.parametrize("trace", [restaurant(), restaurant(200, 8), loop(), example_trace()])
def test_svg_has_inline_attributes_only(trace, theme):
    root = ElementTree.fromstring(svg.render(trace, theme=theme))
    names = {element.tag.removeprefix(NAME) for element in root.iter()}
    assert names <= {"svg", "path", "rect", "text"}
    assert not any(
        "style" in element.attrib or "class" in element.attrib for element in root.iter()
    )


def test_svg_says_how_long_each_request_took_and_what_went_wrong():
    said = words(svg.render(example_trace()))
    assert {"#1", "320 ms", "✕ 350 ms · 500", "open", "#2 occupied, 99 % CPU"} <= set(said)
    assert "simulated · 17 records dropped · " in "".join(
        words(svg.render(restaurant(simulated=True, dropped=17)))
    )


def test_svg_draws_each_state_with_a_texture_of_its_own():
    def marks(trace):
        root = ElementTree.fromstring(svg.render(trace))
        return {
            (path.get("stroke-dasharray") is not None, path.get("transform"))
            for path in root.iter(f"{NAME}path")
        }

    assert (True, None) in marks(restaurant())  # dots
    assert (True, "skewX(-45)") in marks(restaurant())  # stripes
    assert (True, "skewX(45)") in marks(loop())  # cross-hatch
    assert (True, "skewX(45)") not in marks(restaurant())


def test_svg_stays_small_and_many_requests_become_bars():
    said = words(svg.render(restaurant(1000, 8, wait_s=0.1)))
    assert "#1 – #50" in said
    assert "#37" not in said
    assert len(svg.render(restaurant(1000, 8, wait_s=0.1))) < 150_000


def test_svg_shows_probes_under_a_heading_of_their_own_in_the_colour_of_the_text():
    text = svg.render(probed(3, 4), theme="light")
    said = words(text)
    assert said.index("#3") < said.index("probe GET /health") < said.index("p1") < said.index("p4")
    assert "#4" not in said
    assert said[said.index("slowest probe") - 1] == "207 ms"
    colors = {
        element.text: element.get("fill")
        for element in ElementTree.fromstring(text).iter(f"{NAME}text")
    }
    assert colors["p1"] == "#1d1d24"
    assert "p1" not in words(svg.render(restaurant()))


def test_svg_joins_many_probes_and_keeps_the_few_requests():
    said = words(svg.render(probed(3, 60, every_s=0.015)))
    assert {"#1", "#2", "#3", "p1 – p10"} <= set(said)
    assert "p7" not in said


@pytest.mark.parametrize("width", [320, 420, 640, 960])
def test_svg_keeps_a_long_title_and_command_apart_from_the_numbers(width):
    title = "16 × GET /slow?s=0.25, 8 × GET /pool-cpu?ms=100 on gunicorn-gthread " * 3
    command = f"python -m gunicorn --workers 4 {'--threads 4 ' * 20}app:app"
    trace = restaurant(4, 2, failed=(1,), title=title, command=command)
    root = ElementTree.fromstring(svg.render(trace, width=width))
    placed = [(one.text, float(one.get("x")), one) for one in root.iter(f"{NAME}text")]
    numbers = {x: float(one.get("y")) for text, x, one in placed if one.get("font-size") == "16"}
    lines = [
        one for _, _, one in placed if one.get("font-size") == "17" or "font-family" in one.attrib
    ]
    assert len(lines) == 4
    assert lines[1].text.endswith(" …")
    assert lines[3].text.endswith(" …")
    for line in lines:
        letter = 10.2 if line.get("font-size") == "17" else 7.3
        reach, y = float(line.get("x")) + len(line.text) * letter, float(line.get("y"))
        assert reach <= width
        beside = [x for x, at in numbers.items() if at - 16 <= y <= at + 24]
        assert not beside or reach <= min(beside) - 50
    assert title in root.get("aria-label")


def test_several_traces_share_one_scale():
    text = svg.render_all([restaurant(8, 2), restaurant(8, 4)], ["two", "four"])
    said = words(text)
    assert Counter(said)["3 s"] == 2  # both axes reach as far as the longer run
    assert {"two", "four"} <= set(said)


def test_svg_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match="use 'light', 'dark' or 'auto'"):
        svg.render(restaurant(), theme="pink")
    with pytest.raises(ValueError, match="320 is the least"):
        svg.render(restaurant(), width=100)


def test_empty_traces_are_drawn_empty():
    empty = restaurant(0, 1)
    assert "0 of 0" in words(svg.render(empty))
    assert "0 of 0" in printed(empty)


# Terminal


def test_the_terminal_shows_probes_apart():
    said = printed(probed(3, 12, every_s=0.07))
    assert "probe GET /health" in said
    assert " p1 " in said
    assert "+ 2 more probes" in said
    assert " #4 " not in said
    assert "3 of 3" in said
    assert "slowest probe" in said


@pytest.mark.parametrize("width", [50, 80, 140])
def test_terminal_fits_the_width(width):
    for trace in (restaurant(), loop(), example_trace()):
        assert max(len(line.rstrip()) for line in printed(trace, width).splitlines()) <= width


def test_terminal_tells_states_apart_without_colour():
    text = printed(loop(), color_system=None)
    assert "\x1b" not in text
    lane = next(line for line in text.splitlines() if " #4 " in line)
    assert re.search(r"·+█*╱+█+", lane)
    loop_lane = next(line for line in text.splitlines() if "loop 1" in line)
    assert "╱" not in loop_lane  # what waits is not on the loop


def test_terminal_falls_back_to_ascii():
    console = Console(file=StringIO(), width=80)
    console.options.encoding = "ascii"
    options = console.options.update()
    options.encoding = "ascii"
    lines = console.render_lines(terminal.render(restaurant()), options)
    text = "".join(segment.text for line in lines for segment in line)
    assert "///" in text
    assert "╱" not in text


def test_a_loop_is_held_and_not_busy_and_its_lag_is_told():
    said = words(svg.render(truck()))
    assert {"lag", "longest 380 ms", "held 20 %"} <= set(said)
    assert not any("busy" in one for one in said if one.startswith("held"))
    text = printed(truck(), color_system=None)
    assert "held 20 %" in next(line for line in text.splitlines() if "loop 1" in line)
    assert "380 ms" in text
    assert "longest lag" not in printed(loop())


# The static twin and the page


def test_the_static_twin_carries_its_key_a_picture_and_words():
    twin = static.bundle([restaurant()], key="abc123", note="A <note>")
    page = twin["text/html"]
    assert 'data-playground-static="abc123"' in page
    assert "A &lt;note&gt;" in page
    image = re.search(r'base64,([^"]+)"', page)
    ElementTree.fromstring(base64.b64decode(image[1]))
    assert "8 of 8" in twin["text/plain"]
    assert "<script" not in page


def test_the_page_contains_all_it_needs():
    text = html.page(restaurant(title="A & B"))
    assert "<title>A &amp; B</title>" in text
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)
    data = re.search(r'id="trace">([^<]+)<', text)
    head, _, rows = base64.b64decode(data[1]).partition(b"\n")
    (run,) = json.loads(head)["runs"]
    assert len(rows) == run["count"] * 24


# The processes


SAID = [
    "500 ms: kill -9 to worker 1 · 417",
    "504 ms: worker 1 · 417 ended",
    "700 ms: worker 3 · 431 began",
]


def test_svg_shows_the_signal_the_end_and_who_came():
    said = words(svg.render(killed(), theme="light"))
    assert said.count("kill -9") == 1
    assert "ended: kill -9" in said
    assert [word for word in said if re.fullmatch(r".+ · \d+", word)] == [
        *("parent · 416", "worker 1 · 417", "worker 2 · 418", "worker 3 · 431")
    ]
    assert "12 % CPU · 31 MiB · 1 restart" in said
    assert "kill -9" not in svg.render(restaurant())


def test_the_terminal_shows_the_processes_and_what_happened_in_its_order():
    text = printed(killed(), 110)
    lines = text.splitlines()
    assert [line.strip() for line in lines if "ms: " in line] == SAID
    row = next(line for line in lines if "w1 · 417" in line)
    assert row.index("✕") < row.index("ended: kill -9")
    later = next(line for line in lines if "w3 · 431" in line)
    assert later.index("─") >= row.index("✕")
    assert "416" not in printed(restaurant(), 110)


def test_as_of_a_moment_nobody_has_come_yet():
    shown = picture(killed(), START + 600_000)
    assert lives.sentences(shown) == SAID[:2]
    assert [life.pid for life in lives.lives(shown)] == [416, 417, 418]
    shown = picture(killed(), START + 400_000)
    assert lives.sentences(shown) == []
    assert [life.ended_s for life in lives.lives(shown)] == [math.inf] * 3


def test_of_many_processes_the_first_and_the_last_are_drawn():
    trace = killed()
    more = [{**trace.meta["processes"][1], "pid": 500 + i} for i in range(40)]
    trace.meta["processes"] += more
    pids = [life.pid for life in lives.lives(picture(trace))]
    assert pids == [416, *range(529, 540)]


def test_gauges_do_not_make_a_picture_longer():
    trace = killed()
    rows = [tuple(row) for row in trace.records]
    later = Trace(from_tuples([*rows, (START + 60e6, 1.0, 0, 10, Kind.GAUGE, 0)]), trace.lanes)
    assert picture(later).end_s == picture(trace).end_s < 10


# The wire


def test_a_message_holds_the_states_and_the_clients_clock():
    trace = example_trace()
    head, _, rows = wire.pack([wire.whole(trace)]).partition(b"\n")
    told = np.frombuffer(rows, trace.records.dtype)
    (run,) = json.loads(head)["runs"]
    assert told[told["kind"] <= State.SERVED].tobytes() == spans(trace).tobytes()
    assert (told["kind"] == wire.CLIENT_ROW).sum() == 6
    assert run["requests"]["3"] == ["GET /crash", 500, "RuntimeError: broken on purpose", 1000.0]
    assert run["end_us"] - run["t0_us"] == 503_000


# Perfetto


def test_perfetto_pairs_begin_and_end_and_names_every_place():
    events = perfetto.export(example_trace())["traceEvents"]
    assert all({"ph", "pid", "tid"} <= event.keys() for event in events)
    assert all(event["ts"] >= 0 for event in events if event["ph"] != "M")
    begun = Counter((e["id"], e["name"]) for e in events if e["ph"] == "b")
    ended = Counter((e["id"], e["name"]) for e in events if e["ph"] == "e")
    assert begun == ended
    named = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name"}
    assert {(e["pid"], e["tid"]) for e in events if e["ph"] == "X"} <= named


def test_perfetto_names_what_a_request_waits_for():
    trace = truck()
    trace.meta["awaits"] = ["", "sleep"]
    trace.records["flags"][trace.records["kind"] == Kind.AWAIT] |= 1 << NAME_SHIFT
    events = perfetto.export(trace)["traceEvents"]
    waits = [e for e in events if e["name"] == "waiting" and e["ph"] == "b"]
    assert {e["args"]["awaits"] for e in waits} == {"sleep"}
    assert not any("awaits" in e.get("args", {}) for e in events if e["name"] == "running")


def test_perfetto_puts_work_on_the_real_threads_and_arrows_from_the_client():
    events = perfetto.export(restaurant())["traceEvents"]
    work = [e for e in events if e["ph"] == "X" and e["tid"] == 417]
    assert [e["name"].split()[0] for e in work] == ["#1", "#3", "#5", "#7"]
    starts = [e for e in events if e["ph"] == "s"]
    ends = [e for e in events if e["ph"] == "f"]
    assert {e["id"] for e in starts} == {e["id"] for e in ends} == set(range(1, 9))
    assert {e["tid"] for e in starts} == {100}


def test_perfetto_marks_signals_and_the_lives_of_processes():
    events = perfetto.export(killed())["traceEvents"]
    marks = [(e["ts"], e["name"]) for e in events if e["ph"] == "i" and e["s"] == "g"]
    assert marks == [
        (499_900.0, "kill -9: pid 417"),
        (503_900.0, "process ended: pid 417"),
        (699_900.0, "process began: pid 431"),
    ]


def test_perfetto_steps_of_a_loop_do_not_overlap():
    events = perfetto.export(loop())["traceEvents"]
    steps = sorted(
        (e["ts"], e["ts"] + e["dur"]) for e in events if e["ph"] == "X" and e["tid"] == 417
    )
    assert len(steps) == 17  # two a request, and one pause
    assert all(a[1] <= b[0] + 0.01 for a, b in pairwise(steps))
    json.dumps(events)


def test_open_spans_reach_the_end_and_say_that_they_are_open():
    events = perfetto.export(example_trace())["traceEvents"]
    still = [e for e in events if e.get("args", {}).get("open") and e["ph"] == "X"]
    assert {e["args"]["request"] for e in still} == {5, 6}
    assert {e["ts"] + e["dur"] for e in still} == {503_000.0}


def test_states_of_the_views_are_those_of_the_trace():
    trace = restaurant()
    drawn = Counter(int(k) for r in picture(trace).requests for k in r.spans["kind"])
    assert drawn == Counter(spans(trace)["kind"].tolist())
    assert State.QUEUED in drawn


def test_what_went_wrong_stands_below_every_static_picture():
    trace = restaurant(3, failed=(1, 3))
    said = "2 requests: RuntimeError: broken on purpose"
    assert f"✕ {said}" in words(svg.render(trace))
    assert said in static.text([trace])
    assert "broken on purpose" not in static.text([restaurant(3)])
