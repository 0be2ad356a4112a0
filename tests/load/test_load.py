"""Loads over time: when requests are meant to go, from when latency counts, and who was late."""

import subprocess
import sys
import time
from io import StringIO
from itertools import pairwise

import cloudpickle
import numpy as np
import pytest
from rich.console import Console

from playground import ServeError, burst, load, serve
from playground.load import arrivals, paced, punctuality
from playground.load.arrivals import plan
from playground.load.client import Reply
from playground.load.run import Run
from playground.trace.records import Kind
from playground.trace.trace import Trace, from_tuples
from playground.views import terminal


def test_steady_moments_are_a_fixed_clock():
    assert plan("steady", 4, None, rate=8).offsets() == [0.0, 0.125, 0.25, 0.375]
    assert len(plan("steady", None, 1.0, rate=50).offsets()) == 50
    assert plan("together", 3, None).offsets() == [0.0] * 3


def test_poisson_moments_are_those_of_their_seed():
    some = plan("poisson", 5000, None, rate=100, seed=7).offsets()
    assert some == plan("poisson", 5000, None, rate=100, seed=7).offsets()
    assert some != plan("poisson", 5000, None, rate=100, seed=8).offsets()
    gaps = np.diff([0.0, *some])
    assert (gaps > 0).all()
    assert gaps.mean() == pytest.approx(0.01, rel=0.05)
    assert gaps.std() == pytest.approx(0.01, rel=0.05), "exponential: as wide as their mean"


def test_a_plan_ends_with_what_comes_first():
    assert len(plan("steady", 3, 10.0, rate=10).offsets()) == 3
    short = plan("poisson", 1000, 0.5, rate=10, seed=3).offsets()
    assert 0 < len(short) < 20
    assert max(short) < 0.5
    assert (plan("poisson", None, None).seconds, plan("poisson", 3, None).seconds) == (5.0, None)
    assert plan("together", None, None).n == 8


def test_room_is_made_for_what_can_be_open_at_once(hello, monkeypatch):
    assert arrivals.most_within([0.0, 1.0, 2.0, 2.5, 9.0], 1.0) == 2
    assert arrivals.most_within([0.0, 1.0, 2.0, 2.5, 9.0], 1.5) == 3
    assert arrivals.most_within([0.0] * 3, 0.1) == 3
    rooms = []
    monkeypatch.setattr(paced, "make_room", rooms.append)
    load(hello, arrivals="steady", rate=100, n=20, timeout=0.05, show=False)
    load(hello, arrivals="closed", clients=3, n=6, show=False)
    assert rooms == [6, 3]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"arrivals": "posson"}, "Did you mean 'poisson'"),
        ({"arrivals": None}, "There are: closed, poisson, steady, together"),
        ({"rate": 0}, "rate= is a number of requests a second up to 10000, not 0"),
        ({"rate": float("nan")}, "not nan"),
        ({"rate": True}, "not True"),
        ({"n": 0}, "n= is a whole number from 1 to 10000, not 0"),
        ({"n": 2.0}, "not 2.0"),
        ({"seconds": 0}, "seconds= is a number of seconds above 0, not 0"),
        ({"seconds": 601}, "seconds= is at most 600, not 601"),
        ({"clients": 0}, "clients= is a whole number from 1 to 1000"),
        ({"seed": -1}, "seed= is a whole number"),
        ({"arrivals": "together", "seconds": 1.0}, "leave out seconds="),
        ({"rate": 5000, "seconds": 10}, "is about 50000 requests; at most 10000 are sent"),
        ({"rate": 0.01, "n": 10}, "10 requests at 0.01/s take 1000 s; at most 600 s"),
        ({"rate": 0.001, "seconds": 0.1}, "No request falls into 0.1 s at 0.001/s"),
        ({"path": "slow"}, "begins with a slash"),
        ({"probe": "health"}, "begins with a slash"),
        ({"probe": "/", "every": 0}, "every= is a number of seconds above 0.001, not 0"),
        ({"probe": "/", "every": 0.002, "timeout": 60}, "at most 10000 are sent: take a longer"),
        (
            {"probe": "/", "every": 0.02, "seconds": 600, "rate": 1},
            "at most 20000 are sent: take a longer",
        ),
        ({"timeout": 0}, "timeout= is a number"),
        ({"method": "G ET"}, "A method is a word"),
    ],
)
def test_what_makes_no_sense_is_refused(hello, more, words):
    with pytest.raises(ServeError, match=words):
        load(hello, show=False, **more)


