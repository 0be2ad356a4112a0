import contextlib
import itertools
import os
import signal
import socket
import threading
import urllib.request

import psutil
import pytest

from playground.load.burst import burst
from playground.setups import catalogue
from playground.setups.catalogue import SETUPS, ServeError
from playground.setups.server import serve
from playground.trace.states import State, spans
from tests.setups.conftest import alive, port_is_free


def fetch(server, path="/"):
    with urllib.request.urlopen(server.url + path, timeout=60) as answer:
        return answer.read()


def everyone(server):
    """The server's processes and its guard."""
    pids = server.pids()
    return [*pids, psutil.Process(server.pid).ppid()]


def sizes(name):
    setup = SETUPS[name]
    return {
        "workers": min(2, setup.max_workers),
        "threads": min(2, setup.max_threads),
    }


OWN = {"flask-dev": "flask-slow", "django-dev": "django-slow"}  # what serves one framework only


@pytest.mark.parametrize("name", SETUPS)
def test_every_setup_starts_answers_stops_and_leaves_nothing(name):
    with serve(name, OWN.get(name, "slow"), **sizes(name)) as server:
        assert fetch(server, "/?s=0.01") == b"slept\n"
        assert server.running
        assert str(server.port) in server.command
        pids, folder, port = everyone(server), server._folder, server.port
        assert len(pids) >= 1 + sizes(name)["workers"]
    assert not server.running
    assert server.pids() == []
    assert alive(pids) == []
    assert port_is_free(port)
    assert not folder.exists()
    assert not os.path.exists(server.collector.path)
    assert server.log != ""


@pytest.mark.parametrize("name", SETUPS)
def test_every_setup_is_traced_in_its_workers(name):
    with serve(name, OWN.get(name, "slow"), **sizes(name)) as server:
        pids = server.pids()
        run = burst(server, 4, "/?s=0.1", show=False)
    assert [reply.status for reply in run.replies] == [200] * 4
    found = spans(run.trace)
    served = found[found["kind"] != State.QUEUED]
    assert set(served["request"]) == {1, 2, 3, 4}
    lanes = {lane.id: lane for lane in run.trace.lanes}
    assert {lanes[lane].pid for lane in served["lane"]} <= set(pids)
    is_loop = SETUPS[name].interface == "asgi"
    assert {lanes[lane].kind == "loop" for lane in served["lane"]} == {is_loop}
    assert {run.trace.requests[number].status for number in (1, 2, 3, 4)} == {200}


def test_what_shares_a_thread_has_no_processor_time_of_its_own():
    with serve("gunicorn-gevent", "slow") as server:
        run = burst(server, 3, "/?s=2", show=False)
    assert {run.trace.requests[number].cpu_us for number in (1, 2, 3)} == {None}
    found = spans(run.trace)
    assert set(found["kind"]) <= {State.QUEUED, State.SERVED}
    begun = found[found["kind"] == State.SERVED]
    ends = begun["t_us"] + begun["dur_us"]
    assert begun["t_us"].max() < ends.min(), "the three were in service at the same time"


def test_a_changed_file_gives_a_new_process(tmp_path, monkeypatch, until):
    monkeypatch.syspath_prepend(tmp_path)
    app = (
        "async def app(scope, receive, send):\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': b'%s'})\n"
    )
    (tmp_path / "changing.py").write_text(app % "old")
    with serve("uvicorn-reload", "changing:app") as server:
        assert fetch(server) == b"old"
        before = server.pids()
        turns = itertools.count()

        def changed():
            """Saved once more: a change from before its watcher stood is not seen."""
            if next(turns) % 50 == 0:
                (tmp_path / "changing.py").write_text(app % "newer")
            return _fetched(server) == b"newer"

        until(changed, "the new answer")
        assert server.pids()[0] == before[0]
        assert set(server.pids()) != set(before)


def _fetched(server):
    with contextlib.suppress(OSError):
        return fetch(server)
    return None


