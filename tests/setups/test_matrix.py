"""Every set-up with every framework it can have: all workloads are answered, and recorded.

What cannot be is shown as well: in a sentence, and by starting the server all the same.
"""

import os

import pytest

from playground import ServeError, burst, serve, talk
from playground.setups.catalogue import SETUPS
from playground.setups.workloads import FRAMEWORKS, WORKLOADS, cell, serve_anyway
from playground.trace.records import Kind
from tests.setups.test_serve import everyone

SMALL = {"ms": 4, "s": 0.02, "n": 3}
OPTIONAL = {"torch", "tensorflow"}
PAIRS = [(setup, framework) for setup in SETUPS for framework in FRAMEWORKS]
VALID = [pair for pair in PAIRS if cell(*pair).valid]
INVALID = [pair for pair in PAIRS if not cell(*pair).valid]
ONE_EACH = {
    (setup, "fastapi" if SETUPS[setup].interface == "wsgi" else "flask")
    for setup in SETUPS
    if not setup.endswith("-dev")
}


@pytest.fixture(autouse=True)
def one_cache(tmp_path_factory, monkeypatch):
    """The models are trained once for all tests, in no workspace of anybody."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(shared / "workspace"))


def asked(workload):
    """The path of a workload with small sizes."""
    return workload.ask(**{name: SMALL[name] for name in workload.sizes})


def test_nothing_of_the_table_is_missing_here():
    wsgi, asgi = 5, 8  # set-ups that are not part of a framework
    assert len(VALID) == wsgi * 3 + asgi * 4 + 2
    assert {pair[1] for pair in VALID} == set(FRAMEWORKS)
    for workload in set(WORKLOADS) - OPTIONAL:
        assert cell("uvicorn", "fastapi", workload).valid, workload


@pytest.mark.parametrize(("setup", "framework"), VALID)
def test_every_workload_is_answered_and_recorded(setup, framework):
    """Several workers where the server can have them, for the frameworks that start quickest."""
    chosen = SETUPS[setup]
    several = framework == chosen.interface and chosen.max_workers > 1
    workers = 2 if several else chosen.min_workers
    works = [work for name, work in WORKLOADS.items() if cell(setup, framework, name).valid]
    with serve(setup, framework, workers=workers) as server:
        plain = [work for work in works if work.method == "GET"]
        run = burst(server, [(asked(work), 1) for work in plain], show=False)
        for work, reply in zip(plain, run.replies, strict=True):
            assert right(work, reply), (work.name, reply, server.log)
        recorded(run, server, len(plain))
        for work in works:
            if work.method == "POST":
                run = burst(
                    server, 1, asked(work), method="POST", body=work.body, headers=work.headers,
                    show=False,
                )  # fmt: skip
                assert right(work, run.replies[0]), (work.name, run.replies[0], server.log)
        said = talk(server, "/ws", "Anyone there?", quiet=5)
        if cell(setup, framework, "websocket").valid:
            assert (said.status, said.messages) == (101, ["Anyone there?"])
        else:
            assert said.status in (403, 404, 500)
        left = everyone(server)
    assert not [pid for pid in left if os.path.exists(f"/proc/{pid}")]


def right(workload, reply):
    return reply.status == 200 and workload.check(reply.body)


def recorded(run, server, count):
    """Each request once, with its status; on an event loop also its steps and awaits."""
    records, requests = run.trace.records, run.trace.requests
    served = records[records["kind"] == Kind.REQUEST]
    assert sorted(served["request"].tolist()) == list(range(1, count + 1))
    assert [requests[number].status for number in range(1, count + 1)] == [200] * count
    pids = {lane.pid for lane in run.trace.lanes if lane.kind in ("thread", "loop", "worker")}
    assert pids <= set(server.pids())
    if server.interface == "asgi":
        for number in range(1, count + 1):
            kinds = set(records["kind"][records["request"] == number].tolist())
            assert Kind.STEP in kinds, number
        waiting = records["request"][records["kind"] == Kind.AWAIT]
        assert len(set(waiting.tolist())) >= 4  # those that wait for something


@pytest.mark.parametrize(("setup", "framework"), INVALID)
def test_what_cannot_be_is_refused_in_a_sentence(setup, framework):
    """The table says why, and so does the server that is asked to."""
    why = cell(setup, framework).why
    assert why.endswith(".")
    assert why.count(". ") == 0
    workers = SETUPS[setup].min_workers
    with pytest.raises(ServeError) as refused, serve(setup, framework, workers=workers):
        pass
    told = str(refused.value)
    assert (
        "This app speaks" in told or "serves apps of Flask only" in told or "projects only" in told
    )


@pytest.mark.parametrize(("setup", "framework"), sorted(ONE_EACH))
def test_the_server_starts_all_the_same_and_answers_so(setup, framework):
    """An app for the other interface, as one would serve it from a terminal: to each of its paths
    and to those that it does not have, the answer is the same.
    """
    anyway = cell(setup, framework).anyway
    with serve_anyway(setup, framework, workers=SETUPS[setup].min_workers) as server:
        run = burst(server, [("/hello", 2), ("/waiting?s=0", 1), ("/health", 1)], show=False)
        assert [reply.status for reply in run.replies] == [anyway] * 4
        if anyway == 500:
            assert "__call__()" in server.log  # it called the app as its interface has it
        assert server.running