def test_what_is_no_server_is_refused():
    with pytest.raises(ServeError, match=r"load\(server, …\) takes what serve"):
        load("http://127.0.0.1:1")


@pytest.fixture(scope="module")
def hello():
    with serve("minimal-wsgi", "hello") as server:
        yield server


async def full_house(scope, receive, send):
    """Nobody is answered before the sixth has come; afterwards everybody at once."""
    import asyncio

    import __main__

    assert scope["type"] == "http"
    if not hasattr(__main__, "guests"):
        __main__.guests, __main__.all_there = 0, asyncio.Event()
    __main__.guests += 1
    if __main__.guests == 6:
        __main__.all_there.set()
    await __main__.all_there.wait()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize("kind", ["steady", "poisson"])
def test_an_open_load_waits_for_no_answer(kind):
    with serve("minimal-asgi", full_house) as server:
        run = load(server, "/", arrivals=kind, rate=50, n=6, seed=2, timeout=60, show=False)
    assert run.summary()["served"] == 6, "the first is answered only when the sixth was sent"
    moments = plan(kind, 6, None, rate=50, seed=2).offsets()
    intended = run.trace.records[run.trace.records["kind"] == Kind.CLIENT]["t_us"]
    assert (intended - intended[0]) / 1e6 == pytest.approx(
        [moment - moments[0] for moment in moments], abs=1e-6
    )
    assert [reply.intended_s for reply in run.replies] == pytest.approx(moments, abs=1e-6)
    assert [reply.intended_us for reply in run.replies] == pytest.approx(
        [moment * 1e6 for moment in moments], abs=1
    )
    for reply in run.replies:
        assert reply.sent_us >= reply.intended_us
        # all were answered at the end: who came earlier waited longer, and it counts
        assert reply.intended_s + reply.latency_s >= moments[-1]
    assert run.summary()["wall_s"] >= moments[-1] - moments[0]
    assert run.summary()["arrivals"] == kind
    assert run.trace.meta["arrivals"]["rate"] == 50
    assert ("seed" in run.trace.meta["arrivals"]) == (kind == "poisson")


def crowd(environ, start_response):
    """Answers with how many are inside this process at this moment."""
    import threading
    import time

    import __main__

    lock = __main__.__dict__.setdefault("lock", threading.Lock())
    with lock:
        __main__.inside = getattr(__main__, "inside", 0) + 1
        most = __main__.inside
    time.sleep(0.01)
    with lock:
        __main__.inside -= 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(most).encode()]


def test_a_closed_loop_is_so_many_clients_that_wait_for_their_answers_and_says_so():
    with serve("gunicorn-gthread", crowd, threads=8) as server:
        run = load(server, arrivals="closed", clients=2, n=20, show=False)
        after = burst(server, 1, show=False)
    assert (run.summary()["served"], len(run.replies)) == (20, 20)
    assert {reply.text for reply in run.replies} <= {"1", "2"}
    assert run.trace.meta["arrivals"] == {
        "arrivals": "closed",
        "n": 20,
        "seconds": None,
        "clients": 2,
    }
    for told in (run.note, repr(run), run.to_text()):
        assert "sends again when it is answered" in " ".join(told.split())
    ends = sorted(reply.intended_s + reply.latency_s for reply in run.replies)
    begins = sorted(reply.intended_s for reply in run.replies)
    assert all(later >= end for end, later in zip(ends, begins[2:], strict=False))
    assert after.trace.meta["arrivals"] is None, "a burst is none"
    assert "answered" not in after.note


