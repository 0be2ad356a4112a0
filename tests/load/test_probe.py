"""Mixes, and the health check that goes on beside a burst."""

import threading
from itertools import pairwise

import numpy as np
import pytest

from playground import ServeError, burst, get, load, reopen, serve
from playground.trace.records import Kind
from playground.trace.states import spans


async def gate(scope, receive, send):
    """``/slow`` answers when ``/health`` has been asked three times; ``/block`` is asked once."""
    import asyncio
    import time

    import __main__

    if not hasattr(__main__, "asked"):
        __main__.asked = 0
    if scope["path"] == "/health":
        __main__.asked += 1
    while scope["path"] == "/slow" and __main__.asked < 3:
        await asyncio.sleep(0.005)
    if scope["path"] == "/block":
        time.sleep(0.5)
    body = scope["path"].encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def test_a_mix_is_sent_at_once_and_numbered_in_its_order():
    with serve("waitress", "slow", threads=4) as server:
        run = burst(server, [("/?s=0.05", 2), ("/health", 1), ("/counts", 1)], show=False)
    labels = [run.trace.requests[number].label for number in range(1, 5)]
    assert labels == ["GET /?s=0.05", "GET /?s=0.05", "GET /health", "GET /counts"]
    assert [reply.text[:3] for reply in run.replies] == ["sle", "sle", "ok\n", '{"s']
    intended = run.trace.records[run.trace.records["kind"] == Kind.CLIENT]["t_us"]
    assert len(set(intended)) == 1
    assert run.trace.meta["probe_from"] is None
    assert "2 × GET /?s=0.05, 1 × GET /health" in run.trace.meta["title"]
    assert not any(name.startswith("probe") for name in run.summary())


@pytest.mark.parametrize("setup", ["minimal-asgi", "uvicorn"])
def test_a_probe_asks_until_the_burst_is_over_and_is_counted_apart(setup):
    with serve(setup, gate) as server:
        run = burst(server, 2, "/slow", probe="/health", every=0.02, show=False)
    told = run.summary()
    assert (told["served"], told["failed"]) == (2, 0)
    assert [reply.text for reply in run.replies] == ["/slow", "/slow"]
    assert len(run.probe) >= 3, "the burst was over only after three of them"
    assert {reply.text for reply in run.probe} == {"/health"}
    assert (told["probe_served"], told["probe_failed"]) == (len(run.probe), 0)
    assert told["probe_max_s"] == max(reply.latency_s for reply in run.probe)
    assert told["p50_s"] in {reply.latency_s for reply in run.replies}
    # at fixed times, numbered after the burst
    due = [reply.intended_s for reply in run.probe]
    assert due == pytest.approx([0.02 * place for place in range(1, len(due) + 1)])
    assert {reply.intended_s for reply in run.replies} == {0.0}
    trace = run.trace
    assert trace.meta["probe_from"] == 3
    assert {trace.requests[n].label for n in trace.requests if n >= 3} == {"probe GET /health"}
    assert f"{len(run.probe)} of {len(run.probe)} probes answered" in repr(run)


def test_a_probe_that_waits_for_the_loop_counts_from_when_it_was_due():
    with serve("minimal-asgi", gate) as server:
        run = burst(server, 1, "/block", probe="/health", every=0.05, show=False)
    first = run.probe[0]
    blocked = run.replies[0]
    assert first.text == "/health"
    assert first.intended_s + first.latency_s > blocked.intended_s + 0.5, "none before the loop"
    ends = [reply.intended_s for reply in run.probe]
    assert all(later > earlier for earlier, later in pairwise(ends))
    steps = spans(run.trace)
    assert np.isin([1, 2], steps["request"]).all(), "the server saw both"


def test_a_probe_has_connections_of_its_own():
    async def told(scope, receive, send):
        import asyncio

        await asyncio.sleep(0.1)
        fields = dict(scope["headers"])
        body = fields.get(b"connection", b"none")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    with serve("minimal-asgi", told) as server:
        run = burst(server, 1, keep_alive=True, probe="/", every=0.02, show=False)
    assert run.replies[0].text != "close"
    assert {reply.text for reply in run.probe} == {"close"}


def test_a_probe_that_gets_no_answer_is_counted_as_that():
    def deaf(listener, app):
        first, _ = listener.accept()
        first.recv(65536)
        waiting = [listener.accept()[0]]
        listener.settimeout(0.3)
        try:
            while True:
                waiting.append(listener.accept()[0])
        except TimeoutError:
            first.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        first.close()
        threading.Event().wait(30)

    with serve(deaf, "hello") as server:
        run = burst(server, 1, timeout=1.0, probe="/health", every=0.2, show=False)
    told = run.summary()
    assert told["probe_served"] == 0
    assert told["probe_failed"] == len(run.probe) > 0
    assert (told["probe_p50_s"], told["probe_max_s"]) == (None, None)


