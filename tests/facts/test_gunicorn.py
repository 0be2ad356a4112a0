"""What chapter 08 says of Gunicorn, held against the installed version."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playground.load.burst import get
from playground.setups.server import serve

PATIENCE_S = 60.0  # stops a hang
TIMEOUT_S, WORK_S = 6, 13  # `--timeout`, and a request that takes longer

MENU = """
import time

time.sleep({import_s})


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{dish}"]
"""


def until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s for {what}"
        time.sleep(0.02)


@pytest.fixture
def menu(tmp_path, monkeypatch):
    """Write the module that is served; a name of its own for each test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    def write(dish, import_s=0.0, text=None):
        path = Path(tmp_path, "menu_of_a_test.py")
        path.write_text(MENU.format(dish=dish, import_s=import_s) if text is None else text)

    return write


def waits(environ, start_response):
    time.sleep(WORK_S)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"at last"]


async def blocks(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("no lifespan here")
    time.sleep(WORK_S)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"at last"})


async def awaits(scope, receive, send):
    import asyncio

    if scope["type"] != "http":
        raise ValueError("no lifespan here")
    await asyncio.sleep(WORK_S)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"at last"})


@pytest.mark.timeout(240)
def test_timeout_limits_the_heartbeat_and_not_the_request(menu):
    menu("soup", import_s=WORK_S)
    plans = {
        "sync": ("gunicorn-sync", waits),
        "gthread": ("gunicorn-gthread", waits),
        "asgi, blocked": ("gunicorn-asgi", blocks),
        "asgi, waiting": ("gunicorn-asgi", awaits),
        "importing": ("gunicorn-sync", "menu_of_a_test:app"),
    }

    def outcome(name):
        setup, app = plans[name]
        with serve(setup, app, trace=False, options=[f"--timeout={TIMEOUT_S}"]) as server:
            reply = get(server, "/", timeout=PATIENCE_S)
            return reply.status, "WORKER TIMEOUT" in server.log

    with ThreadPoolExecutor() as pool:
        outcomes = dict(zip(plans, pool.map(outcome, plans), strict=True))
    assert outcomes == {
        "sync": (500, True),
        "gthread": (200, False),
        "asgi, blocked": (None, True),
        "asgi, waiting": (200, False),
        "importing": (200, False),
    }


def test_hup_with_broken_code_ends_the_server(menu):
    menu("soup")
    with serve("gunicorn-sync", "menu_of_a_test:app", workers=2, trace=False) as server:
        menu("", text="this is no Python\n")
        server.signal("HUP")
        until(lambda: not server.running, "Gunicorn to give up")
        assert "exited with code 3" in server.log


@pytest.mark.parametrize(("options", "dish"), [([], b"pasta"), (["--preload"], b"soup")])
def test_hup_takes_new_code_but_not_with_preload(menu, options, dish):
    menu("soup")
    app = "menu_of_a_test:app"
    with serve("gunicorn-sync", app, workers=2, trace=False, options=options) as server:
        old = set(server.pids()[1:])
        menu("pasta")
        server.signal("HUP")
        until(lambda: not old & set(server.pids()), "the old workers to go")
        assert get(server, "/", timeout=PATIENCE_S).body == dish