@pytest.mark.parametrize(
    ("setup", "name"),
    [
        ("gunicorn-sync", "flask-slow"),
        ("uvicorn", "fastapi-slow"),
        ("waitress", "django-slow"),
        ("minimal-wsgi", "django-slow"),
        ("uvicorn", "django-slow"),
        ("minimal-asgi", "django-slow"),
    ],
)
def test_the_slow_endpoint_in_the_frameworks(setup, name):
    with serve(setup, name) as server:
        assert fetch(server, "/health") == b"ok\n"
        assert fetch(server, "/slow?s=0.01") == b"slept\n"


def test_an_app_of_the_notebook_is_copied_with_what_it_uses():
    greeting = "from the notebook"

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [greeting.encode()]

    with serve("waitress", app) as server:
        assert fetch(server) == b"from the notebook"


def test_an_app_is_found_by_module_and_attribute(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "class here:\n"
        "    def app(environ, start_response):\n"
        "        start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "        return [b'found']\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with serve("gunicorn-sync", "mine:here.app") as server:
        assert fetch(server) == b"found"


def test_serving_twice_gives_two_servers_that_do_not_disturb_each_other():
    with serve("waitress", "hello") as first, serve("waitress", "hello") as second:
        assert first.port != second.port
        assert fetch(first) == fetch(second)


def test_a_forgotten_server_stops():
    server = serve("waitress", "hello")
    pids, port = everyone(server), server.port
    del server
    assert alive(pids) == []
    assert port_is_free(port)


def test_stop_can_be_called_again():
    server = serve("waitress", "hello")
    server.stop()
    server.stop()
    assert "stopped" in repr(server)


def test_a_signal_reaches_the_server(until):
    with serve("gunicorn-sync", "hello") as server:
        before = server.pids()
        server.signal("HUP")
        until(lambda: set(server.pids()[1:]).isdisjoint(before), "new workers")
        assert server.pids()[0] == before[0]
        assert fetch(server) == b"Hello, world!"


def test_without_trace_there_is_no_collector():
    with serve("waitress", "hello", trace=False) as server:
        assert server.collector is None
        assert fetch(server) == b"Hello, world!"


# What goes wrong, in sentences


def broken(environ, start_response):
    return [b""]


async def asgi_app(scope, receive, send):
    pass


def refused(*args, **kwargs):
    """The sentence with which ``serve`` refuses; nothing may be left behind."""
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(ServeError) as caught:
        serve(*args, **kwargs)
    assert set(psutil.Process().children(recursive=True)) <= before
    return str(caught.value)


@pytest.mark.parametrize(
    ("setup", "app", "more", "words"),
    [
        ("gunicorn", "hello", {}, "no set-up 'gunicorn'. Did you mean 'gunicorn-"),
        ("waitress", "helo", {}, "no bundled app 'helo'. Did you mean 'hello'?"),
        ("waitress", "no_such_module:app", {}, "no module 'no_such_module'"),
        ("waitress", "json:app", {}, "json has no 'app'"),
        ("waitress", "json:__name__", {}, "'json' is not an app"),
        ("waitress", 7, {}, "7 is not an app"),
        ("waitress", "hello", {"workers": 2}, "waitress takes workers=1 only, not 2"),
        ("uvicorn-workers", "hello", {}, "uvicorn-workers takes workers from 2 to 64, not 1"),
        ("uvicorn-reload", "hello", {"workers": 2}, "uvicorn-reload takes workers=1 only, not 2"),
        ("gunicorn-sync", "hello", {"threads": 0}, "gunicorn-sync takes threads=1 only, not 0"),
        ("gunicorn-sync", "hello", {"workers": "2"}, "workers from 1 to 64, not '2'"),
        ("waitress", "hello", {"port": -1}, "from 1 to 65535, or 0 for a free one, not -1"),
        ("waitress", "hello", {"port": 65536}, "not 65536"),
        ("waitress", "hello", {"port": "8000"}, "not '8000'"),
        (7, "hello", {}, "A set-up is a name"),
        ("flask-dev", "hello", {}, "`flask run` serves apps of Flask only"),
        ("django-dev", "flask-slow", {}, "`runserver` serves Django projects only"),
        (broken, broken, {"workers": 2}, "leave out workers="),
        ("waitress", asgi_app, {}, "speaks ASGI and the set-up speaks WSGI"),
        ("uvicorn", broken, {}, "Set-ups for WSGI: minimal-wsgi"),
        ("uvicorn", "crash", {}, "speaks WSGI and the set-up speaks ASGI"),
        ("uvicorn", "playground.setups.apps:hello", {}, "choose a set-up for WSGI"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(setup, app, more, words):
    sentence = refused(setup, app, **more)
    assert words in sentence
    assert "Traceback" not in sentence


def test_what_cannot_be_copied_is_refused_with_what_to_do():
    lock = threading.Lock()

    def app(environ, start_response):
        with lock:
            return [b""]

    assert "open files, sockets and locks inside the function" in refused("waitress", app)


@pytest.mark.parametrize("name", SETUPS)
def test_an_app_that_fails_at_import_shows_its_own_frames(name, tmp_path, monkeypatch):
    (tmp_path / "failing.py").write_text("def load():\n    return {}['model']\n\nload()\n")
    monkeypatch.syspath_prepend(tmp_path)
    sentence = refused(name, "failing:app", **sizes(name))
    assert "failing:app failed when" in sentence
    assert "line 2, in load" in sentence
    assert "KeyError: 'model'" in sentence
    assert "playground/setups" not in sentence
    assert "importlib" not in sentence


def test_a_port_in_use_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = refused("gunicorn-sync", "hello", port=port)
    assert f"Port {port} is in use" in sentence


def test_a_missing_package_is_told_with_how_to_get_it(monkeypatch):
    monkeypatch.setattr(catalogue.importlib.util, "find_spec", lambda name: None)
    assert "pip install waitress" in refused("waitress", "hello")


def test_a_server_that_never_gets_ready_is_told(monkeypatch, tmp_path):
    from playground.setups import server

    (tmp_path / "endless.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(server, "READY_S", 0.5)
    assert "did not get ready within" in refused("gunicorn-sync", "endless:app")


def test_an_unknown_signal_and_a_stopped_server_are_told():
    with serve("waitress", "hello") as server, pytest.raises(ServeError, match="no signal 'HOP'"):
        server.signal("HOP")
    with pytest.raises(ServeError, match="has ended"):
        server.signal("HUP")


# Server functions of one's own


def serve_forever(listener, app):
    """The smallest server: one request after the other, and no HTTP to speak of."""
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            body = b"".join(app({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None))
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            connection.sendall(head % len(body) + body)


def test_a_server_function_serves():
    with serve(serve_forever, "hello") as server:
        assert fetch(server) == b"Hello, world!"
        assert server.command == "serve_forever(listener, hello)"
        pids, port = everyone(server), server.port
    assert alive(pids) == []
    assert port_is_free(port)


def test_a_server_function_that_raises_is_shown_with_its_own_frames():
    def mistaken(listener, app):
        listener.acept()

    sentence = refused(mistaken, "hello")
    assert "mistaken failed as it served hello" in sentence
    assert "AttributeError" in sentence
    assert "in mistaken" in sentence
    assert "playground/setups" not in sentence


def test_a_server_function_that_raises_later_leaves_it_in_the_log(until):
    def later(listener, app):
        listener.accept()
        raise RuntimeError("lost my notes")

    with serve(later, "hello") as server:
        with contextlib.suppress(OSError):
            fetch(server)
        until(lambda: not server.running, "the end of the server")
        assert "RuntimeError: lost my notes" in server.log


def test_a_server_function_that_returns_at_once_is_told():
    sentence = refused(lambda listener, app: None, "hello")
    assert "ended before it answered" in sentence
    assert "has returned" in sentence


def test_processes_that_a_server_function_leaves_behind_are_ended(until):
    def forking(listener, app):
        for leave in (False, True):
            if os.fork() == 0:
                if leave:
                    os.setsid()
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                while True:
                    signal.pause()
        while True:
            signal.pause()

    server = serve(forking, "hello")
    until(lambda: len(server.pids()) == 3, "two children")
    pids = everyone(server)
    server.stop()
    assert alive(pids) == []
    assert port_is_free(server.port)


# Whoever started it disappears

SERVING = """
import os, sys, psutil, threading
from playground.setups.server import serve
from playground.load.burst import burst
server = serve("gunicorn-sync", "slow", workers=2)
print(server.port, server.collector.sampler_pid or psutil.Process(server.pid).ppid(),
      psutil.Process(server.pid).ppid(), *server.pids(), flush=True)
{then}
"""


def start(interpreter, then):
    process = interpreter(SERVING.format(then=then))
    port, *pids = map(int, process.stdout.readline().split())
    assert len(alive(pids)) == 5
    return process, port, pids


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_outlives_an_interpreter_that_is_killed_in_mid_burst(
    interpreter, until, tmp_path, number
):
    then = "threading.Timer(0.3, print, ['now'], {'flush': True}).start()\n"
    process, port, pids = start(interpreter, then + "burst(server, 8, '/?s=20', show=False)")
    assert process.stdout.readline() == "now\n"
    process.send_signal(number)
    process.wait(30)
    until(lambda: not alive(pids), "the end of every process")
    assert port_is_free(port)
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


@pytest.mark.parametrize("then", ["", "sys.exit(3)", "raise ValueError", "os._exit(0)"])
def test_nothing_outlives_an_interpreter_that_ends(interpreter, until, tmp_path, then):
    process, port, pids = start(interpreter, then)
    process.wait(30)
    until(lambda: not alive(pids), "the end of every process")
    assert port_is_free(port)
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


def test_the_folders_go_even_if_the_server_had_ended_before(interpreter, until, tmp_path):
    process, _, pids = start(interpreter, "sys.stdin.readline()")
    os.kill(pids[2], signal.SIGKILL)
    until(lambda: not alive(pids[2:]), "the end of the server")
    assert len(list(tmp_path.iterdir())) == 3
    process.kill()
    until(lambda: not alive(pids), "the end of every process")
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


def test_a_killed_guard_leaves_nothing_behind_either(until):
    server = serve("gunicorn-sync", "hello", workers=2)
    pids = everyone(server)
    os.kill(pids[-1], signal.SIGKILL)
    until(lambda: not server.running, "the end of the guard to be seen")
    server.stop()
    until(lambda: not alive(pids), "the end of every process")
    assert port_is_free(server.port)


def test_a_fork_of_the_interpreter_does_not_stop_its_server(interpreter):
    then = (
        "if os.fork() == 0:\n"
        "    server.stop()\n"
        "    sys.exit(0)\n"
        "os.wait()\n"
        "print(server.running, flush=True)\n"
    )
    process, _, _ = start(interpreter, then)
    assert process.stdout.readline() == "True\n"


@pytest.mark.parametrize("options", [["--log-level", "debug"], "--log-level=debug"])
def test_options_are_further_words_of_the_command(options):
    with serve("gunicorn-sync", "hello", options=options) as server:
        assert server.command.endswith(" --log-level=debug")
        assert "[DEBUG] Current configuration" in server.log


def test_a_preloaded_app_is_loaded_once_and_served_by_every_worker():
    with serve("gunicorn-sync", "hello", workers=2, options=["--preload"]) as server:
        assert len(list(server._folder.glob("loaded-*"))) == 1
        assert len(server.pids()) == 3
        assert fetch(server) == b"Hello, world!"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--bind=0.0.0.0:80"], "'--bind=0.0.0.0:80'"),
        (["-b", "0.0.0.0:80"], "'-b=0.0.0.0:80'"),
        (["--daemon"], "'--daemon'"),
        (["--timeout", "5", "elsewhere:app"], "'elsewhere:app'"),
        (["--preload=1"], "'--preload=1'"),
        ([5], "5"),
    ],
)
def test_an_option_that_a_setup_does_not_take_is_refused_with_those_it_takes(options, word):
    with pytest.raises(ServeError, match="--timeout=") as error:
        serve("gunicorn-sync", "hello", options=options)
    assert word in str(error.value)


def test_a_server_function_has_no_options():
    with pytest.raises(ServeError, match="nothing"):
        serve(lambda listener, app: None, "hello", options=["--preload"])
