"""Many connections that stay: who is served is a matter of counting."""

import pytest

from playground import ServeError, hold, serve
from playground.load.hold import EVENT_END, has_data

EVENTS = "/events?s=0.02"


@pytest.mark.parametrize("setup", ["minimal-asgi", "uvicorn"])
def test_a_loop_serves_them_all_and_everybody_else(setup):
    with serve(setup, "events") as server:
        held = hold(server, 20, EVENTS, patience=60)
        assert server.usage().processes == held.during.processes
    assert (held.asked, held.opened, held.served, held.starved) == (20, 20, 20, 0)
    assert {stream.status for stream in held.streams} == {200}
    assert all(stream.first_s > 0 and stream.error is None for stream in held.streams)
    assert [reply.text for reply in held.probe] == ["ok\n"] * 3
    assert held.probe_answered == 3
    assert held.during.connections == 20
    assert held.tasks >= 20
    labels = [held.trace.requests[number].label for number in (1, 20, 21, 23)]
    assert labels == ["GET /events?s=0.02"] * 2 + ["probe GET /health"] * 2
    assert held.trace.meta["probe_from"] == 21


@pytest.mark.parametrize(
    ("setup", "sizes", "places"),
    [("minimal-wsgi", {"threads": 3}, 3), ("gunicorn-sync", {"workers": 2}, 2)],
)
def test_threads_and_processes_serve_as_many_as_they_are(setup, sizes, places):
    with serve(setup, "events", **sizes) as server:
        held = hold(server, places + 2, EVENTS, patience=4.0, probes=1)
    assert (held.served, held.starved) == (places, 2)
    assert held.opened == places
    starved = [stream for stream in held.streams if stream.status is None]
    assert {stream.error for stream in starved} == {"no answer within 4 s"}
    assert held.probe_answered == 0, "nobody was free to answer"
    assert held.tasks is None
    assert held.during.connections <= places + 1


@pytest.mark.parametrize("setup", ["minimal-asgi", "uvicorn"])
def test_websockets_are_held_too(setup):
    with serve(setup, "ws") as server:
        held = hold(server, 10, "/ticks?s=0.02", websocket=True, patience=60, probe=None)
    assert (held.opened, held.served) == (10, 10)
    assert {stream.status for stream in held.streams} == {101}
    assert held.probe == []
    assert "meanwhile" not in str(held)


def test_what_ends_too_early_or_is_refused_says_why():
    with serve("minimal-asgi", "events") as server:
        short = hold(server, 2, "/?n=2&s=0.01", patience=60, probes=0)
        refused = hold(server, 1, "/", websocket=True, patience=60, probes=0)
    assert {stream.error for stream in short.streams} == {"the server ended it before"}
    assert {stream.events for stream in short.streams} == {2}
    assert short.served == 0
    assert refused.opened == 0
    assert "to the handshake" in refused.streams[0].error


def test_other_bodies_are_counted_by_lines():
    with serve("minimal-wsgi", "stream", threads=2) as server:
        held = hold(server, 2, "/?s=0.01", events=5, patience=60, probes=0)
    assert held.served == 2


def test_what_is_held_is_let_go(until):
    from playground import get

    with serve("minimal-asgi", "events") as server:
        hold(server, 5, EVENTS, patience=60)
        until(lambda: '"streams": 0' in get(server, "/counts").text, "the end of the streams")


def test_the_table_in_both_forms():
    with serve("minimal-asgi", "events") as server:
        held = hold(server, 2, EVENTS, patience=60)
    for told in (repr(held), held._repr_html_()):
        assert "2 × /events?s=0.02" in told
        assert "3 of 3 answered" in told
        assert "served (3 events each)" in told
    assert "first error" not in repr(held)


def test_blocks_of_an_event_stream():
    assert EVENT_END.split(b"a\n\nb\r\n\r\nc\r\rd") == [b"a", b"b", b"c", b"d"]
    assert has_data(b"id: 1\ndata: x")
    assert has_data(b"data")
    assert not has_data(b": a comment\nid: 7")
    assert not has_data(b"database: x")


@pytest.mark.parametrize(
    ("n", "more", "words"),
    [
        (0, {}, "n= is a whole number from 1"),
        (1, {"path": "events"}, "begins with a slash"),
        (1, {"events": 0}, "events= is a whole number"),
        (1, {"patience": 0}, "patience= is a number of seconds"),
        (1, {"probe": "health"}, "begins with a slash"),
        (1, {"probes": -1}, "probes= is a whole number"),
        (1, {"headers": {"A": "b\n"}}, "text in one line"),
    ],
)
def test_what_makes_no_sense_is_refused(n, more, words):
    with serve("waitress", "hello") as server, pytest.raises(ServeError, match=words):
        hold(server, n, **more)


def test_a_server_that_has_ended_holds_nothing():
    with serve("waitress", "hello") as server:
        pass
    with pytest.raises(ServeError, match="has ended"):
        hold(server, 1)


@pytest.fixture
def until():
    import time

    def wait(condition, what):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, f"waited 60 s for {what}"
            time.sleep(0.01)

    return wait
