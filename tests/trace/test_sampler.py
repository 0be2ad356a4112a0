import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from playground.trace import sampler
from playground.trace.collector import Collector
from playground.trace.records import NOBODY, Flag, Kind, make_traceparent
from playground.trace.sampler import AWAIT, LATE_US, READY, STEP, UNKNOWN, Sampler, Seen, kind_of
from playground.trace.states import State, spans
from playground.trace.trace import Trace, from_tuples
from tests.trace.conftest import TRACE_ID

needs_proc = pytest.mark.skipif(not sampler.SUPPORTED, reason="this system has no schedstat")

SERVING = """
import os, sys, threading, time
from playground.trace.sender import Sender
from playground.trace.wsgi import TracedWSGI

def held(place):
    return not os.path.exists(sys.argv[2] + place)

def app(environ, start_response):
    place = environ["PATH_INFO"]
    while place == "/sleep" and held(place):
        time.sleep(0.1)
    end = time.thread_time() + 0.1
    while place == "/compute" and (held(place) or time.thread_time() < end):
        sum(range(1000))
    start_response("200 OK", [])
    return [b""]

traced = TracedWSGI(app, Sender(sys.argv[1]), cpu=True)
for line in sys.stdin:
    traceparent, path = line.split()
    environ = {"PATH_INFO": path, "HTTP_TRACEPARENT": traceparent}
    traced(environ, lambda *_: None).close()
"""


def test_the_kinds_are_those_of_the_records():
    assert (STEP, AWAIT, READY) == (Kind.STEP, Kind.AWAIT, Kind.READY)


@pytest.mark.parametrize(
    ("length", "ran", "queued", "kind"),
    [
        (4000, 4000, 0, STEP),
        (4000, 0, 0, AWAIT),
        (4000, 1900, 0, AWAIT),
        (4000, 1000, 3000, READY),
        (4000, 3000, 1000, STEP),
        (4000, 7000, 0, STEP),  # counted late
        (4000, 10, 9000, READY),
        (LATE_US + 1000, LATE_US, 0, STEP),
        (LATE_US * 2, LATE_US, 0, UNKNOWN),  # the sampler was late: half is no evidence
        (LATE_US * 2, LATE_US / 2, LATE_US / 2, UNKNOWN),
        (LATE_US * 2, 100, 0, AWAIT),
    ],
)
def test_a_window_is_what_the_thread_was_for_most_of_it(length, ran, queued, kind):
    assert kind_of(length, ran, queued) == kind


class Told(Sampler):
    """A sampler that keeps its parts, and reads what it is told."""

    def __init__(self):
        self._unsent = []
        self.seen = Seen(-1, 0.0, 0.0, 0.0)

    def window(self, now, ran, queued):
        seen = self.seen
        self._window((1, 2), seen, now, seen.on_processor + ran, seen.on_queue + queued)

    def parts(self):
        told = [sampler.PART.unpack(part)[2:] for part in self._unsent]
        return [(kind, begun, length) for begun, length, kind in told if length == length]


def test_a_wait_for_a_processor_that_is_counted_late_ends_what_looked_like_sleep():
    told = Told()
    told.window(4000, 4000, 0)
    told.window(8000, 0, 0)
    told.window(12000, 0, 0)
    told.window(16000, 0, 0)
    told.window(20000, 1000, 9000)
    told.window(24000, 0, 0)
    assert told.parts() == [
        (STEP, 0, 4000),
        (AWAIT, 4000, 6000),
        (READY, 10000, 10000),
    ]


def test_equal_windows_are_one_part():
    told = Told()
    for now in range(4000, 40_001, 4000):
        told.window(now, 4000, 0)
    told.window(44_000, 0, 0)
    assert told.parts() == [(STEP, 0, 40_000)]


def states(*rows, requests=()):
    found = spans(Trace(from_tuples(rows), requests=dict(requests)))
    return [(row["request"], State(row["kind"]), row["t_us"], row["dur_us"]) for row in found]


def test_parts_of_a_lane_are_cut_to_the_services_on_it():
    seen = Flag.SAMPLED
    assert states(
        (10_000, 20_000, 1, 1, Kind.WORKER, 0),
        (50_000, np.nan, 2, 1, Kind.WORKER, 0),
        (10_000, 20_000, 3, 2, Kind.WORKER, 0),
        (0, 20_000, NOBODY, 1, Kind.AWAIT, seen),
        (20_000, 40_000, NOBODY, 1, Kind.STEP, seen),
        (60_000, np.nan, NOBODY, 1, Kind.READY, seen),
    ) == [
        (1, State.WAITING, 10_000, 10_000),
        (3, State.SERVED, 10_000, 20_000),
        (1, State.RUNNING, 20_000, 10_000),
        (2, State.RUNNING, 50_000, 10_000),
        (2, State.READY, 60_000, pytest.approx(np.nan, nan_ok=True)),
    ]


