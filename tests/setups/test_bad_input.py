"""What goes wrong when a server is started or asked: a sentence, and nothing is left running.

Whoever a test starts has its current folder, and so has whoever that starts: they are counted
before and after, with the ports on which they listen, whoever their parent is by then.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from playground.load.burst import burst
from playground.load.order import of_workload
from playground.setups import server as serving
from playground.setups.catalogue import SETUPS, ServeError
from playground.setups.server import serve
from playground.setups.starting import tail, without_tracebacks
from tests.load.conftest import running

DEADLINE_S = 100  # only stops a hang

IMPORT = "def load():\n    return {}['model']\n\nload()\n"
VANISH = "import os\nprint('gone', flush=True)\nos._exit(7)\n"
ENDLESS = """
import pathlib, signal, time

signal.signal(signal.SIGTERM, signal.SIG_DFL)
pathlib.Path("begun").touch()
time.sleep(600)
"""
START_UP = """
async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    try:
        find_model()
    except LookupError as problem:
        await send({"type": "lifespan.startup.failed", "message": repr(problem)})

def find_model():
    raise LookupError("no model")
"""
HANGS = """
import asyncio, pathlib, signal

async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pathlib.Path("begun").touch()
    await asyncio.sleep(600)
"""
DEADLY = """
import os

def wsgi(environ, start_response):
    os._exit(9)

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        os._exit(9)
    raise NotImplementedError(scope["type"])
"""


class House:
    """Those that have this current folder, and what is left of them."""

    def __init__(self, folder, temporary):
        self.folder, self.temporary = folder, temporary

    def processes(self):
        """All that live, whether or not they still have the parent that started them."""
        return [one for one in psutil.process_iter() if one.pid != os.getpid() and self.holds(one)]

    def holds(self, process):
        with contextlib.suppress(psutil.Error):
            here = process.cwd() == str(self.folder)
            return here and process.status() != psutil.STATUS_ZOMBIE
        return False

    def commands(self):
        told = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                told.append(" ".join(process.cmdline()))
        return told

    def ports(self):
        """On which they listen, or this process does."""
        found = set()
        for process in [psutil.Process(), *self.processes()]:
            with contextlib.suppress(psutil.Error):
                listening = (
                    one
                    for one in process.net_connections("tcp")
                    if one.status == psutil.CONN_LISTEN
                )
                found |= {one.laddr.port for one in listening}
        return found

    def state(self):
        return sorted(self.commands()), self.ports(), sorted(map(str, self.temporary.iterdir()))


@pytest.fixture(autouse=True)
def house(tmp_path, monkeypatch):
    """Afterwards there is what was there before: processes, ports, folders, threads."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    house = House(tmp_path.resolve(), temporary)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before, threads = house.state(), running()
    yield house
    assert house.state() == before
    await_that(lambda: running() <= threads)