def test_a_closed_loop_ends_in_time_too(hello):
    run = load(hello, arrivals="closed", clients=2, seconds=0.3, show=False)
    assert 0 < len(run.replies) < arrivals.MOST
    assert all(reply.intended_s < 0.3 for reply in run.replies)


def test_all_at_once_is_a_burst(hello):
    run = load(hello, arrivals="together", n=3, show=False)
    assert run.summary()["arrivals"] == "together"
    assert "3 × GET / on minimal-wsgi" in repr(run)


@pytest.mark.parametrize("more", [{"arrivals": "steady", "rate": 50}, {"arrivals": "closed"}])
def test_a_generator_that_is_blocked_says_that_it_was_the_bottleneck(hello, monkeypatch, more):
    """Its loop is held up for 0.6 s: what was due meanwhile counts from when it was due."""
    until = []
    begin = paced.Paced._begin

    def blocked(self, number, due_us):
        begin(self, number, due_us)
        if number == 5:
            time.sleep(0.6)
            until.append(paced.now_us())

    monkeypatch.setattr(paced.Paced, "_begin", blocked)
    run = load(hello, n=12, show=False, **more)
    told = run.summary()
    assert (told["served"], told["bottleneck"]) == (12, True)
    assert told["sender_late_ms"] >= 500
    assert "The client itself was up to" in told["note"]
    assert "not about the server alone" in repr(run)
    if more["arrivals"] == "steady":
        clients = run.trace.records[run.trace.records["kind"] == Kind.CLIENT]
        for record in clients[(clients["t_us"] < until[0])][5:]:
            assert record["t_us"] + record["dur_us"] > until[0]
        assert sum(reply.latency_s > 0.3 for reply in run.replies) >= 5


def test_a_loop_that_stood_still_was_late_all_the_while():
    assert list(punctuality.every_look([100.0, 12_000.0, -3.0])) == [
        *[100.0],
        *[12_000.0, 7_000.0, 2_000.0],
        *[-3.0],
    ]


def test_lateness_is_told_where_it_shows_in_a_percentile():
    def told(starts_ms, lags_ms, latencies_ms):
        found = punctuality.of_load(
            [value * 1e3 for value in starts_ms],
            [value * 1e3 for value in lags_ms],
            [value / 1e3 for value in latencies_ms],
        )
        return found["client_lag_us"], found["client_bottleneck"]

    assert told([1] * 100, [0] * 100, [20] * 100) == (1000.0, False)
    assert told([8] * 100, [0] * 100, [20] * 100) == (8000.0, True)
    assert told([8] * 100, [0] * 100, [200] * 100) == (8000.0, False), "less than a tenth"
    assert told([4] * 100, [0] * 100, [20] * 100) == (4000.0, False), "as timers are"
    assert told([0] * 100, [30] * 100, [20] * 100) == (30000.0, True), "its loop alone"
    assert told([], [0] * 150 + [600], [20] * 12) == (600_000.0, True), "most of the time"
    assert told([0] * 999 + [50], [0], [20] * 1000) == (50000.0, False), "one of a thousand"
    assert told([], [], []) == (0.0, False)


def dying(listener, app):
    """Serves three, and is gone."""
    for _ in range(3):
        connection = listener.accept()[0]
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()


GONE = ("connection refused", "reset the connection", "closed the connection without an answer")


@pytest.mark.parametrize(
    "more", [{"arrivals": "steady", "rate": 100}, {"arrivals": "closed", "clients": 2}]
)
def test_a_server_that_dies_gives_errors_and_no_hang(more):
    with serve(dying, "hello") as server:
        run = load(server, n=12, timeout=60, show=False, **more)
    served = [reply for reply in run.replies if reply.error is None]
    assert len(run.replies) == 12
    assert len(served) <= 3
    for reply in run.replies:
        assert reply.error is None or any(words in reply.error for words in GONE)
    assert run.summary()["failed"] == 12 - len(served)


