"""The bundled apps: each answers what it promises, on a server of each interface it speaks."""

import json
import socket

import pytest

from playground import ServeError, burst, get, serve
from playground.setups.apps import BUNDLED, number
from tests.setups.test_serve import fetch

SERVER = {"wsgi": "minimal-wsgi", "asgi": "minimal-asgi"}
EVERY = [(name, interface) for name, places in BUNDLED.items() for interface in places]
FRAMEWORKS = ("flask-slow", "fastapi-slow", "django-slow")


@pytest.mark.parametrize(("name", "interface"), EVERY)
def test_health_and_counts_are_answered_at_once(name, interface):
    with serve(SERVER[interface], name) as server:
        assert b"ok" in fetch(server, "/health")
        if name not in (*FRAMEWORKS, "pool", "truck"):
            assert json.loads(fetch(server, "/counts")) == {"streams": 0, "sockets": 0, "made": 0}


@pytest.mark.parametrize(
    ("name", "path", "answer"),
    [
        ("block", "/?s=0.01", b"slept\n"),
        ("threads", "/?s=0.01", b"done in a thread\n"),
        ("threads", "/?ms=1", b"done in a thread\n"),
        ("pool", "/?s=0.01", b"slept\n"),
        ("pool", "/cpu?ms=1", b"rounds\n"),
        ("truck", "/wait?s=0.01", b"slept\n"),
        ("truck", "/block?s=0.01", b"slept\n"),
        ("truck", "/pool?s=0.01", b"slept\n"),
        ("truck", "/cpu?ms=1", b"rounds\n"),
        ("truck", "/pool-cpu?ms=1", b"rounds\n"),
    ],
)
def test_waiting_and_computing_in_each_way(name, path, answer):
    with serve("minimal-asgi", name) as server:
        assert fetch(server, path).endswith(answer)


@pytest.mark.parametrize("interface", SERVER)
def test_events_end_after_as_many_as_were_asked_for(interface):
    with serve(SERVER[interface], "events") as server:
        answer = get(server, "/?n=3&s=0.01")
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.text == "".join(f"id: {n}\ndata: event {n}\n\n" for n in (1, 2, 3))


@pytest.mark.parametrize("interface", SERVER)
def test_an_open_stream_is_counted_until_its_reader_goes(interface, until):
    threads = {"threads": 2} if interface == "wsgi" else {}
    with serve(SERVER[interface], "events", **threads) as server:
        with socket.create_connection((server.host, server.port)) as reader:
            reader.sendall(b"GET /?s=0.05 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"200" in reader.recv(65536)
            until(lambda: counts(server)["streams"] == 1, "an open stream")
        until(lambda: counts(server)["streams"] == 0, "its end")


@pytest.mark.parametrize("interface", SERVER)
def test_a_big_body_has_its_size_and_is_counted(interface):
    with serve(SERVER[interface], "big") as server:
        assert len(fetch(server, "/?mb=0.5")) == 1 << 19
        assert counts(server)["made"] == 1 << 19


@pytest.mark.parametrize("interface", SERVER)
def test_an_upload_is_read_to_its_end(interface):
    with serve(SERVER[interface], "upload") as server:
        run = burst(server, 1, method="POST", body=bytes(200_000), show=False)
    assert run.replies[0].text == "200000 bytes\n"


def counts(server):
    return json.loads(fetch(server, "/counts"))


@pytest.mark.parametrize(
    ("query", "value"),
    [("s=2", 2.0), ("", 1.0), ("s=x", 1.0), ("s=-1", 0.0), ("s=99", 30.0), ("s=nan", 1.0)],
)
def test_sizes_are_bounded(query, value):
    assert number(query, "s", 1.0, 30.0) == value


def test_an_app_for_the_other_interface_is_refused():
    for setup, app in (("waitress", "ws"), ("minimal-asgi", "echo")):
        with pytest.raises(ServeError, match="speaks"):
            serve(setup, app)
