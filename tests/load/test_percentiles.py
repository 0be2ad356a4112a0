"""Percentiles as curves and tables, runs that are opened again, and servers that take turns."""

import csv
import json
import re
import xml.etree.ElementTree as ET

import pytest

from playground import (
    ServeError,
    Trace,
    burst,
    compare,
    interleaved,
    load,
    percentiles,
    reopen,
    serve,
)
from playground.load import files
from playground.load import interleaved as turns
from playground.load import percentiles as drawing
from playground.load.client import Reply
from playground.load.outcome import COLUMNS, Outcome, numbered
from playground.load.run import Run
from playground.trace.trace import from_tuples
from playground.views.look import THEMES


def some(name, latencies, failed=0, notes=()):
    replies = [Reply(200, {}, b"", value, intended_s=place) for place, value in latencies]
    replies += [Reply(None, {}, b"", 9.0, "refused, they say")] * failed
    return Outcome(name, replies, 2.0, notes)


def hundred(name, size=1.0, **more):
    return some(name, [(place, size * place / 100) for place in range(100, 0, -1)], **more)


def run_of(latencies, **meta):
    return Run(Trace(from_tuples([]), meta=meta), [Reply(200, {}, b"", one) for one in latencies])


def test_the_curve_is_a_staircase_of_measured_values():
    assert drawing.curve([1.0, 2.0, 3.0, 4.0]) == [(1.0, 1.0), (4 / 3, 2.0), (2.0, 3.0), (4.0, 4.0)]
    assert drawing.curve([]) == []
    assert drawing.curve([7.0]) == [(1.0, 7.0)]
    many = drawing.curve([place / 1e4 for place in range(10_000)])
    assert len(many) <= drawing.STEPS + 1
    assert many[-1] == (10_000.0, 0.9999), "the slowest is never left out"


def test_the_curve_says_what_the_table_says():
    one = hundred("a")
    corners = drawing.curve(one.latencies)
    for percent in (50, 90, 95, 99):
        at = 100 / (100 - percent) - 1e-9
        assert [value for x, value in corners if x <= at][-1] == one.rank(percent)
    assert one.cells() == ["100 of 100", "50", "500 ms", "900 ms", "950 ms", "990 ms", "1.00 s"]


def test_requests_without_an_answer_are_in_no_percentile_and_are_counted():
    one = hundred("a", failed=3)
    assert one.served == "100 of 103"
    assert one.rank(100) == 1.0
    assert some("none", [], failed=2).cells() == ["0 of 2", "0", *["–"] * 5]


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_the_chart_is_drawn_without_a_browser(theme):
    curves = drawing.Percentiles([hundred("sync"), hundred("threads", 0.5)])
    svg = curves.to_svg(theme)
    words = "".join(ET.fromstring(svg).itertext())
    for word in ("sync", "threads", "50", "90", "99", "percentile", "intended send"):
        assert word in words
    for color in THEMES[theme].colors[:2]:
        assert color in svg
    assert ("currentColor" in svg) == (theme == "auto")
    assert drawing.HERE not in svg
    assert not re.search(r"<(style|script|defs|image)", svg), "it may stand in any page"


def test_every_curve_has_a_dash_of_its_own_besides_its_colour():
    names = ["a", "b", "c", "d"]
    spec = drawing.specification([hundred(name) for name in names], THEMES["light"])
    for channel in ("color", "strokeDash"):
        values = spec["encoding"][channel]["scale"]["range"]
        assert len({json.dumps(value) for value in values}) == 4


def test_a_chart_of_no_answers_at_all_is_drawn_too():
    assert "<svg" in drawing.Percentiles([some("none", [], failed=2)]).to_svg()