@pytest.mark.parametrize(
    "more",
    [
        {"arrivals": "steady", "rate": 200, "n": 2},
        {"arrivals": "poisson", "rate": 200, "n": 2},
        {"arrivals": "closed", "clients": 2, "n": 2},
        {"arrivals": "closed", "clients": 2, "n": 2, "seconds": 60},
        {"arrivals": "together", "n": 2},
    ],
    ids=["steady", "poisson", "closed", "closed for a time", "together"],
)
def test_a_load_is_probed_as_a_burst_is(more, tmp_path):
    parts = []
    with serve("minimal-asgi", gate) as server:
        run = load(
            server,
            "/slow",
            probe="/health",
            every=0.02,
            timeout=60,
            show=False,
            progress=parts.append,
            **more,
        )
    told = run.summary()
    assert {reply.text for reply in run.replies} == {"/slow"}
    assert told["served"] == len(run.replies) == 2
    assert len(run.probe) >= 3, "it was over only after three of them"
    assert {reply.text for reply in run.probe} == {"/health"}
    assert (told["probe_served"], told["probe_failed"]) == (len(run.probe), 0)
    assert told["p50_s"] in {reply.latency_s for reply in run.replies}
    due = [reply.intended_s for reply in run.probe]
    assert due == pytest.approx([0.02 * place for place in range(1, len(due) + 1)])
    assert all(0 <= part <= 1 for part in parts)
    first = run.trace.meta["probe_from"]
    labels = {number: info.label for number, info in run.trace.requests.items()}
    assert {labels[number] for number in labels if number < first} == {"GET /slow"}
    assert {labels[number] for number in labels if number >= first} == {"probe GET /health"}
    assert "probe /health" in run.trace.meta["title"]
    assert f"{len(run.probe)} of {len(run.probe)} probes answered" in repr(run)
    again = reopen(run.save(tmp_path / "a.trace"))
    assert (len(again.replies), len(again.probe)) == (2, len(run.probe))


def test_a_load_without_a_probe_has_none():
    with serve("minimal-wsgi", "hello") as server:
        run = load(server, arrivals="steady", rate=100, n=2, show=False)
    assert run.probe == []
    assert run.trace.meta["probe_from"] is None
    assert not any(name.startswith("probe") for name in run.summary())


def test_the_probe_of_a_load_is_in_no_picture_of_how_late_the_client_was(monkeypatch):
    """A closed loop of one request, and a probe that is held up."""
    from playground.load import client

    begin = client.Sending._begin

    def late(self, number, due_us):
        begin(self, number, due_us - (1e6 if number > 1 else 0))

    monkeypatch.setattr(client.Sending, "_begin", late)
    with serve("minimal-asgi", gate) as server:
        more = {"arrivals": "steady", "rate": 50, "n": 1}
        run = load(server, "/slow", probe="/health", every=0.02, show=False, **more)
    assert all(reply.latency_s > 1 for reply in run.probe)
    assert run.summary()["max_s"] == run.replies[0].latency_s
    assert run.summary()["sender_late_ms"] < 900


@pytest.mark.parametrize(
    ("n", "more", "words"),
    [
        ([("/", 1)], {"path": "/slow"}, "names its own paths"),
        ([("/", 1, 2)], {}, "is no such pair"),
        (["/slow"], {}, "is no such pair"),
        ([("/", 0)], {}, "A part of a mix has from 1 to 10000"),
        ([("/", 6000), ("/health", 6000)], {}, "A mix has from 1 to 10000"),
        ([], {}, "A mix has from 1 to 10000"),
        ([("slow", 1)], {}, "begins with a slash"),
        (1, {"probe": "health"}, "begins with a slash"),
        (1, {"probe": "/", "every": 0}, "every= is a number of seconds above 0.001, not 0"),
        (1, {"probe": "/", "every": "x"}, "every= is a number of seconds"),
        (1, {"probe": "/", "every": 0.002, "timeout": 60}, "take a longer every="),
    ],
)
def test_what_is_no_mix_and_no_probe_is_refused(n, more, words):
    with serve("waitress", "hello") as server, pytest.raises(ServeError, match=words):
        burst(server, n, show=False, **more)


@pytest.mark.parametrize("arrivals", ["together", "closed"])
def test_an_interrupted_run_keeps_its_probes(arrivals):
    import _thread

    def interrupt(part):
        """As soon as a probe was answered."""
        told = server.collector.infos().values()
        if any(one.label.startswith("probe") and one.status for one in told):
            _thread.interrupt_main()

    how = {"clients": 1} if arrivals == "closed" else {"n": 1}
    how["progress"] = interrupt
    with serve("minimal-asgi", "slow") as server:
        with pytest.raises(KeyboardInterrupt):
            load(server, "/?s=20", arrivals=arrivals, probe="/health", show=False, **how)
        run = server.last_run
        assert [reply.error is None for reply in run.replies] == [False]
        assert any(reply.error is None for reply in run.probe)
        assert run.summary()["probe_served"] >= 1
        assert get(server, "/health").status == 200