@pytest.mark.parametrize(
    "more",
    [{"arrivals": "poisson", "rate": 20}, {"arrivals": "closed", "clients": 2}],
)
def test_an_interrupt_in_the_middle_keeps_the_run_so_far(more, threads):
    before = threads()
    with serve("minimal-asgi", "slow") as server:
        running = threads()

        def interrupt(part):
            if part > 0.1:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as caught:
            load(server, "/?s=0.2", seconds=30, show=False, progress=interrupt, **more)
        assert "is in server.last_run" in str(caught.value)
        assert threads() <= running
        run = server.last_run
        assert run.trace.meta["interrupted"] is True
        told = [reply.error for reply in run.replies]
        assert None in told
        assert set(told) <= {None, "interrupted before the answer was complete"}
        clients = run.trace.records[run.trace.records["kind"] == Kind.CLIENT]
        assert not np.isnan(clients["dur_us"]).any()
    assert threads() <= before


def test_progress_is_told_and_never_goes_back(hello):
    parts = []
    load(hello, arrivals="steady", rate=40, n=60, show=False, progress=parts.append)
    assert parts, "it lasts for a second and a half, and is looked at ten times in each"
    assert all(earlier <= later for earlier, later in pairwise(parts))
    assert parts[-1] <= 1


def test_method_body_and_headers_arrive_in_every_request():
    with serve("waitress", "echo") as server:
        run = load(server, arrivals="steady", n=2, method="POST", body="über", show=False)
    assert [reply.text for reply in run.replies] == ["über"] * 2
    assert run.trace.requests[2].label == "POST /"


def test_the_percentiles_are_measured_values():
    replies = [Reply(200, {}, b"", second / 100) for second in range(1, 101)]
    told = Run(Trace(from_tuples([])), replies).summary()
    ranks = [told[name] for name in ("p50_s", "p90_s", "p95_s", "p99_s")]
    assert ranks == [0.5, 0.9, 0.95, 0.99]


def test_a_terminal_shows_how_much_is_over(hello):
    run = load(hello, arrivals="steady", rate=50, n=4, show=False)
    clients = run.trace.records[run.trace.records["kind"] == Kind.CLIENT]
    middle = clients["t_us"][2]
    early = run.trace.slice(0, middle)
    early.records["dur_us"][early.records["request"] == 2] = np.nan

    def drawn(trace, expected):
        console = Console(width=100, file=StringIO())
        console.print(terminal.moving(trace, middle, expected))
        return console.file.getvalue()

    assert "1 of 4 requests are over" in drawn(early, 4)
    assert "4 of 4 requests are over" in drawn(run.trace, 4)
    assert "are over" not in drawn(run.trace, 0), "nobody knows how many there will be"


@pytest.mark.parametrize(
    "line",
    ["from playground import load", "from playground import burst, load; import playground.load"],
)
def test_the_verb_is_found_whatever_was_imported_before(line):
    check = f"{line}; import inspect; print(list(inspect.signature(load).parameters)[:2])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "['server', 'path']\n"


def test_a_function_that_names_the_verb_can_be_sent_to_a_server():
    assert cloudpickle.loads(cloudpickle.dumps(lambda: load))() is load


NO_NAMES = """
import asyncio, sys, types

class DNSResolver:
    def __init__(self, **_):
        sys.exit("somebody is about to look up a name")

    def getaddrinfo(self): ...

sys.modules["aiodns"] = types.SimpleNamespace(DNSResolver=DNSResolver)
from playground.load.client import session

async def main():
    async with session(keep_alive=True, timeout=1.0):
        pass

asyncio.run(main())
"""


def test_no_library_for_names_is_started_which_would_leave_a_thread():
    done = subprocess.run([sys.executable, "-c", NO_NAMES], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