def test_a_sliver_of_a_window_says_nothing_about_the_service():
    assert states(
        (10_000, 20_000, 1, 1, Kind.WORKER, 0),
        (0, 12_000, NOBODY, 1, Kind.AWAIT, Flag.SAMPLED),
        (12_000, 15_000, NOBODY, 1, Kind.STEP, Flag.SAMPLED),
        (27_000, np.nan, NOBODY, 1, Kind.AWAIT, Flag.SAMPLED),
    ) == [
        (1, State.SERVED, 10_000, 2_000),
        (1, State.RUNNING, 12_000, 15_000),
        (1, State.SERVED, 27_000, 3_000),
    ]


@pytest.mark.parametrize(
    ("cpu_us", "state"), [(900.0, State.RUNNING), (100.0, State.WAITING), (None, State.SERVED)]
)
def test_a_short_service_is_judged_by_its_processor_time(cpu_us, state):
    from playground.trace.trace import RequestInfo

    assert states(
        (500, 1000, 1, 1, Kind.WORKER, 0),
        (0, np.nan, NOBODY, 1, Kind.AWAIT, Flag.SAMPLED),
        requests={1: RequestInfo("GET /", cpu_us=cpu_us)}.items(),
    ) == [(1, state, 500, 1000)]


@pytest.fixture
def watched(tmp_path):
    """A collector with a sampler, and a way to let another process serve one path after another.

    ``/sleep`` and ``/compute`` go on until ``release`` is called with that path.
    """
    with Collector(sample=True) as collector:
        collector.begin(TRACE_ID)
        process = subprocess.Popen(
            [sys.executable, "-c", SERVING, collector.path, str(tmp_path)],
            stdin=subprocess.PIPE,
            text=True,
        )

        def ask(*paths):
            for number, path in enumerate(paths, 1):
                process.stdin.write(f"{make_traceparent(TRACE_ID, number)} {path}\n")
            process.stdin.flush()
            return collector

        ask.release = lambda path: (tmp_path / path[1:]).touch()
        yield ask
        process.stdin.close()
        for path in ("/sleep", "/compute"):
            ask.release(path)
        process.wait(10)


def times(trace, request):
    """How long it was in each state (µs), as far as that is over."""
    found = spans(trace)
    mine = found[(found["request"] == request) & ~np.isnan(found["dur_us"])]
    return {state: mine["dur_us"][mine["kind"] == state].sum() for state in State}


def seen(collector, request, state):
    found = spans(collector.snapshot())
    return ((found["request"] == request) & (found["kind"] == state)).any()


def is_open(collector, request, state):
    found = spans(collector.snapshot())
    mine = found[(found["request"] == request) & (found["kind"] == state)]
    return np.isnan(mine["dur_us"]).any()


@needs_proc
def test_a_sleeping_app_waits_and_a_computing_one_runs(watched, until):
    collector = watched("/quick", "/sleep", "/compute")
    until(lambda: is_open(collector, 2, State.WAITING), "a sleeping app that is seen to wait")
    watched.release("/sleep")
    until(lambda: seen(collector, 3, State.RUNNING), "a computing app that is seen to run")
    watched.release("/compute")
    until(lambda: 3 in collector.infos() and collector.infos()[3].status, "the last answer")
    trace = collector.snapshot()
    sleeping, computing = times(trace, 2), times(trace, 3)
    # a window is all one state: it may be more than what it ran, at both ends
    assert sleeping[State.RUNNING] <= trace.requests[2].cpu_us + 2 * LATE_US
    waited = computing[State.WAITING] / sum(computing.values())
    assert waited < 0.3, "a thread that wants a processor is not asleep"
    assert trace.requests[3].cpu_us >= 100_000 > trace.requests[2].cpu_us


@needs_proc
def test_a_state_is_seen_while_it_lasts(watched, until):
    collector = watched("/quick", "/sleep")
    until(lambda: is_open(collector, 2, State.WAITING), "an open WAITING")


@needs_proc
def test_the_sampler_ends_with_its_collector():
    with Collector(sample=True) as collector:
        pid = collector.sampler_pid
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with Collector() as collector:
        assert collector.sampler_pid is None


@needs_proc
def test_the_sampler_sleeps_when_nothing_is_served(watched, until):
    collector = watched("/quick")
    place = f"/proc/{collector.sampler_pid}/schedstat"

    def turns():
        with open(place) as counts:
            return int(counts.read().split()[2])

    def asleep():
        before = turns()
        time.sleep(0.1)
        return turns() == before

    until(asleep, "a tenth of a second without a turn")


def test_a_system_without_schedstat_has_no_sampler(monkeypatch):
    monkeypatch.setattr(sampler, "SUPPORTED", False)
    before = set(threading.enumerate())
    with Collector(sample=True) as collector:
        assert collector.sampler_pid is None
        assert len(set(threading.enumerate()) - before) == 1
