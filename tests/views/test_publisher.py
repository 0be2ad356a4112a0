"""The publisher: what it sends, held against what the collector knows."""

import json
import threading

import numpy as np

from playground.errors import Told
from playground.trace.collector import Collector
from playground.trace.records import NOBODY, OPEN, Flag, Kind, now_us
from playground.trace.states import State, spans
from playground.trace.trace import DTYPE
from playground.views import publisher as publisher_module
from playground.views import wire
from playground.views.publisher import NullHandle, Publisher, live
from playground.views.widget import Timeline, compare
from tests.views.traces import restaurant

RUN = "0" * 24 + "00000001"


class Reader:
    """What the view does with messages: keep what it has, replace what is touched."""

    def __init__(self):
        self.seq = 0
        self.rows = {}
        self.heads = []
        self.asked = 0

    def __call__(self, message):
        head, _, rows = message.partition(b"\n")
        head = json.loads(head)
        (run,) = head["runs"]
        self.heads.append(head)
        if head["base"] and head["base"] != self.seq:
            self.asked += 1
            return
        rows = np.frombuffer(rows, DTYPE)
        if run["touched"] is None:
            self.rows = {}
        for number in run["touched"] or []:
            self.rows.pop(number, None)
        for number in np.unique(rows["request"]):
            self.rows[int(number)] = rows[rows["request"] == number]
        self.seq = head["seq"]

    def states(self):
        if not self.rows:
            return np.empty(0, DTYPE)
        rows = np.concatenate(list(self.rows.values()))
        return np.sort(rows[rows["kind"] <= State.SERVED], order=["t_us", "request"])


def record(collector, number, *, finished):
    start = now_us()
    length = 1000.0 if finished else OPEN
    collector.record(Kind.CLIENT, start, length, number)
    collector.record(Kind.WORKER, start + 200, 500.0 if finished else OPEN, number, 1)
    collector.describe(number, label="GET /slow", status=200 if finished else None)


def test_changes_add_up_to_the_states_of_the_whole(monkeypatch):
    monkeypatch.setattr(publisher_module, "SMALL_RECORDS", 0)
    reader = Reader()
    with Collector({"title": "t", "workers": 1}) as collector:
        collector.begin(RUN)
        publisher = Publisher(collector, reader, 4, None, {})
        publisher.step(1.0)
        for number in (1, 2, 3):
            record(collector, number, finished=number == 2)
            publisher.step(1.0)
        record(collector, 1, finished=True)
        publisher.step(1.0)
        expected = np.sort(spans(collector.snapshot()), order=["t_us", "request"])
    assert reader.asked == 0
    assert [head["base"] == 0 for head in reader.heads] == [True, True, False, False, False]
    assert reader.states().tobytes() == expected.tobytes()


def test_a_view_that_missed_something_gets_the_whole(monkeypatch):
    monkeypatch.setattr(publisher_module, "SMALL_RECORDS", 0)
    reader = Reader()
    with Collector() as collector:
        collector.begin(RUN)
        publisher = Publisher(collector, lambda message: None, 2, None, {})
        record(collector, 1, finished=True)
        publisher.step(1.0)
        publisher._send = reader
        record(collector, 2, finished=True)
        publisher.step(1.0)
        assert reader.asked == 1
        publisher.hello(reader.seq)
        publisher.step(1.0)
        expected = len(spans(collector.snapshot()))
    assert reader.seq == reader.heads[-1]["seq"]
    assert len(reader.states()) == expected > 0


def test_small_runs_are_sent_whole_so_that_no_hello_is_needed():
    reader = Reader()
    with Collector() as collector:
        collector.begin(RUN)
        publisher = Publisher(collector, reader, 2, None, {})
        for number in (1, 2):
            record(collector, number, finished=True)
            publisher.step(1.0)
    assert all(head["base"] == 0 and head["live"] for head in reader.heads)


def test_the_clock_starts_with_the_first_send():
    reader = Reader()
    with Collector() as collector:
        collector.begin(RUN)
        Publisher(collector, reader, 2, None, {}).step(1.0)
    (run,) = reader.heads[0]["runs"]
    assert run["end_us"] == run["t0_us"]
    assert run["expected"] == 2


def test_the_thread_ends_when_told():
    sent = threading.Event()
    with Collector() as collector:
        collector.begin(RUN)
        publisher = Publisher(collector, lambda message: sent.set(), 2, None, {})
        publisher.start()
        assert sent.wait(30)
        publisher.close()
    assert not publisher.is_alive()


