"""A slow reader: what the server lets go is bounded by what the reader and the kernel take."""

import json
import sys

import pytest

from playground import ServeError, get, serve, sip

MIB = 1 << 20
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="counts in the kernel are Linux's")


@pytest.mark.parametrize(
    ("setup", "sizes"), [("minimal-asgi", {}), ("uvicorn", {}), ("minimal-wsgi", {"threads": 2})]
)
def test_an_endless_body_waits_for_its_reader(setup, sizes):
    with serve(setup, "big", **sizes) as server:
        sips = sip(server, "/?mb=1024", rate=65_536, seconds=2.0)
        made = json.loads(get(server, "/counts").text)["made"]
    assert sips.status == 200
    assert sips.ending == "hung up with more to read"
    assert 0 < sips.read <= 65_536 * (sips.samples[-1].t_s + 1)
    assert made < 64 * MIB, "the app has run ahead of a reader who does not read"
    first, last, most = sips.memory_mib
    assert most >= max(first, last)
    assert [sample.t_s for sample in sips.samples] == sorted(s.t_s for s in sips.samples)
    assert sips.trace.requests[1].label == "GET /?mb=1024"
    assert sips.trace.requests[1].status == 200
    for told in (repr(sips), sips._repr_html_()):
        assert "200 to GET /?mb=1024" in told
        assert "hung up with more to read" in told


@needs_proc
def test_what_was_let_go_lies_between_what_was_read_and_what_was_made():
    with serve("minimal-asgi", "big") as server:
        sips = sip(server, rate=65_536, seconds=2.0)
        made = json.loads(get(server, "/counts").text)["made"]
    head = 1024
    assert sips.read <= sips.let_go <= made + head + 2 * 65_536  # two segments of the loopback
    assert "ahead of the reader" in str(sips)


def test_a_body_that_ends_is_read_to_its_end():
    with serve("minimal-wsgi", "hello") as server:
        sips = sip(server, rate=1 << 20, seconds=20)
    assert sips.ending == "the body ended"
    assert sips.read > len(b"Hello, world!")
    assert sips.status == 200


def test_a_server_that_says_nothing_is_told():
    def silent(listener, app):
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.close()

        while True:
            listener.accept()

    with serve(silent, "hello") as server:
        sips = sip(server, seconds=0.5)
    assert sips.status is None
    assert "none to GET /" in str(sips)
    assert sips.trace.requests[1].error


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"path": "big"}, "begins with a slash"),
        ({"rate": 0}, "rate= is a whole number"),
        ({"seconds": 0}, "seconds= is a number"),
        ({"seconds": 61}, "at most 60"),
        ({"headers": ["a"]}, "is a dictionary"),
    ],
)
def test_what_makes_no_sense_is_refused(more, words):
    with serve("waitress", "hello") as server, pytest.raises(ServeError, match=words):
        sip(server, **more)
