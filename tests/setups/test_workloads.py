"""The dishes: what is bounded, what is refused, and what is made once for all processes."""

import json
import math
import os
import subprocess
import sys

import httpx
import psutil
import pytest

from playground import ServeError, burst, get, serve
from playground.setups.apps import BUNDLED
from playground.setups.dishes import keeping, models, work
from playground.setups.workloads import FRAMEWORKS, WORKLOADS, cell, cells, serve_cell
from playground.trace.records import Kind
from tests.setups.conftest import CHECKOUT, alive

SERVER = {"wsgi": "minimal-wsgi", "asgi": "minimal-asgi"}
EVERY = [(name, speaks) for name in FRAMEWORKS for speaks in BUNDLED[name]]
BAD_PICTURES = (
    b"",
    b"no JSON",
    b"[]",
    b'{"pixels": 1}',
    b'{"pixels": [1, 2]}',
    b'{"pixels": [' + b"NaN, " * 63 + b"0]}",
    b'{"pixels": [' + b"17, " * 63 + b"0]}",
    b'{"pixels": [' + b'"a", ' * 63 + b"0]}",
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path / "workspace"))


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_knows_its_path_and_a_wrong_answer(name):
    workload = WORKLOADS[name]
    assert workload.ask().startswith(f"/{workload.path.partition('?')[0][1:]}")
    assert "{" not in workload.ask()
    for wrong in (b"", b"Internal Server Error", b"{}", b"[]", b"null", b"\xff"):
        assert not workload.check(wrong)


def test_a_path_takes_other_sizes_and_refuses_those_it_has_not():
    assert WORKLOADS["hybrid"].ask(ms=7) == "/hybrid?s=0.1&ms=7"
    with pytest.raises(ServeError, match=r"hybrid has no size 'n': it has s, ms"):
        WORKLOADS["hybrid"].ask(n=3)
    with pytest.raises(ServeError, match=r"The size s goes from 0 to 30, not 50\."):
        WORKLOADS["waiting"].ask(s=50)
    with pytest.raises(ServeError, match="not nan"):
        WORKLOADS["cpu"].ask(ms=math.nan)
    with pytest.raises(ServeError, match=r"hello has no size 's': it has none"):
        WORKLOADS["hello"].ask(s=3)


def test_a_cell_says_in_one_sentence_what_cannot_be():
    for setup, framework, workload, found in cells():
        where = (setup, framework, workload, found.why)
        assert found.valid == (not found.why), where
        if not found.valid:
            assert found.why.endswith("."), where
            assert ". " not in found.why.replace("3.0. ", ""), where


@pytest.mark.parametrize(
    ("setup", "framework", "why"),
    [
        ("gunicorn-gthread", "django", "WSGI has one request and one response"),
        ("waitress", "flask", "WSGI has one request and one response"),
        ("uvicorn", "django", "Django's own ASGI application takes requests only"),
    ],
)
def test_a_websocket_needs_a_server_and_a_framework_for_it(setup, framework, why):
    assert cell(setup, framework, "websocket").why.startswith(why)
    assert cell("uvicorn", "starlette", "websocket").valid


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        (("gunicorn-sink", "flask"), "Did you mean 'gunicorn-sync'"),
        (("uvicorn", "flaks"), "There is no framework 'flaks'. Did you mean 'flask'"),
        (("uvicorn", "fastapi", "modle"), "There is no workload 'modle'. Did you mean 'model'"),
    ],
)
def test_an_unknown_name_gets_the_nearest(names, answer):
    with pytest.raises(ServeError, match=answer):
        cell(*names)


def test_what_is_not_installed_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("playground.setups.workloads._installed", lambda name: name != "torch")
    found = cell("uvicorn", "fastapi", "torch")
    assert not found.valid
    assert found.why == (
        "The workload torch needs torch, which is not installed here:"
        " run `make lab-torch` once (a large download)."
    )


def test_a_model_that_is_not_there_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(models.util, "find_spec", lambda name: None)
    models._load.cache_clear()
    with pytest.raises(
        work.Unanswerable, match="torch is not installed here: run `make lab-torch`"
    ):
        work.classified(models.PICTURE, "torch")
    with pytest.raises(work.Unanswerable, match=r"no model 'x'\. There are: sklearn, torch"):
        work.classified(models.PICTURE, "x")


def test_the_picture_is_the_first_of_the_digits():
    from sklearn.datasets import load_digits

    pictures, digits = load_digits(return_X_y=True)
    assert pictures[0].tolist() == models.PICTURE
    assert digits[0] == models.DIGIT


def test_the_forest_reads_what_it_was_trained_on_and_is_kept(tmp_path):
    from sklearn.datasets import load_digits

    models._load.cache_clear()
    pictures, digits = load_digits(return_X_y=True)
    read = [models.classify("sklearn", pictures[number].tolist()) for number in range(0, 1797, 100)]
    assert read == digits[::100].tolist()
    (file,) = (tmp_path / "workspace/cache").glob("digits-forest-*.joblib")
    before = file.stat().st_mtime_ns
    models._load.cache_clear()
    assert models.classify("sklearn", models.PICTURE) == models.DIGIT
    assert file.stat().st_mtime_ns == before


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "workspace").write_text("a file where the folder should be")
    made = keeping.kept("something", lambda path: path.write_text("made"))
    assert made.read_text() == "made"
    assert not made.is_relative_to(tmp_path)


