import math
import signal

import numpy as np
import pytest

import playground
from playground import ServeError, Trace, burst, get, serve
from playground.load import checks, display, punctuality
from playground.load.client import Reply
from playground.load.run import Run, percentile
from playground.trace import sampler
from playground.trace.records import UNTRACKED, Flag, Kind
from playground.trace.states import State, spans
from playground.trace.trace import from_tuples


def barrier_app(environ, start_response):
    """Answers only when two requests are inside this process at once."""
    import threading

    import __main__

    if not hasattr(__main__, "both"):
        __main__.both = threading.Barrier(2)
    place = environ["QUERY_STRING"]
    __main__.both.wait(60)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [place.encode()]


needs_sampler = pytest.mark.skipif(not sampler.SUPPORTED, reason="this system has no schedstat")


@pytest.fixture
def until():
    import time

    def wait(condition, what):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, f"waited 60 s for {what}"
            time.sleep(0.01)

    return wait


def states_of(run, request):
    found = spans(run.trace)
    return [State(kind).name for kind in found["kind"][found["request"] == request]]


def test_client_and_server_records_are_joined():
    with serve("gunicorn-sync", "slow", workers=2) as server:
        run = burst(server, 6, "/slow?s=0.05", show=False)
    records = run.trace.records
    assert run.summary()["served"] == 6
    assert run.summary()["statuses"] == {200: 6}
    for request in range(1, 7):
        mine = records[records["request"] == request]
        kinds = sorted(set(mine["kind"]))
        assert {Kind.REQUEST, Kind.CLIENT, Kind.QUEUE, Kind.WORKER} <= set(kinds)
        assert not np.isnan(mine["dur_us"]).any()
        client, queue, worker = (
            mine[mine["kind"] == kind][0] for kind in (Kind.CLIENT, Kind.QUEUE, Kind.WORKER)
        )
        assert queue["t_us"] == client["t_us"]
        assert math.isclose(queue["t_us"] + queue["dur_us"], worker["t_us"], abs_tol=0.01)
        assert worker["t_us"] + worker["dur_us"] > client["t_us"]
        assert states_of(run, request)[0] == "QUEUED"
        assert "WAITING" in states_of(run, request)
        assert run.trace.requests[request].label == "GET /slow?s=0.05"
        assert run.trace.requests[request].status == 200
    intended = records[records["kind"] == Kind.CLIENT]["t_us"]
    assert len(set(intended)) == 1, "all were meant to be sent at the same moment"


def test_two_workers_each_serve_one_request_at_a_time():
    with serve("gunicorn-sync", "slow", workers=2) as server:
        run = burst(server, 6, "/?s=0.05", show=False)
        workers = set(server.pids()[1:]) if server.running else set()
    work = run.trace.records[run.trace.records["kind"] == Kind.WORKER]
    lanes = {lane.id: lane for lane in run.trace.lanes}
    assert {lanes[lane].pid for lane in work["lane"]} == workers
    for lane in set(work["lane"]):
        mine = work[work["lane"] == lane]
        assert ((mine["t_us"] + mine["dur_us"])[:-1] <= mine["t_us"][1:]).all()


@pytest.mark.parametrize("name", ["minimal-wsgi", "gunicorn-gthread", "waitress"])
def test_threads_of_one_worker_serve_at_the_same_time(name):
    with serve(name, barrier_app, threads=2) as server:
        run = burst(server, 2, "/", show=False)
    work = run.trace.records[run.trace.records["kind"] == Kind.WORKER]
    assert run.summary()["served"] == 2
    assert len(set(work["lane"])) == 2
    assert len({lane.pid for lane in run.trace.lanes if lane.kind == "thread"}) == 1
    assert work["t_us"][1] < work["t_us"][0] + work["dur_us"][0]


async def round_table(scope, receive, send):
    """Answers a moment after the fourth request has come in."""
    import asyncio

    import __main__

    assert scope["type"] == "http"
    if not hasattr(__main__, "guests"):
        __main__.guests, __main__.all_there = 0, asyncio.Event()
    __main__.guests += 1
    if __main__.guests == 4:
        asyncio.get_running_loop().call_later(0.02, __main__.all_there.set)
    await __main__.all_there.wait()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