def await_that(condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that servers find."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(source, name="bad"):
        (tmp_path / f"{name}.py").write_text(source)
        return f"{name}:app"

    return write


def refused(*args, **more):
    with pytest.raises(ServeError) as caught:
        serve(*args, **more)
    return str(caught.value)


def sizes(name):
    return {"workers": min(2, SETUPS[name].max_workers)}


def command(*args, before="", **more):
    """The command line in a session of its own, as in a terminal of its own."""
    source = f"{before}\nfrom playground.cli import main\nmain()"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen(
        [sys.executable, "-c", source, *args], text=True, start_new_session=True, **pipes
    )


def ran(*args, **more):
    """Exit code, standard output, standard error."""
    process = command(*args, **more)
    out, err = process.communicate(timeout=DEADLINE_S)
    assert "Traceback" not in err
    return process.returncode, out, err


def test_those_who_are_counted_are_there(house):
    """The count would be worth nothing if it saw nobody."""
    with serve("gunicorn-sync", "hello", workers=2) as server:
        pids = {process.pid for process in house.processes()}
        guard = psutil.Process(server.pid).ppid()
        assert {guard, *server.pids(), server.collector.sampler_pid or guard} <= pids
        assert len(server.pids()) == 3
        assert server.port in house.ports()
        assert house.state()[2]
        os.kill(server.pids()[1], signal.SIGSTOP)  # even one that hears no SIGTERM


# Names


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda: serve("gunicorn-sink", "hello"), "Did you mean 'gunicorn-sync'?"),
        (lambda: serve("uvicorn", "fastap"), "Did you mean 'fastapi'?"),
        (lambda: of_workload("uvicorn", "waitin"), "Did you mean 'waiting'?"),
        (lambda: of_workload("uvicorn", "cpu", "starlett").serve("uvicorn"), "'starlette'?"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(asked, words):
    with pytest.raises(ServeError, match="There is no") as caught:
        asked()
    assert words in str(caught.value)


# Packages that are not there

BLOCKED = """
import importlib, os, sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in os.environ["MISSING"].split():
            return None
        return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""


@pytest.fixture
def without(tmp_path, monkeypatch):
    """Packages that no process finds that is started from now on."""

    def block(*packages):
        (tmp_path / "sitecustomize.py").write_text(BLOCKED)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setenv("MISSING", " ".join(packages))

    return block


def test_a_package_that_is_missing_is_told_with_how_to_get_it(without):
    """The first server of the comparison is there when the second one cannot be started."""
    without("gunicorn", "fastapi", "uvicorn_worker")
    script = (
        "from playground import ServeError, serve\n"
        "for setup, app in (('gunicorn-gevent', 'hello'), ('uvicorn', 'fastapi-slow')):\n"
        "    try:\n"
        "        serve(setup, app)\n"
        "    except ServeError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "gunicorn-gevent needs gunicorn, which is not installed here" in done.stdout
    assert "run `pip install gunicorn gevent` in this environment" in done.stdout
    assert "ModuleNotFoundError: No module named 'fastapi'" in done.stdout
    assert "fastapi is not installed here: run `pip install fastapi`" in done.stdout
    code, out, err = ran("compare", "minimal-wsgi", "gunicorn-sync", "--app", "hello")
    assert (code, out) == (1, "")
    assert "run `pip install gunicorn` in this environment" in err
    work = ("--workload", "hello", "--framework", "fastapi")
    code, out, err = ran("run", "uvicorn", *work)
    assert (code, out) == (1, "")
    assert "FastAPI needs fastapi, which is not installed here: run `pip install fastapi`" in err


# Apps that fail


def test_a_failed_import_shows_its_traceback_and_the_log_in_a_terminal(module):
    app = module(IMPORT)
    code, out, err = ran("run", "gunicorn-sync", "--app", app, "-w", "2")
    assert (code, out) == (1, "")
    assert err.startswith("playground: bad:app failed when gunicorn-sync imported it:\n")
    assert "line 2, in load" in err
    assert "KeyError: 'model'\nThe end of its log:\n" in err
    assert "] [INFO] " in err
    assert "gunicorn/" not in err, "of the traceback the author's own lines"


def test_a_comparison_whose_second_server_fails_ends_the_first(module, tmp_path):
    app = module(
        "import pathlib\n"
        "first = pathlib.Path('first')\n"
        "assert not first.exists(), 'not twice'\n"
        "first.touch()\n"
        "def app(environ, start_response):\n"
        "    raise SystemExit\n"
    )
    code, out, err = ran("compare", "waitress", "minimal-wsgi", "--app", app)
    assert (code, out) == (1, "")
    assert "AssertionError: not twice" in err
    assert (tmp_path / "first").exists()


@pytest.mark.parametrize("name", [name for name, one in SETUPS.items() if one.interface == "asgi"])
def test_a_failed_start_up_shows_its_traceback_and_the_log(name, module):
    sentence = refused(name, module(START_UP), **sizes(name))
    assert f"bad:app failed in its lifespan, when {name} started it:\n" in sentence
    assert "in find_model" in sentence
    assert "LookupError: no model" in sentence
    assert "playground/" not in sentence


def test_a_start_up_that_gives_a_reason_only_is_told_with_that():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "the oven is cold"})

    assert "started it:\nthe oven is cold" in refused("uvicorn", app, trace=False)


def test_an_app_without_a_lifespan_is_served(module):
    """A raw app may raise: then it has none, says the specification, and servers go on."""
    app = module(DEADLY).replace("app", "asgi")
    for more in ({}, {"options": ["--lifespan=off"]}):
        with serve("uvicorn", app, **more) as server:
            assert server.running


# Servers that do not get ready


def test_a_port_that_is_taken_is_told():
    def forever(listener, app):
        threading.Event().wait()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for setup in ("gunicorn-sync", "uvicorn", forever):
            app = "hello" if callable(setup) or SETUPS[setup].interface == "wsgi" else "asgi"
            assert f"Port {port} is in use: stop what listens" in refused(setup, app, port=port)


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("minimal-wsgi", ENDLESS, "The app is still being imported"),
        ("uvicorn", HANGS, "its lifespan start-up goes on and on"),
        ("gunicorn-asgi", HANGS, "its lifespan start-up goes on and on"),
    ],
)
def test_a_server_that_never_gets_ready_is_given_up(name, source, words, module, monkeypatch):
    class Impatience:
        """Over as soon as it hangs, however long a busy machine takes to get there."""

        def __init__(self, *_):
            pass

        def over(self):
            return Path("begun").exists()

    monkeypatch.setattr(serving, "Patience", Impatience)
    sentence = refused(name, module(source))
    assert f"{name} did not get ready within 30 s" in sentence
    assert words in sentence


def test_a_server_that_never_gets_ready_is_given_up_in_a_terminal(module):
    soon = "from playground.setups import server\nserver.READY_S = 0.3"
    code, out, err = ran("run", "gunicorn-sync", "--app", module(ENDLESS), before=soon)
    assert (code, out) == (1, "")
    assert err.startswith("playground: gunicorn-sync did not get ready within 0.3 s. ")


CRASHES = {
    "waitress": "waitress ended before it answered",
    "minimal-asgi": "minimal-asgi ended before it answered",
    "hypercorn": "hypercorn ended before it answered",
    "gunicorn-sync": "gunicorn-sync does not get ready: ",
    "uvicorn-workers": "uvicorn-workers does not get ready: ",
    "uvicorn-reload": "uvicorn-reload does not get ready: 1 worker ended while starting",
}


@pytest.mark.parametrize("name", CRASHES)
def test_workers_that_vanish_as_they_start_are_noticed_whatever_the_server_does(name, module):
    sentence = refused(name, module(VANISH), **sizes(name))
    assert sentence.startswith(CRASHES[name])
    assert "The end of its log:\n" in sentence
    assert "gone" in sentence
    assert len(sentence.splitlines()) < 30


def test_workers_that_vanish_as_they_start_are_one_sentence_in_a_terminal(module):
    code, out, err = ran("run", "gunicorn-gthread", "--app", module(VANISH))
    assert (code, out) == (1, "")
    assert re.search(r"not get ready: \d+ workers ended while starting, without an exception", err)


@pytest.mark.parametrize("name", ["gunicorn-sync", "uvicorn-workers"])
def test_workers_that_die_of_every_request_are_replaced_and_leave_nothing(name, module):
    app = module(DEADLY).replace("app", SETUPS[name].interface)
    with serve(name, app, workers=2) as server:
        run = burst(server, 3, show=False)
        assert [reply.status for reply in run.replies] == [None] * 3
        ends = [mark for mark in run.trace.meta["marks"] if mark["what"] == "ended"]
        assert ends
        assert server.running


def test_workers_that_die_of_every_request_are_one_sentence_in_a_terminal(module):
    app = module(DEADLY).replace("app", "wsgi")
    code, out, err = ran("run", "gunicorn-sync", "--app", app, "-n", "2", "--json")
    assert (code, json.loads(out)["served"]) == (1, 0)
    assert err.startswith("playground: 2 of 2 requests to gunicorn-sync had no complete answer: ")
    assert len(err.splitlines()) == 1


# Ctrl-C


def test_an_interrupt_while_a_server_starts_ends_it(module, tmp_path):
    def look():
        if (tmp_path / "begun").exists():
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        serve("gunicorn-sync", module(ENDLESS), workers=2, look=look)


HALF = """
import pathlib, signal, time

def app(environ, start_response):
    pathlib.Path("begun").touch()
    time.sleep(600)

if pathlib.Path("once").exists():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pathlib.Path("begun").touch()
    time.sleep(600)
pathlib.Path("once").touch()
"""


@pytest.mark.parametrize(
    ("args", "source", "times"),
    [
        (["run", "uvicorn-workers", "-w", "2"], ENDLESS, 1),
        (["compare", "waitress", "gunicorn-sync"], HALF, 1),
        (["run", "waitress"], HALF, 2),
    ],
    ids=["as it starts", "as the second starts", "twice, in mid run"],
)
def test_ctrl_c_leaves_nothing(args, source, times, module, tmp_path, house):
    process = command(*args, "--app", module(source))
    await_that((tmp_path / "begun").exists)
    assert len(house.processes()) >= 3, "the command, a guard, a server"
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.01)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130 if times == 1 else process.returncode
    assert "Traceback" not in err
    await_that(lambda: not house.processes())  # a guard may see to it alone


# A full disk

WRITERS = """
import json, os, pathlib, resource, subprocess, sys
from playground import Trace, percentiles, reopen
from playground.errors import Told

mode, source, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
if mode == "mount":
    told = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(told, stderr=subprocess.DEVNULL).returncode:
        sys.exit(77)
run = reopen(source)
curves = percentiles(run)
writers = {
    "trace": run.save,
    "html": run.to_html,
    "json": run.to_perfetto,
    "csv": curves.to_csv,
    "png": curves.to_png,
    "page": curves.to_html,
}
files = {name: folder / f"a.{name}" for name in writers}
for file in files.values():
    file.write_text("the old one")
if mode == "mount":
    try:
        with (folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
    except OSError:
        pass
else:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
for name, write in writers.items():
    try:
        write(files[name])
    except Told as error:
        print(name, files[name].read_text() == "the old one", error)
print(sorted(path.name for path in folder.iterdir() if path.name != "filler"))
"""


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    """The file of a run."""
    file = tmp_path_factory.mktemp("run") / "a.trace"
    with serve("minimal-wsgi", "hello") as server:
        burst(server, 60, show=False).save(file)
    return file


@pytest.mark.parametrize("mode", ["limit", "mount"])
def test_what_finds_no_room_leaves_the_old_file_whole(mode, trace, tmp_path):
    """A limit of file sizes fails as a full disk does, and is allowed everywhere; a full disk of
    64 KiB is better, where one may mount it.
    """
    folder = tmp_path / "disk"
    folder.mkdir()
    script = tmp_path / "writers.py"
    script.write_text(WRITERS)
    own = ["unshare", "--map-root-user", "--mount"] if shutil.which("unshare") else []
    words = [sys.executable, str(script), mode, str(trace), str(folder)]
    done = subprocess.run(
        [*own, *words] if mode == "mount" else words, capture_output=True, text=True
    )
    if mode == "mount" and (not own or done.returncode):
        assert done.returncode == 77 or "unshare" in done.stderr or not own, done.stderr
        return  # not allowed here: the other mode tells the same
    assert done.returncode == 0, done.stderr
    *told, names = done.stdout.splitlines()
    kinds = ("trace", "html", "json", "csv", "png", "page")
    why = "No space left on device" if mode == "mount" else "File too large"
    assert told == [
        f"{kind} True Cannot write {folder}/a.{kind} ({why}): choose another file or folder."
        for kind in kinds
    ]
    assert names == str(sorted(f"a.{kind}" for kind in kinds)), "no part of one either"


FULL = (
    "import resource\n"
    "hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))"
)


def test_a_run_that_cannot_be_saved_is_told_all_the_same(tmp_path):
    file = tmp_path / "a.trace"
    file.write_text("the old one")
    args = ["run", "minimal-wsgi", "--app", "hello", "-n", "60", "--json", "--save", str(file)]
    code, out, err = ran(*args, before=FULL)
    assert (code, json.loads(out)["served"]) == (1, 60)
    assert err == (
        f"playground: Cannot write {file} (File too large): choose another file or folder.\n"
    )
    assert file.read_text() == "the old one"
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_an_export_that_finds_no_room_says_what_is_written(trace, tmp_path):
    small, large = tmp_path / "a.csv", tmp_path / "a.svg"
    large.write_text("the old one")
    limit = FULL.replace("2048", str(1 << 14))
    code, out, err = ran("export", str(trace), "--svg", str(large), before=limit)
    assert (code, out) == (1, "")
    assert err.startswith(f"playground: Cannot write {large} (File too large)")
    assert large.read_text() == "the old one"
    code, out, err = ran("export", str(trace), "--csv", str(small), before=limit)
    assert (code, err) == (0, f"wrote {small}\n")


def test_numbers_that_cannot_be_written_are_no_success():
    if not Path("/dev/full").exists():
        pytest.fail("there is no /dev/full here: take another file that is always full")
    with open("/dev/full", "w") as full:
        process = command("setups", "--json", stdout=full)
        _, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, err) == (1, "playground: No space left on device.\n")


# What is shown of a log


def test_of_a_long_log_the_end_is_shown():
    assert tail("") == " It wrote nothing to its log."
    assert tail("a\nb\n\n") == " The end of its log:\na\nb"
    assert tail("a\nb\nc", 2) == " The end of its log:\n…\nb\nc"


def test_of_a_log_the_tracebacks_are_left_out_where_one_is_shown():
    log = (
        "starting\n"
        "ERROR:  Traceback (most recent call last):\n"
        '  File "a.py", line 1\n'
        "    load()\n"
        "KeyError: 1\n"
        "\n"
        "During handling of the above exception, another exception occurred:\n"
        "\n"
        "Traceback (most recent call last):\n"
        '  File "b.py", line 1\n'
        "OSError: 2\n"
        "ended\n"
    )
    assert without_tracebacks(log) == "starting\nended"