def test_a_chart_becomes_files(tmp_path):
    curves = drawing.Percentiles([hundred("a"), some("b", [(0, 0.5)], failed=1)])
    png = curves.to_png(tmp_path / "a.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert png != curves.to_png(tmp_path / "b.png", theme="dark").read_bytes()
    page = curves.to_html(tmp_path / "a.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>Percentiles of a, b</title>" in page
    (tmp_path / "a.html").unlink()
    rows = list(csv.DictReader(curves.to_csv(tmp_path / "a.csv").open()))
    assert len(rows) == 102
    assert rows[0]["latency_s"] == "1.000000"
    assert (rows[0]["run"], rows[0]["request"], rows[0]["status"]) == ("a", "1", "200")
    assert (rows[-1]["run"], rows[-1]["error"]) == ("b", "refused, they say")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.csv", "a.png", "b.png"]


def test_a_file_that_cannot_be_written_is_a_sentence_and_leaves_no_part(tmp_path, monkeypatch):
    def full(self, data):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.Path, "write_bytes", full)
    with pytest.raises(ServeError, match=r"Cannot write .*a.csv \(No space left on device\)"):
        drawing.Percentiles([hundred("a")]).to_csv(tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_library_is_a_sentence(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ServeError, match="vl-convert-python, which is not installed here"):
        drawing.Percentiles([hundred("a")]).to_svg()


def test_what_to_know_stands_below_the_table():
    few = drawing.Percentiles([some("a", [(0, 0.5), (1, 0.7)], notes=("It was late.",))])
    assert few.notes()[0] == "It was late."
    assert "With 2 answers the 99th percentile is the slowest" in few.to_text()
    two = drawing.Percentiles([hundred("a"), hundred("b", notes=("It was late.",))])
    assert two.notes() == ["b: It was late."]
    both = drawing.Percentiles([hundred("a", notes=("Closed.",)), hundred("b", notes=("Closed.",))])
    assert both.notes() == ["Closed."]
    page = two._repr_mimebundle_()["text/html"]
    assert "b: It was late." in page
    for column in COLUMNS:
        assert f">{column}</th>" in page


def test_runs_are_named_by_what_tells_them_apart():
    def names(*runs, **more):
        return [one.name for one in percentiles(*runs, **more).outcomes]

    one, other = run_of([1.0], setup="waitress", title="A"), run_of([2.0], setup="uvicorn")
    assert names(one, other) == ["waitress", "uvicorn"]
    assert names(one, one) == ["A", "A (2)"]
    assert names(one, titles=["mine"]) == ["mine"]
    assert numbered(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]


@pytest.mark.parametrize(
    ("runs", "more", "words"),
    [
        ([], {}, "From 1 to 4 runs can be told apart in one picture, not 0"),
        ([run_of([1.0])] * 5, {}, "not 5"),
        ([7], {}, "7 is no run"),
        ([run_of([1.0])], {"titles": []}, "one title for each of the 1 runs"),
    ],
)
def test_what_cannot_be_drawn_is_refused(runs, more, words):
    with pytest.raises(ServeError, match=words):
        percentiles(*runs, **more)


def test_more_than_four_are_not_compared():
    with pytest.raises(ServeError, match="From 1 to 4 runs"):
        compare(*[run_of([1.0])] * 5)


@pytest.fixture(scope="module")
def two():
    with serve("minimal-wsgi", "slow") as one, serve("minimal-asgi", "slow") as other:
        yield [one, other]


def test_a_saved_load_is_opened_again_as_the_run_it_was(two, tmp_path, capsys):
    run = load(two[0], "/?s=0.01", arrivals="steady", rate=50, n=5, show=False)
    again = reopen(run.save(tmp_path / "a.trace"))
    before, after = run.summary(), again.summary()
    assert after.pop("wall_s") == pytest.approx(before.pop("wall_s"), abs=1e-5)
    assert before.pop("throughput_rps") == pytest.approx(after.pop("throughput_rps"), rel=1e-3)
    for name in ("p50_s", "p90_s", "p95_s", "p99_s", "max_s"):
        assert before.pop(name) == pytest.approx(after.pop(name), abs=1e-5)
    assert before == after
    for mine, its in zip(run.replies, again.replies, strict=True):
        for name in ("intended_s", "sent_s", "answer_s", "latency_s"):
            assert getattr(mine, name) == pytest.approx(getattr(its, name), abs=1e-5), name
    compare(run, again)
    said = capsys.readouterr().out
    assert "per s " in said, "loads are overlaid"
    assert said.count("0 s") >= 2, "and stacked"


def test_a_saved_burst_keeps_its_probes_and_its_errors_apart(tmp_path, two):
    run = burst(two[0], 2, "/?s=0.3", timeout=0.15, probe="/health", every=0.05, show=False)
    again = reopen(run.save(tmp_path / "a.trace"))
    assert len(again.replies) == 2
    assert len(again.probe) == len(run.probe) > 0
    assert [reply.error for reply in again.replies] == [reply.error for reply in run.replies]
    assert again.summary()["failed"] == 2


def test_servers_take_turns_and_are_told_as_ratios(two, monkeypatch):
    asked = []
    real = turns.load

    def noted(server, *rest, **more):
        asked.append((server.name, more["seed"]))
        return real(server, *rest, **more)

    monkeypatch.setattr(turns, "load", noted)
    parts = []
    found = interleaved(two, "/?s=0.02", rounds=2, rate=50, n=4, seed=5, progress=parts.append)
    assert asked == [
        *[("minimal-wsgi", 5), ("minimal-asgi", 5)],
        *[("minimal-asgi", 6), ("minimal-wsgi", 6)],
    ], "who begins changes; in a round the moments are the same"
    assert [one.served for one in found.outcomes] == ["8 of 8", "8 of 8"]
    told = json.loads(json.dumps(found.summary()))
    assert (told["rounds"], told["to"]) == (2, "minimal-wsgi")
    first, second = told["servers"]
    assert first["ratios"]["p50_s"] == {"median": 1.0, "min": 1.0, "max": 1.0}
    each = [
        mine.summary()["p50_s"] / its.summary()["p50_s"]
        for its, mine in zip(*found.runs, strict=True)
    ]
    ratio = second["ratios"]["p50_s"]
    assert (ratio["min"], ratio["max"]) == (min(each), max(each))
    assert ratio["median"] == pytest.approx(sum(each) / 2)
    assert parts == sorted(parts)
    assert "minimal-asgi" in found.to_text()
    assert "times minimal-wsgi" in found.to_text()
    assert "times minimal-wsgi" in found._repr_mimebundle_()["text/html"]
    assert "2 rounds in turn" in repr(found)


def test_rounds_in_which_the_client_was_late_are_told_in_one_sentence():
    late = {"client_bottleneck": True, "arrivals": {"arrivals": "closed"}}
    fine = run_of([1.0], arrivals={"arrivals": "closed"})
    runs = [run_of([1.0], client_lag_us=lag, **late) for lag in (8000.0, 30_000.0)]
    first, second = turns.Comparison("/", ["a", "b"], [[*runs, fine], [fine] * 3]).outcomes
    assert "In 2 of 3 rounds the client itself was late, up to 30 ms" in first.notes[0]
    assert first.notes[1:] == second.notes
    assert "sends again when it is answered" in second.notes[0]


def test_a_server_without_an_answer_has_no_ratio():
    quick, none = run_of([1.0, 2.0]), Run(Trace(from_tuples([])), [Reply(None, {}, b"", 1.0, "no")])
    found = turns.Comparison("/", ["a", "b"], [[quick, quick], [quick, none]])
    assert found.ratios()[1]["p50_s"] is None
    assert "–" in found.to_text()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"rounds": 0}, "rounds= is a whole number from 1 to 50"),
        ({"show": True}, "leave out show="),
        ({"titles": ["a"]}, "one title for each of the 2 servers"),
        ({"arrivals": "x"}, "There are no arrivals 'x'"),
        ({"seed": "1"}, "seed= is a whole number"),
    ],
)
def test_rounds_that_make_no_sense_are_refused(two, more, words):
    with pytest.raises(ServeError, match=words):
        interleaved(two, **more)


def test_from_one_to_four_servers_take_turns():
    with pytest.raises(ServeError, match="From 1 to 4 servers"):
        interleaved([])
    with pytest.raises(ServeError, match="is not a server"):
        interleaved(["waitress"])


def test_one_round_has_no_spread_and_says_so():
    runs = [[run_of([0.1])], [run_of([0.2])]]
    assert "Ratios of one round" in turns.Comparison("/", ["a", "b"], runs).to_text()
    twice = [one * 2 for one in runs]
    assert "the median of 2 rounds" in turns.Comparison("/", ["a", "b"], twice).to_text()