def test_on_a_loop_requests_wait_together():
    with serve("uvicorn", round_table) as server:
        run = burst(server, 4, show=False)
    found = spans(run.trace)
    waiting = found[found["kind"] == State.WAITING]
    ends = waiting["t_us"] + waiting["dur_us"]
    assert waiting["t_us"].max() < ends.min()
    assert {lane.kind for lane in run.trace.lanes[1:]} - {"gauge"} == {"loop"}


def waits_for_the_second(environ, start_response):
    """Answers nobody before ``/second`` has come in."""
    import threading

    import __main__

    come = __main__.__dict__.setdefault("come", threading.Event())
    if environ["PATH_INFO"] == "/second":
        come.set()
    come.wait(60)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"at last"]


def test_runs_of_one_server_are_kept_apart():
    with serve("gunicorn-gthread", waits_for_the_second, threads=3) as server:
        first = burst(server, 2, "/first", timeout=0.1, show=False)
        assert first.summary()["failed"] == 2
        second = burst(server, 1, "/second", show=False)
    assert {request for request in second.trace.requests if request < UNTRACKED} == {1}
    mine = second.trace.records[second.trace.records["request"] == 1]
    assert (mine["kind"] == Kind.WORKER).sum() == 1
    strangers = second.trace.records[second.trace.records["request"] >= UNTRACKED]
    assert (strangers["kind"] == Kind.WORKER).any(), "the worker was still busy with the first run"


def test_what_was_over_before_a_run_is_no_part_of_it():
    with serve("minimal-wsgi", "hello") as server:
        for _ in range(5):
            get(server)
            run = burst(server, 2, show=False)
            assert set(run.trace.requests) == {1, 2}
            assert set(run.trace.records["request"]) <= {0, 1, 2}
            assert set(spans(run.trace)["request"]) == {1, 2}


def computes(environ, start_response):
    number = 0
    for step in range(2_000_000):
        number += step
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(number).encode()]


def on_lanes(run):
    """Of the time in which every lane is occupied: how many lanes are RUNNING on average, the
    share with two or more RUNNING, and the share with two or more RUNNING or READY.
    """
    found = spans(run.trace)
    found = found[found["lane"] > 0]
    ends = found["t_us"] + found["dur_us"]
    lanes = np.unique(found["lane"])
    begin = max(found["t_us"][found["lane"] == lane].min() for lane in lanes)
    end = min(ends[found["lane"] == lane].max() for lane in lanes)
    moments = np.linspace(begin, end, 1000)

    def count(*states):
        mine = np.isin(found["kind"], states)
        at = (found["t_us"][mine] <= moments[:, None]) & (moments[:, None] < ends[mine])
        return at.sum(axis=1)

    running, wanting = count(State.RUNNING), count(State.RUNNING, State.READY)
    return len(lanes), running.mean(), (running >= 2).mean(), (wanting >= 2).mean()


def seen_running(run):
    """What was seen from outside as RUNNING, in parts of the processor time used."""
    found = spans(run.trace)
    seen = found["dur_us"][found["kind"] == State.RUNNING].sum()
    return seen / sum(info.cpu_us for info in run.trace.requests.values())


def bursts_until_most_was_seen(server, lanes):
    """Runs, the last of which was seen well, on so many lanes. On a busy machine the sampler comes
    late itself, and then claims nothing; but what it claims is never much more than what was used.
    """
    for _ in range(12):
        run = burst(server, 4, show=False)
        yield run
        assert seen_running(run) < 1.6
        if seen_running(run) > 0.4 and on_lanes(run)[0] == lanes:
            return
    raise AssertionError("the sampler saw next to nothing, twelve times")


@needs_sampler
def test_threads_of_one_process_compute_in_turns():
    with serve("minimal-wsgi", computes, threads=4) as server:
        for run in bursts_until_most_was_seen(server, lanes=4):
            _, running, together, _ = on_lanes(run)
            assert running < 1.3
            assert together < 0.3
    assert State.WAITING in spans(run.trace)["kind"], "for the GIL"