def test_a_file_is_made_once_by_many_processes_and_threads(tmp_path):
    """Each that makes it adds a line to a list; the last word is a whole file for everybody."""
    script = tmp_path / "maker.py"
    script.write_text(
        "import os, sys, time\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from pathlib import Path\n"
        f"sys.path.insert(0, {CHECKOUT!r})\n"
        "from playground.setups.dishes.keeping import once\n"
        "folder = Path(sys.argv[1])\n"
        "def make(path):\n"
        "    with open(folder / 'makers', 'a') as makers:\n"
        "        makers.write(f'{os.getpid()}\\n')\n"
        "    path.write_text('ha')\n"
        "    time.sleep(0.05)\n"
        "    path.write_text('half and whole')\n"
        "with ThreadPoolExecutor(3) as pool:\n"
        "    made = pool.map(lambda _: once(folder / 'made', make).read_text(), range(3))\n"
        "    assert set(made) == {'half and whole'}\n"
    )
    processes = [subprocess.Popen([sys.executable, str(script), str(tmp_path)]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert len((tmp_path / "makers").read_text().splitlines()) == 1


@pytest.mark.parametrize(("framework", "interface"), EVERY)
def test_what_makes_no_sense_is_cut_or_refused(framework, interface):
    """Bad pictures, unknown models and paths, numbers that are none: never an error of ours."""
    with serve(SERVER[interface], framework, trace=False) as server:
        for picture in BAD_PICTURES:
            reply = post(server, "/predict", picture)
            assert reply.status_code in (400, 422), (picture, reply)
        reply = post(server, "/predict?model=x", WORKLOADS["model"].body)
        assert reply.status_code == 400
        assert "There is no model 'x'" in reply.json()["detail"]
        assert get(server, "/predict").status == 405
        assert get(server, "/nothing").status == 404
        for path in ("/events?n=1&s=nan", "/cpu?ms=-5", "/hybrid?s=-1&ms=nan", "/native?ms="):
            reply = get(server, path)
            assert reply.status in (200, 422), (path, reply)
        for path in ("/cpu?ms=1&pool=1", "/native?ms=1&pool=1", "/hybrid?s=0&ms=1&pool=1"):
            assert get(server, path).status == 200


@pytest.mark.parametrize("framework", ["asgi", "starlette", "fastapi", "django"])
def test_a_pool_leaves_the_loop_to_others(framework):
    """A health check is begun and answered while a request computes; on the loop it could not."""
    with serve("uvicorn", framework) as server:
        assert answered_meanwhile(server, "/cpu?ms=300&pool=1")
        assert not answered_meanwhile(server, "/cpu?ms=300")


def answered_meanwhile(server, path):
    """The health checks that were served within the service of a request for ``path``."""
    run = burst(server, [(path, 1)], probe="/health", every=0.02, show=False)
    assert run.replies[0].status == 200
    records = run.trace.records
    served = records[records["kind"] == Kind.REQUEST]
    begun, ended = served["t_us"], served["t_us"] + served["dur_us"]
    (computing,) = (served["request"] == 1).nonzero()[0]
    return [
        int(number)
        for number in served["request"][(begun > begun[computing]) & (ended < ended[computing])]
    ]


def test_the_upstream_service_is_one_for_all_workers_and_goes_with_the_server():
    with serve("gunicorn-gthread", "flask", workers=2, threads=4) as server:
        guard = psutil.Process(server.pid).ppid()
        run = burst(server, 12, "/upstream?s=0.05", show=False)
        told = [json.loads(reply.body) for reply in run.replies]
        assert sorted(one["served"] for one in told) == list(range(1, 13))  # one service, one count
        services = [
            child.pid for child in psutil.Process(guard).children() if child.pid != server.pid
        ]
        assert len(services) == 1
        assert services[0] not in server.pids()  # it is no process of the server
    assert not alive(services)


def test_without_the_playground_the_upstream_service_ends_with_its_process(until):
    """As with a server that somebody starts in a terminal."""
    environment = {name: value for name, value in os.environ.items() if name != "PLAYGROUND_STATE"}
    script = (
        "import os, time; from playground.setups.dishes import keeping, work\n"
        "print(work.fetch(0).decode()); print(keeping.passing('x', lambda p: p.touch()).parent)"
    )
    before = set(services())
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, env=environment, capture_output=True,
        text=True, timeout=60, check=True,
    )  # fmt: skip
    answer, folder = done.stdout.splitlines()
    assert json.loads(answer)["served"] == 1
    assert not os.path.exists(folder)
    until(lambda: not [pid for pid in set(services()) - before if folder in arguments(pid)])


def test_a_served_cell_has_made_ready_what_it_needs(tmp_path):
    with serve_cell("minimal-wsgi", "wsgi", "model", trace=False) as server:
        assert list((tmp_path / "workspace/cache").glob("digits-forest-*"))  # nobody has asked yet
        assert post(server, "/predict", WORKLOADS["model"].body).content == b'{"digit": 0}'
    with pytest.raises(ServeError, match="answers 500 to everything"):
        serve_cell("gunicorn-sync", "fastapi", "model")
    assert work.WARM not in os.environ


def services():
    return [one.pid for one in psutil.process_iter() if "upstream.py" in arguments(one.pid)]


def arguments(pid):
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return ""


def post(server, path, body):
    """A reply to JSON."""
    headers = {"Content-Type": "application/json"}
    return httpx.post(server.url + path, content=body, headers=headers, timeout=60)