def test_outside_of_notebooks_and_terminals_nothing_is_shown(capsys):
    with Collector() as collector:
        handle = live(collector, expected=3)
        handle.finish()
    assert isinstance(handle, NullHandle)
    assert capsys.readouterr() == ("", "")


class Served:
    """Takes signals, as a server does."""

    actions = ("HUP", "kill -9")

    def __init__(self):
        self.got = []

    def act(self, name):
        self.got.append(name)
        if name == "kill -9":
            raise Told("there is no worker now")


def test_a_button_is_a_signal_for_the_server_while_the_run_goes_on(capsys):
    server = Served()
    with Collector() as collector:
        collector.begin(RUN)
        handle = publisher_module.NotebookHandle(collector, server, 1)
        handle.widget._message(None, {"type": "hello"}, [])
        for name in ("HUP", "kill -9", "STOP"):
            handle.widget._message(None, {"type": "act", "name": name}, [])
        assert server.got == ["HUP", "kill -9"]
        handle.finish(restaurant())
        handle.widget._message(None, {"type": "act", "name": "HUP"}, [])
    assert server.got == ["HUP", "kill -9"], "the run was over"
    assert "actions" not in handle.widget.traces[0].meta


def test_gauges_do_not_start_the_clock():
    reader = Reader()
    with Collector() as collector:
        collector.begin(RUN)
        publisher = Publisher(collector, reader, 1, None, {"actions": ["HUP"]})
        collector.record(Kind.GAUGE, now_us() + 1e6, 3.0, NOBODY, collector.gauge(7, "CPU %"))
        publisher.step(1.0)
    (run,) = reader.heads[-1]["runs"]
    assert run["end_us"] == run["t0_us"]
    assert run["actions"] == ["HUP"]


def test_the_widget_stores_the_final_picture():
    widget = Timeline(restaurant())
    head = json.loads(bytes(widget.final).partition(b"\n")[0])
    assert (head["live"], len(head["runs"])) == (False, 1)
    assert len(widget._esm.encode()) <= 96 * 1024  # sent to the browser once for each widget
    pair = compare([restaurant(), restaurant(8, 4)], ["two", "four"])
    runs = json.loads(bytes(pair.final).partition(b"\n")[0])["runs"]
    assert [run["title"] for run in runs] == ["two", "four"]


def test_what_is_known_of_a_lane_reaches_the_requests_on_it(monkeypatch):
    monkeypatch.setattr(publisher_module, "SMALL_RECORDS", 0)
    reader = Reader()
    with Collector() as collector:
        collector.begin(RUN)
        publisher = Publisher(collector, reader, 2, None, {})
        record(collector, 1, finished=False)
        publisher.step(1.0)
        publisher.step(1.0)
        start = collector.snapshot().records["t_us"].max()
        collector.record(Kind.AWAIT, start, OPEN, NOBODY, 1, Flag.SAMPLED)
        publisher.step(1.0)
        assert reader.heads[-1]["runs"][0]["touched"] == [1]
        expected = np.sort(spans(collector.snapshot()), order=["t_us", "request"])
    assert State.WAITING in expected["kind"]
    assert reader.states().tobytes() == expected.tobytes()


def test_of_loops_and_gauges_only_what_is_new_is_sent(monkeypatch):
    monkeypatch.setattr(publisher_module, "SMALL_RECORDS", 0)
    messages = []
    with Collector() as collector:
        collector.begin(RUN)
        publisher = Publisher(collector, messages.append, 2, None, {})
        record(collector, 1, finished=False)
        publisher.step(1.0)
        publisher.step(1.0)
        start = now_us()
        for i in range(3):
            collector.record(Kind.GAUGE, start + i, 100.0 + i, NOBODY, 2)
            publisher.step(1.0)
    values = []
    for message in messages:
        rows = np.frombuffer(message.partition(b"\n")[2], DTYPE)
        values.append(rows["dur_us"][rows["kind"] == wire.AS_THEY_ARE + Kind.GAUGE].tolist())
    assert values[-3:] == [[100.0], [101.0], [102.0]]


def test_the_function_is_not_hidden_by_a_module_of_its_name():
    import playground.views

    assert playground.views.live is live
    assert playground.views.live is live, "the second access, too"