@needs_sampler
def test_processes_do_not_wait_for_each_other_to_compute():
    with serve("minimal-wsgi", computes, workers=2) as server:
        runs = list(bursts_until_most_was_seen(server, lanes=2))
    assert on_lanes(runs[-1])[3] > 0.6, "on two processors, or both wanting one"


def test_what_took_too_long_says_so_and_was_queued_to_the_end():
    with serve("gunicorn-sync", "slow") as server:
        run = burst(server, 2, "/?s=30", timeout=1.5, show=False)
    assert {reply.error for reply in run.replies} == {"no complete answer within 1.5 s"}
    records = run.trace.records
    begun = set(records["request"][records["kind"] == Kind.WORKER])
    (never,) = {1, 2} - begun
    assert not ((records["kind"] == Kind.QUEUE) & (records["request"] == never)).any()
    assert states_of(run, never) == ["QUEUED"]
    clients = records[records["kind"] == Kind.CLIENT]
    assert (clients["flags"] == Flag.ERROR).all()


def refusing(listener, app):
    listener.close()
    signal.pause()


def silent(listener, app):
    while True:
        connection = listener.accept()[0]
        connection.recv(4096)
        connection.close()


def resetting(listener, app):
    import socket
    import struct

    while True:
        connection = listener.accept()[0]
        connection.recv(4096)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def short(listener, app):
    while True:
        connection = listener.accept()[0]
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        connection.close()


def babbling(listener, app):
    while True:
        connection = listener.accept()[0]
        connection.recv(4096)
        connection.sendall(b"hello there\r\n\r\n")
        connection.close()


@pytest.mark.parametrize(
    ("server_function", "words"),
    [
        (refusing, "connection refused: nothing listens on port"),
        (silent, "closed the connection without an answer"),
        (resetting, "the server reset the connection"),
        (short, "the answer was cut short"),
        (babbling, "the answer is not HTTP"),
    ],
)
def test_failures_are_recorded_in_words(server_function, words, until):
    with serve(server_function, "hello") as server:
        if server_function is refusing:
            until(lambda: get(server).error is not None, "the listener to be closed")
        run = burst(server, 2, show=False)
    assert run.summary()["failed"] == 2
    for request, reply in enumerate(run.replies, 1):
        assert words in reply.error
        assert run.trace.requests[request].error == reply.error


def test_an_app_that_crashes_leaves_its_error_in_the_trace(until):
    with serve("minimal-wsgi", "crash") as server:
        run = burst(server, 1, show=False)
        until(lambda: "RuntimeError" in server.log, "the traceback")
        assert "playground/trace" not in server.log, "the app's own frames only"
    assert run.replies[0].status == 500
    assert run.trace.requests[1].error == "RuntimeError: broken on purpose"


def test_a_worker_that_is_killed_is_busy_no_longer(until):
    def deadly(environ, start_response):
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)

    with serve("minimal-wsgi", deadly) as server:
        run = burst(server, 1, show=False)
    assert run.replies[0].error is not None
    work = run.trace.records[run.trace.records["kind"] == Kind.WORKER]
    assert not np.isnan(work["dur_us"]).any()
    assert work["flags"][0] & Flag.ERROR


def test_method_body_and_headers_arrive():
    with serve("waitress", "echo") as server:
        run = burst(server, 2, "/", method="POST", body="über", headers={"X-A": "1"}, show=False)
    assert [reply.text for reply in run.replies] == ["über"] * 2
    assert run.trace.requests[1].label == "POST /"


def test_without_trace_nothing_is_claimed_about_the_server():
    with serve("waitress", "hello", trace=False) as server:
        run = burst(server, 3, show=False)
    assert run.summary()["served"] == 3
    known = {Kind.CLIENT, Kind.SEND, Kind.RECV, Kind.GAUGE}  # gauges of what the system tells
    assert set(run.trace.records["kind"]) <= known
    assert len(spans(run.trace)) == 0


