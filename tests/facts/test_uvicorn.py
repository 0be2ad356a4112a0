"""What chapter 09 says of Uvicorn, alone and in Gunicorn, held against the installed versions.

Most of the time is waiting, so what belongs together is started together.
"""

import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from uvicorn.main import main as uvicorn_command

from playground import typed
from playground.facts import MEASURED_WITH
from playground.load.burst import get
from playground.setups.server import serve

CHAPTER = Path(__file__).resolve().parents[2] / "notebooks" / "09_uvicorn.ipynb"
PATIENCE_S = 60.0  # stops a hang
UVICORN = "uvicorn --port 0"
QUICK = "--timeout-worker-healthcheck 1"  # how fast a death is noticed
GUNICORN = "gunicorn --no-control-socket --bind 127.0.0.1:0"
INSIDE = f"{GUNICORN} -k uvicorn_worker.UvicornWorker"

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
    "slow_import": "import ctypes\n\nctypes.PyDLL(None).sleep(3)  # holds the GIL\n"
    f"print('imported', flush=True)\n\n\nasync def app(scope, receive, send):{SERVES}",
    "wsgi": "def app(environ, start_response):\n"
    "    start_response('200 OK', [('Content-Type', 'text/plain')])\n    return [b'WSGI']\n",
}


@pytest.fixture
def menus(tmp_path, monkeypatch):
    """The modules that are served; names of their own, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, text in MENUS.items():
        (tmp_path / f"{name}_of_a_test.py").write_text(text)
    return tmp_path


def at_once(function, things):
    """The results by thing, of all of them together."""
    with ThreadPoolExecutor(len(things)) as pool:
        return dict(zip(things, pool.map(function, things), strict=True))


@pytest.mark.parametrize("package", ["uvicorn", "gunicorn", "uvicorn-worker", "hypercorn"])
def test_the_chapter_names_the_version(package):
    cells = nbformat.read(CHAPTER, as_version=4).cells
    assert re.search(rf"\b{package} {MEASURED_WITH[package]}\b", cells[0].source, re.IGNORECASE)


def test_its_options_are_as_the_chapter_says():
    defaults = {option.name: option.default for option in uvicorn_command.params}
    assert "preload" not in defaults
    said = {
        "host": "127.0.0.1",
        "timeout_worker_healthcheck": 5,
        "timeout_keep_alive": 5,
        "timeout_graceful_shutdown": None,
        "limit_concurrency": None,
        "limit_max_requests": None,
        "loop": "auto",
        "http": "auto",
        "interface": "auto",
        "lifespan": "auto",
    }
    assert {name: defaults[name] for name in said} == said


@pytest.mark.parametrize(
    ("line", "warns"),
    [
        ("import uvicorn.workers", "use `uvicorn-worker` package"),
        ("import uvicorn_worker", ""),
        (
            "from uvicorn.middleware.wsgi import WSGIMiddleware; WSGIMiddleware(None)",
            "switch to a2wsgi",
        ),
    ],
)
def test_what_is_deprecated_says_so_when_one_asks(line, warns):
    for flags, told in (([], ""), (["-W", "default"], warns)):
        python = [sys.executable, *flags, "-c", line]
        said = subprocess.run(python, capture_output=True, text=True, check=True).stderr
        assert told in said if told else not said


def test_how_a_start_that_fails_ends(menus):
    codes = {
        f"{UVICORN} bad_import_of_a_test:app": 1,
        f"{UVICORN} bad_start_of_a_test:app": 3,
        f"{UVICORN} --lifespan on bad_raise_of_a_test:app": 3,
        f"{UVICORN} --workers 2 {QUICK} bad_start_of_a_test:app": 0,
        f"{INSIDE} bad_import_of_a_test:app": 3,
        f"{INSIDE} bad_start_of_a_test:app": 3,
        f"{GUNICORN} -k asgi bad_start_of_a_test:app": 3,
        "hypercorn --bind 127.0.0.1:0 bad_start_of_a_test:app": 0,
    }

    def code(line):
        with typed(line) as house:
            return house.exit_code if house.ends(PATIENCE_S) else "it goes on"

    assert at_once(code, codes) == codes


def test_what_is_served_all_the_same(menus):
    statuses = {
        f"{UVICORN} bad_raise_of_a_test:app": 200,
        f"{UVICORN} --workers 2 slow_import_of_a_test:app": 200,
        f"{UVICORN} wsgi_of_a_test:app": 500,
        f"{UVICORN} --interface wsgi wsgi_of_a_test:app": 200,
        "hypercorn --bind 127.0.0.1:0 wsgi_of_a_test:app": 200,
    }

    def status(line):
        with typed(line) as house:
            told = []
            house.until(lambda: told.append(house.ask()[0]) or told[-1], PATIENCE_S)
            return told[-1]

    assert at_once(status, statuses) == statuses


def test_a_supervisor_goes_on_although_nobody_ever_serves(menus):
    signs = {
        f"{UVICORN} --workers 2 bad_import_of_a_test:app": "importing",
        f"{UVICORN} --workers 2 {QUICK} slow_import_of_a_test:app": "died",
    }

    def goes_on(line):
        with typed(line) as house:
            house.until(lambda: house.log.count(signs[line]) >= 3 or house.ask()[0], PATIENCE_S)
            return house.running and house.ask()[0] is None

    assert at_once(goes_on, signs) == dict.fromkeys(signs, True)


def test_hup_with_broken_code_keeps_the_old_workers(menus):
    with typed(f"{UVICORN} --workers 2 fine_of_a_test:app") as house:
        assert house.until(lambda: house.log.count("startup complete") == 2, PATIENCE_S)
        before = house.workers()
        (menus / "fine_of_a_test.py").write_text("this is no Python\n")
        house.signal("HUP")
        assert house.until(lambda: "keeping worker" in house.log, PATIENCE_S)
        assert house.workers() == before
        assert house.ask(timeout=PATIENCE_S) == (200, "soup")


def test_a_worker_is_replaced_by_uvicorn_and_missed_by_hypercorn(menus):
    codes = {
        f"{UVICORN} --workers 2 fine_of_a_test:app": 0,  # after TERM: before it, it does not end
        "hypercorn --bind 127.0.0.1:0 --workers 2 fine_of_a_test:app": None,
    }

    def code(line):
        with typed(line) as house:
            house.answers(PATIENCE_S)
            before = house.workers()
            victim = min(before)
            os.kill(victim, 9)
            house.until(lambda: len(house.workers() - {victim}) == len(before), PATIENCE_S)
            if not house.running:
                return None
            house.signal("TERM")
            house.ends(PATIENCE_S)
            return house.exit_code

    assert at_once(code, codes) == codes


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


def test_limit_concurrency_counts_the_one_who_asks(tmp_path):
    seen = tmp_path / "seen"
    seen.touch()

    async def stays(scope, receive, send):
        if scope["type"] != "http":
            raise ValueError("http only")
        with open(seen, "a") as file:
            file.write("one is in\n")
        while (await receive())["type"] != "http.disconnect":
            pass

    def come(server):
        guest = socket.create_connection((server.host, server.port), timeout=PATIENCE_S)
        guest.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return guest

    with serve("uvicorn", stays, trace=False, options=["--limit-concurrency=3"]) as server:
        inside = []
        for number in (1, 2):
            inside.append(come(server))
            while len(seen.read_text().splitlines()) < number:
                assert server.running
        with come(server) as third:
            assert third.recv(4096)[9:12] == b"503"
        for guest in inside:
            guest.close()


def test_term_waits_for_a_stream_unless_it_is_limited():
    def ends(option):
        with (
            serve("uvicorn", "events", trace=False, options=option.split()) as server,
            socket.create_connection((server.host, server.port)) as guest,
        ):
            guest.sendall(b"GET /?n=0&s=0.1 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert guest.recv(4096)
            server.signal("TERM")
            deadline = time.monotonic() + (PATIENCE_S if option else 2.0)
            while server.running and time.monotonic() < deadline:
                time.sleep(0.02)
            return not server.running

    limits = {"": False, "--timeout-graceful-shutdown=1": True}
    assert at_once(ends, limits) == limits


def test_a_blocked_loop_is_found_by_gunicorn_only():
    limits = {
        "uvicorn-workers": "--timeout-worker-healthcheck=5",
        "gunicorn-uvicorn": "--timeout=3",
    }

    async def blocks(scope, receive, send):
        import time

        if scope["type"] != "http":
            raise ValueError("http only")
        time.sleep(12)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    def outcome(name):
        with serve(name, blocks, trace=False, workers=2, options=[limits[name]]) as server:
            return get(server, "/", timeout=PATIENCE_S).status

    assert at_once(outcome, limits) == {"uvicorn-workers": 200, "gunicorn-uvicorn": None}
