"""What chapter 09 says of Uvicorn, and of Uvicorn in Gunicorn, held against what is installed."""

import os
import socket
import time
from collections import Counter

import pytest

from playground import typed
from playground.load.burst import get
from playground.setups.server import serve

PATIENCE_S = 30.0  # stops a hang
UVICORN = "uvicorn --port 0"
QUICK = "--timeout-worker-healthcheck 1"  # how fast a death is noticed
INSIDE = "gunicorn --no-control-socket --bind 127.0.0.1:0 -k uvicorn_worker.UvicornWorker"

SERVES = """
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"soup"})
"""
MENUS = {
    "fine": f"async def app(scope, receive, send):{SERVES}",
    "bad_import": "print('importing', flush=True)\nopen('no-such-model')\n",
    "bad_start": f"async def app(scope, receive, send):{SERVES}"
    "    if scope['type'] == 'lifespan':\n"
    "        await receive()\n"
    "        await send({'type': 'lifespan.startup.failed', 'message': 'no model'})\n",
    "bad_raise": f"async def app(scope, receive, send):{SERVES}"
    "    if scope['type'] == 'lifespan':\n"
    "        open('no-such-model')\n",
}


@pytest.fixture
def menus(tmp_path, monkeypatch):
    """The modules that are served; names of their own, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, text in MENUS.items():
        (tmp_path / f"{name}_of_a_test.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"{UVICORN} bad_import_of_a_test:app", 1),
        (f"{UVICORN} bad_start_of_a_test:app", 3),
        (f"{UVICORN} --lifespan on bad_raise_of_a_test:app", 3),
        (f"{UVICORN} --workers 2 {QUICK} bad_start_of_a_test:app", 0),
        (f"{INSIDE} bad_import_of_a_test:app", 3),
        (f"{INSIDE} bad_start_of_a_test:app", 3),
        ("hypercorn --bind 127.0.0.1:0 bad_start_of_a_test:app", 0),
    ],
)
def test_a_start_that_fails_ends_with_a_code(menus, line, code):
    with typed(line) as house:
        assert house.ends(PATIENCE_S)
        assert house.exit_code == code


def test_a_lifespan_that_raises_is_served_all_the_same(menus):
    with typed(f"{UVICORN} bad_raise_of_a_test:app") as house:
        assert house.answers(PATIENCE_S)


def test_a_supervisor_begins_an_import_that_fails_again_and_again(menus):
    with typed(f"{UVICORN} --workers 2 bad_import_of_a_test:app") as house:
        assert house.until(lambda: house.log.count("importing") >= 4, PATIENCE_S)
        assert house.running


def test_hup_with_broken_code_keeps_the_old_workers(menus):
    with typed(f"{UVICORN} --workers 2 fine_of_a_test:app") as house:
        assert house.until(lambda: house.log.count("startup complete") == 2, PATIENCE_S)
        before = house.workers()
        (menus / "fine_of_a_test.py").write_text("this is no Python\n")
        house.signal("HUP")
        assert house.until(lambda: "keeping worker" in house.log, PATIENCE_S)
        assert house.workers() == before
        assert house.ask() == (200, "soup")


def test_reload_ignores_workers_and_does_not_replace_the_dead(menus):
    with typed(f"{UVICORN} --reload --workers 4 fine_of_a_test:app") as house:
        assert house.answers(PATIENCE_S)
        assert '"workers" flag is ignored' in house.log
        (child,) = house.workers()
        os.kill(child, 9)
        assert house.until(lambda: child not in house.workers(), PATIENCE_S)
        assert house.running
        with socket.create_connection((house.host, house.port), timeout=PATIENCE_S):
            assert not house.workers()


async def waits(scope, receive, send):
    import asyncio

    if scope["type"] != "http":
        raise ValueError("http only")
    await asyncio.sleep(float(scope["query_string"] or 0))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def test_limit_concurrency_counts_the_one_who_asks():
    with serve("uvicorn", waits, trace=False, options=["--limit-concurrency=3"]) as server:
        guests = []
        for _ in range(4):
            guests.append(socket.create_connection((server.host, server.port)))
            guests[-1].sendall(b"GET /?2 HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(0.2)  # so that they come one after the other
        got = Counter(guest.recv(4096)[9:12] for guest in guests)
        for guest in guests:
            guest.close()
    assert got == {b"200": 2, b"503": 2}


def test_term_waits_for_a_stream_unless_it_is_limited():
    for options, ends in (([], False), (["--timeout-graceful-shutdown=1"], True)):
        with (
            serve("uvicorn", "events", trace=False, options=options) as server,
            socket.create_connection((server.host, server.port)) as guest,
        ):
            guest.sendall(b"GET /?n=0&s=0.1 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert guest.recv(4096)
            server.signal("TERM")
            deadline = time.monotonic() + (PATIENCE_S if ends else 2.0)
            while server.running and time.monotonic() < deadline:
                time.sleep(0.02)
            assert server.running is not ends


async def blocks(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("http only")
    time.sleep(float(scope["query_string"] or 0))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize(
    ("setup", "option", "status"),
    [
        ("uvicorn-workers", "--timeout-worker-healthcheck=1", 200),
        ("gunicorn-uvicorn", "--timeout=1", None),
    ],
)
def test_a_blocked_loop_is_found_by_gunicorn_only(setup, option, status):
    with serve(setup, blocks, trace=False, workers=2, options=[option]) as server:
        assert get(server, "/?4", timeout=PATIENCE_S).status == status