def test_keep_alive_or_not_is_what_the_server_sees():
    def told(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ.get("HTTP_CONNECTION", "none").encode()]

    with serve("waitress", told) as server:
        closing = burst(server, 1, show=False).replies[0].text
        keeping = burst(server, 1, keep_alive=True, show=False).replies[0].text
    assert closing == "close"
    assert keeping != "close"


def test_get_is_one_untracked_request(until):
    with serve("waitress", "hello") as server:
        reply = get(server, "/x")
        assert (reply.status, reply.text, reply.error) == (200, "Hello, world!", None)
        until(lambda: len(server.collector.infos()) == 1, "the record")
        (number,) = server.collector.infos()
        assert number >= UNTRACKED


@pytest.mark.parametrize(
    ("n", "path", "words"),
    [
        (0, "/", "from 1 to 10000"),
        (True, "/", "not True"),
        ("8", "/", "not '8'"),
        (8, "slow", "begins with a slash"),
        (8, None, "begins with a slash"),
    ],
)
def test_what_makes_no_sense_is_refused(n, path, words):
    with serve("waitress", "hello") as server, pytest.raises(ServeError, match=words):
        burst(server, n, path, show=False)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"timeout": 0}, "seconds above 0, not 0"),
        ({"timeout": "1"}, "seconds above 0, not '1'"),
        ({"timeout": math.nan}, "seconds above 0, not nan"),
        ({"method": "G ET"}, "not 'G ET'"),
        ({"method": 7}, "not 7"),
        ({"body": 7}, "A body is bytes or text, not int"),
        ({"headers": ["a"]}, "is a dictionary"),
        ({"headers": {"A": "b\r\nC: d"}}, "text in one line"),
        ({"headers": {"A": 1}}, "text in one line, not 1"),
    ],
)
def test_a_request_that_cannot_be_made_is_refused(more, words):
    with serve("waitress", "hello") as server, pytest.raises(ServeError, match=words):
        burst(server, 1, show=False, **more)


def one_text(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["text"]


def nothing(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])


def never_started(environ, start_response):
    return [b"x"]


def broken(environ, start_response):
    raise ValueError("the oven is cold")


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (one_text, "the app's body consists of str, not of bytes (PEP 3333)"),
        (nothing, "the app returned NoneType, not an iterable of bytes (PEP 3333)"),
        (never_started, "the app did not call start_response before its body (PEP 3333)"),
        (broken, "ValueError: the oven is cold"),
    ],
)
def test_an_app_that_is_wrong_is_told_in_words_and_with_the_status_that_came(app, words, capsys):
    with serve("minimal-wsgi", app) as server:
        run = burst(server, 3)
    assert [reply.status for reply in run.replies] == [500] * 3
    infos = [(info.status, info.error) for info in run.trace.requests.values()]
    assert infos == [(500, words)] * 3
    assert f"✕ 3 requests: {words}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("runs", "titles", "words"),
    [((), None, "nothing to compare"), ((7,), None, "7 is no run"), ((Run,), [], "one title for")],
)
def test_what_is_no_run_is_refused(runs, titles, words):
    with pytest.raises(ServeError, match=words):
        display.compare(*runs, titles=titles)


def test_what_is_no_server_is_refused():
    with pytest.raises(ServeError, match="takes what serve"):
        burst("http://127.0.0.1:1", 1)


def test_room_for_connections_is_made_or_refused(monkeypatch):
    limits = [100, 1000]
    monkeypatch.setattr(checks.resource, "getrlimit", lambda which: tuple(limits))
    monkeypatch.setattr(
        checks.resource, "setrlimit", lambda which, told: limits.__setitem__(0, told[0])
    )
    checks.make_room(500)
    assert limits == [500 + checks.SPARE_FILES, 1000]
    with pytest.raises(ServeError, match="allows 744 connections at once, not 800"):
        checks.make_room(800)


def test_a_missing_front_end_is_told_and_the_run_shown_anyway(monkeypatch, capsys):
    def missing(*_, **__):
        raise ModuleNotFoundError("No module named 'anywidget'", name="anywidget")

    monkeypatch.setattr(display, "live", missing)
    with serve("waitress", "hello") as server:
        burst(server, 1)
    said = capsys.readouterr().out
    assert "needs anywidget, which is not installed here: run `make lab` once" in said
    assert "1 × GET / on waitress" in said


