"""Processes and signals: what `processes()` tells, and what a run shows of their lives."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from playground.load.burst import burst, get
from playground.setups.catalogue import SETUPS, ServeError
from playground.setups.processes import PROCESS_STATES
from playground.setups.server import serve
from playground.trace.records import Kind
from tests.setups.conftest import alive
from tests.setups.test_serve import OWN, everyone, fetch, sizes

ALONE = ("waitress", "flask-dev", "django-dev")  # one process serves


def workers(server):
    return [process.pid for process in server.processes() if process.role == "worker"]


def marks(trace, what):
    return [mark for mark in trace.meta["marks"] if mark["what"] == what]


class Meanwhile:
    """Does something when so many requests are in service: in the middle of a burst."""

    def __init__(self, server, act, served=1):
        self.server, self.act, self.served = server, act, served
        self.done = None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while len(self.server.collector.serving_pids) < self.served:
            time.sleep(0.005)
        self.done = self.act()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join(60)
        assert not self.thread.is_alive(), "so many requests were never in service"


@pytest.mark.parametrize("name", SETUPS)
def test_every_setup_tells_its_parent_and_its_workers(name):
    with serve(name, OWN.get(name, "hello"), **sizes(name)) as server:
        told = server.processes()
        assert [process.role for process in told].count("worker") == sizes(name)["workers"]
        assert (told[0].pid, told[0].restarts) == (server.pid, 0)
        assert told[0].role == ("worker" if name in ALONE else "parent")
        assert {process.pid for process in told} <= set(server.pids())
        for process in told:
            assert process.pss_mib > 1
            assert process.cpu_s >= 0
            assert 0 <= process.age_s < 120
            assert process.state in PROCESS_STATES
    assert server.processes() == []
    assert server.actions == []


def test_one_process_of_a_supervisor_that_could_have_more_is_a_worker():
    with serve("uvicorn", "hello") as server:
        assert [(one.pid, one.role) for one in server.processes()] == [(server.pid, "worker")]


def test_what_an_app_starts_is_no_worker():
    def app(environ, start_response):
        import subprocess

        if environ["PATH_INFO"] == "/start":
            app.child = subprocess.Popen(["sleep", "60"])
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    for name in ("waitress", "gunicorn-sync"):
        with serve(name, app) as server:
            before = [one.pid for one in server.processes()]
            fetch(server, "/start")
            assert len(server.pids()) == len(before) + 1
            assert [one.pid for one in server.processes()] == before


@pytest.mark.parametrize("name", ["gunicorn-sync", "uvicorn-workers", "minimal-wsgi"])
def test_a_killed_worker_in_a_burst(name, until):
    app = "slow" if name != "uvicorn-workers" else "block"
    with serve(name, app, workers=2) as server:
        before = workers(server)
        # one worker of uvicorn may accept all that are waiting, and leave nothing for the other
        served = 1 if name == "uvicorn-workers" else 2
        with Meanwhile(server, server.kill_worker, served=served) as meanwhile:
            run = burst(server, 10, "/?s=0.4", show=False)
        killed = meanwhile.done
        assert killed in before
        until(lambda: len(workers(server)) == 2, "the replacement")
        until(lambda: all(one.state != "starting" for one in server.processes()), "its app")
        assert killed not in workers(server)
        assert server.processes()[0].restarts == 1
        assert fetch(server, "/?s=0.01") == b"slept\n"
        pids = everyone(server)
    (signal,), (ended,) = marks(run.trace, "signal"), marks(run.trace, "ended")
    assert (signal["name"], signal["pid"], ended["pid"]) == ("kill -9", killed, killed)
    assert signal["t_us"] <= ended["t_us"]
    failed = {n for n, info in run.trace.requests.items() if info.error}
    records = run.trace.records
    lanes = {lane.id for lane in run.trace.lanes if lane.pid == killed}
    services = records[np.isin(records["kind"], (Kind.REQUEST, Kind.WORKER))]
    ends = services["t_us"] + services["dur_us"]
    here = np.isin(services["lane"], list(lanes)) & (ends > signal["t_us"])
    assert failed, "the worker was killed in the middle of its service"
    served = set(services["request"][here].tolist())
    assert {n for n in failed if f"pid {killed}" in run.trace.requests[n].error} == served != set()
    assert [n for n, reply in enumerate(run.replies, 1) if reply.error] == sorted(failed)
    elsewhere = set(services["request"][~np.isin(services["lane"], list(lanes))].tolist())
    assert not failed & elsewhere, "what other processes served was served"
    if name != "uvicorn-workers":  # which takes in connections that it does not serve yet
        assert failed == served
    rows = {row["pid"]: row for row in run.trace.meta["processes"]}
    assert rows[server.pid]["role"] == "parent"
    assert rows[killed]["ended_us"] == ended["t_us"]
    for began in marks(run.trace, "began"):
        assert began["t_us"] >= ended["t_us"]
        assert rows[began["pid"]]["role"] == "worker"
        assert began["pid"] not in before
    if name == "gunicorn-sync":  # replaced at once; others wait before they do
        assert len(marks(run.trace, "began")) == 1
    assert alive(pids) == []


def test_hup_on_gunicorn_in_a_burst_gives_new_workers_and_fails_nobody(until):
    with serve("gunicorn-sync", "slow", workers=2) as server:
        before = workers(server)
        with Meanwhile(server, lambda: server.signal("HUP"), served=2):
            run = burst(server, 12, "/?s=0.3", show=False)
        until(lambda: not set(workers(server)) & set(before), "the end of the old workers")
        after = workers(server)
        assert server.processes()[0].pid == server.pid
        assert server.processes()[0].restarts == 2
    assert [reply.status for reply in run.replies] == [200] * 12
    (signal,) = marks(run.trace, "signal")
    assert (signal["name"], signal["pid"]) == ("HUP", server.pid)
    began, ended = marks(run.trace, "began"), marks(run.trace, "ended")
    assert [mark["pid"] for mark in began] == after
    assert {mark["pid"] for mark in ended} == set(before)
    assert all(mark["t_us"] >= signal["t_us"] for mark in began + ended)


@pytest.mark.parametrize("name", ["gunicorn-gthread", "uvicorn-workers"])
def test_ttin_and_ttou_change_the_number_of_workers(name, until):
    with serve(name, "hello", workers=2) as server:
        server.signal("TTIN")
        until(lambda: len(workers(server)) == 3, "a third worker")
        assert server.processes()[0].restarts == 0, "it was asked for"
        until(lambda: all(one.state != "starting" for one in server.processes()), "its app")
        server.signal("TTOU")
        until(lambda: len(workers(server)) == 2, "one less")


def test_quit_ends_gunicorn_and_the_run_shows_it(until):
    with serve("gunicorn-sync", "slow", workers=2) as server:
        everybody = [server.pid, *workers(server)]
        with Meanwhile(server, lambda: server.act("QUIT"), served=2):
            run = burst(server, 4, "/?s=0.5", show=False)
        until(lambda: not server.running, "its end")
        assert server.processes() == []
    assert [mark["name"] for mark in marks(run.trace, "signal")] == ["QUIT"]
    assert any(reply.error for reply in run.replies)
    assert {mark["pid"] for mark in marks(run.trace, "ended")} <= set(everybody)


def test_usr2_on_gunicorn_starts_a_second_parent(until):
    with serve("gunicorn-sync", "hello") as server:
        server.signal("USR2")
        wanted = ["parent", "parent", "worker", "worker"]
        until(lambda: sorted(p.role for p in server.processes()) == wanted, "a second parent")
        pids = everyone(server)
    assert alive(pids) == []


def test_what_goes_on_is_sampled_while_a_run_lasts():
    with serve("minimal-wsgi", "slow", workers=2) as server:
        run = burst(server, 2, "/?s=1.5", show=False)
        pids = [one.pid for one in server.processes()]
        again = burst(server, 1, "/?s=0.01", show=False)
    for pid in pids:
        lanes = {lane.name: lane.id for lane in run.trace.lanes if lane.pid == pid}
        for name in ("CPU %", "PSS MiB", "state"):
            values = run.trace.records[run.trace.records["lane"] == lanes[name]]
            assert len(values), name
            assert (values["dur_us"] >= 0).all()
    assert [row["pid"] for row in run.trace.meta["processes"]] == pids
    assert run.trace.meta["marks"] == []
    gauges = [(lane.pid, lane.name) for lane in again.trace.lanes if lane.kind == "gauge"]
    assert len(gauges) == len(set(gauges)), "a later run has the same gauges, once"


def test_a_server_without_trace_is_watched_as_well(until):
    with serve("gunicorn-sync", "slow", workers=2, trace=False) as server:
        killed: list[int] = []

        def kill(part):
            """When the run has begun."""
            killed or killed.append(server.kill_worker())

        run = burst(server, 6, "/?s=0.6", show=False, progress=kill)
        until(lambda: server.processes()[0].restarts == 1, "the replacement")
    (ended,) = marks(run.trace, "ended")
    assert [ended["pid"]] == killed
    assert killed[0] in {row["pid"] for row in run.trace.meta["processes"]}


def test_nobody_replaces_a_single_process(until):
    with serve("uvicorn", "hello") as server:
        assert server.kill_worker() == server.pid
        until(lambda: not server.running, "its end")
        with pytest.raises(ServeError, match="has no worker now"):
            server.kill_worker()


def test_signals_that_make_no_sense_are_refused_in_a_sentence():
    with serve("minimal-wsgi", "hello") as server:
        assert server.actions == ["HUP", "QUIT", "TERM", "kill -9"]
        with pytest.raises(ServeError, match="does not listen to TTIN"):
            server.signal("TTIN")
        with pytest.raises(ServeError, match=f"{server.pid} is no worker"):
            server.kill_worker(server.pid)
        assert psutil.Process(server.pid).status() != psutil.STATUS_STOPPED
    with serve("gunicorn-sync", "hello") as server:
        assert server.actions == ["HUP", "TTIN", "TTOU", "USR2", "QUIT", "TERM", "kill -9"]


def test_a_server_function_that_forks_is_a_parent():
    def pre_fork(listener, app):
        import os

        if os.fork() == 0:
            os.setsid()
        while True:
            connection, _ = listener.accept()
            connection.close()

    with serve(pre_fork, "hello") as server:
        roles = [one.role for one in server.processes()]
        assert roles == ["parent", "worker"]


def test_workers_of_a_preloaded_app_are_workers():
    with serve("gunicorn-sync", "hello", options=["--preload"]) as server:
        assert [one.role for one in server.processes()] == ["parent", "worker"]
        assert "starting" not in [one.state for one in server.processes()]


@pytest.mark.parametrize("name", ["uvicorn-workers", "gunicorn-asgi"])
def test_new_connections_go_past_a_worker_whose_loop_is_blocked(name, tmp_path):
    enough = str(tmp_path / "enough")

    async def app(scope, receive, send):
        assert scope["type"] == "http"
        if scope["path"] == "/block":
            print("blocked", flush=True)
            end = time.monotonic() + 60
            while not os.path.exists(enough) and time.monotonic() < end:
                time.sleep(0.01)
        head = {"type": "http.response.start", "status": 200, "headers": []}
        await send(head)
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})

    with serve(name, app, workers=2, trace=False) as server, ThreadPoolExecutor(1) as pool:
        blocked = pool.submit(get, server, "/block", timeout=90)
        while "blocked" not in server.log:
            time.sleep(0.01)
        others = [get(server, "/health").text for _ in range(8)]
        with open(enough, "w"):
            pass
        assert set(map(int, others)) == set(workers(server)) - {int(blocked.result().text)}