def test_a_burst_on_a_stopped_server_says_that_nothing_listens():
    with serve("waitress", "hello") as server:
        pass
    run = burst(server, 2, show=False)
    assert all("connection refused" in reply.error for reply in run.replies)


def test_an_interrupt_keeps_what_had_happened_and_leaves_no_thread(threads):
    def interrupt(part):
        signal.raise_signal(signal.SIGINT)

    before = threads()
    with serve("gunicorn-sync", "slow") as server:
        running = threads()
        with pytest.raises(KeyboardInterrupt) as caught:
            burst(server, 3, "/?s=20", show=False, progress=interrupt)
        (shown,) = caught.value._render_traceback_()  # by IPython, instead of a traceback
        assert "is in server.last_run" in shown
        run = server.last_run
        assert threads() <= running
    assert len(run.replies) == 3
    assert all("interrupted" in reply.error for reply in run.replies)
    assert run.trace.meta["interrupted"] is True
    clients = run.trace.records[run.trace.records["kind"] == Kind.CLIENT]
    assert not np.isnan(clients["dur_us"]).any()
    assert threads() <= before


def test_the_client_tells_how_late_it_was():
    with serve("waitress", "hello") as server:
        run = burst(server, 2, show=False)
    assert run.trace.meta["client_lag_us"] >= 0
    assert run.trace.meta["client_bottleneck"] in (True, False)


def test_a_late_client_is_flagged():
    quick = [Reply(200, {}, b"", 0.010, connect_s=0.008)]
    slow = [Reply(200, {}, b"", 1.0, connect_s=0.008)]
    assert punctuality.of_burst(0.0, quick) == {
        "client_lag_us": 8000.0,
        "client_bottleneck": True,
    }
    assert punctuality.of_burst(0.0, slow)["client_bottleneck"] is False
    assert punctuality.of_burst(200_000.0, slow)["client_bottleneck"] is True


def test_a_late_client_is_told_in_words():
    late = Trace(from_tuples([]), meta={"client_bottleneck": True, "client_lag_us": 8000.0})
    run = Run(late, [Reply(200, {}, b"", 0.010)])
    for told in (repr(run), run.to_text(), run.summary()["note"]):
        assert "The client itself was up to 8 ms late" in told
    assert Run(Trace(from_tuples([]))).note == ""


def test_the_summary_counts_and_ranks():
    replies = [Reply(200, {}, b"", second / 10) for second in range(1, 11)]
    replies.append(Reply(None, {}, b"", 5.0, "refused"))
    told = Run(Trace(from_tuples([])), replies).summary()
    assert (told["served"], told["failed"], told["wall_s"]) == (10, 1, 5.0)
    assert (told["p50_s"], told["p95_s"], told["max_s"]) == (0.5, 1.0, 1.0)
    assert told["throughput_rps"] == 2.0
    empty = Run(Trace(from_tuples([]))).summary()
    assert (empty["p50_s"], empty["throughput_rps"]) == (None, 0.0)
    assert percentile([1.0, 2.0, 3.0], 100) == 3.0


def test_a_run_can_be_kept_and_shown(tmp_path, capsys):
    with serve("waitress", "hello") as server:
        run = burst(server, 2, show=True)
    assert "waitress" in capsys.readouterr().out
    assert Trace.load(run.save(tmp_path / "run.trace")).meta["setup"] == "waitress"
    assert run.to_html(tmp_path / "run.html").read_text().startswith("<!")
    assert '"traceEvents"' in run.to_perfetto(tmp_path / "run.json").read_text()
    shown = run._repr_mimebundle_()
    assert "<svg" in shown["text/html"]
    assert "2 × GET / on waitress" in shown["text/plain"]
    assert "2 served, 0 failed" in repr(run)
    playground.timeline(run)
    playground.compare(run, run)
    assert capsys.readouterr().out.count("2 × GET / on waitress") == 3
