"""The command line: sentences, exit codes, suggestions; no traceback for what is expected."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.timeout(300)  # on a machine that has much else to do


def playground(*args: str, workspace: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", *args],
        env=os.environ | {"PLAYGROUND_WORKSPACE": str(workspace), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_the_console_script_is_installed(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("playground")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    for verb in ("lab", "reset", "doctor", "gate", "check", "hint", "progress", "exercises"):
        assert f" {verb} " in done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["doctr"], "Did you mean 'doctor'?"),
        (["reset"], "give chapters or exercises"),
        (["reset", "02", "--all"], "give chapters or exercises"),
        (["lab", "--port", "99999"], "65535"),
        (["run", "waitress", "--save", "no-folder/x.trace"], "into the folder no-folder"),
        (["export", "x.trace", "--html", "no-folder/x.html"], "into the folder no-folder"),
        (["run", "waitress", "-n", "some"], "valid integer"),
        (["run", "waitress", "--every", "soon"], "--every"),
        (["export", "x.trace"], "--perfetto"),
        (["run", "waitress", "--arrivals", "random"], "'random' is not one"),
        (["run", "waitress", "--workload", "cpu", "--app", "cpu"], "leave out --app and --path"),
        (["run", "waitress", "--framework", "flask"], "go with a --workload"),
        (["run", "waitress", "--workload", "cpu", "--size", "ms"], "NAME=NUMBER, such as s=0.2"),
        (["compare", "waitress"], "from two to four set-ups"),
        (["compare", *["waitress"] * 5], "from two to four set-ups"),
        (["compare", "waitress", "waitress:2x"], "'waitress:2x' is no set-up with a size"),
        (["compare", "waitress", "uvicorn", "--png", "no-folder/x.png"], "the folder no-folder"),
        (["check", "--watch"], "exactly one exercise"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_wrong_usage_is_exit_code_2(tmp_path: Path, args: list[str], message: str) -> None:
    done = playground(*args, workspace=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["reset", "77"], "Nothing in the workspace is called '77'"),
        (["lab", "77"], "There is no chapter '77'"),
        (["show", "no-such-file.trace"], "no-such-file.trace"),
        (["show", __file__], "is not a trace"),
        (["export", __file__, "--svg", "x.svg"], "is not a trace"),
        (["run", "gunicorn-sink"], "Did you mean 'gunicorn-sync'?"),
        (["run", "waitress", "-n", "0"], "from 1 to 10000"),
        (["run", "waitress", "-w", "0"], "workers=1 only"),
        (["run", "waitress", "--path", "slow"], "begins with a slash"),
        (["run", "waitress", "--loop", "uvloop"], "has no event loop to choose"),
        (["run", "uvicorn", "--loop", "trio"], "one of asyncio, uvloop"),
        (["run", "waitress", "--probe", "health"], "begins with a slash"),
        (["run", "waitress", "--arrivals", "steady", "--probe", "health"], "begins with a slash"),
        (["run", "waitress", "--probe", "/", "--every", "0"], "every= is a number of seconds"),
        (["run", "waitress", "--app", "no_such:app"], "no module 'no_such'"),
        (["run", "waitress", "--seconds", "2"], "leave out seconds="),
        (["run", "waitress", "--workload", "waitin"], "Did you mean 'waiting'?"),
        (["run", "waitress", "--workload", "cpu", "--framework", "flsk"], "Did you mean 'flask'?"),
        (["run", "waitress", "--workload", "cpu", "--size", "s=1"], "has no size 's': it has ms"),
        (["run", "uvicorn", "--workload", "websocket"], "use talk(server, '/ws')"),
        (["run", "gunicorn-sync", "--workload", "hello", "--framework", "fastapi"], "answers 500"),
        (["run", "waitress", "--arrivals", "steady", "--rate", "0"], "rate= is a number"),
        (["compare", "minimal-wsgi", "gunicorn-sink"], "Did you mean 'gunicorn-sync'?"),
        (["compare", "minimal-wsgi", "minimal-wsgi:99"], "workers from 1 to 64"),
        (["compare", "minimal-wsgi", "waitress", "--rounds", "0"], "rounds= is a whole number"),
        (["check", "no-such-exercise"], "There is no exercise"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_exit_code_1(
    tmp_path: Path, args: list[str], message: str
) -> None:
    done = playground(*args, workspace=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("playground: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_workspace_of_another_version_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "workspace.json").write_text('{"format": 0, "files": {}}')
    done = playground("lab", "--no-browser", workspace=tmp_path)
    assert done.returncode == 1
    assert "playground reset --all" in done.stderr
    done = playground("reset", "--all", workspace=tmp_path)
    assert done.returncode == 0
    assert "Your files are in" in done.stdout


def test_reset_of_one_exercise_by_its_id(tmp_path: Path) -> None:
    from playground.grading import exercise

    one = exercise.load()[0]
    mine = tmp_path / "exercises" / one.rel
    mine.parent.mkdir(parents=True)
    mine.write_text("my work")
    done = playground("reset", one.id, workspace=tmp_path)
    assert done.returncode == 0, done.stderr
    assert mine.read_text() == one.stub.read_text()
    (backup,) = (tmp_path / "backups").glob(f"*/exercises/{one.rel}")
    assert backup.read_text() == "my work"
    assert str(backup.parents[2]) in done.stdout


def test_a_run_is_drawn_saved_shown_and_exported(tmp_path: Path) -> None:
    trace, svg, html, perfetto = (tmp_path / f"a.{end}" for end in ("trace", "svg", "html", "json"))
    table, png = tmp_path / "a.csv", tmp_path / "a.png"
    args = ["run", "minimal-wsgi", "--app", "hello", "-n", "3", "-w", "2", "--save", str(trace)]
    ran = playground(*args, workspace=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("3 of 3") == 1
    shown = playground("show", str(trace), workspace=tmp_path)
    assert "3 of 3" in shown.stdout
    out = ["--svg", str(svg), "--html", str(html), "--perfetto", str(perfetto)]
    out += ["--csv", str(table), "--png", str(png)]
    done = playground("export", str(trace), *out, workspace=tmp_path)
    assert done.returncode == 0, done.stderr
    assert svg.read_text().startswith("<svg")
    assert "<html" in html.read_text()
    assert json.loads(perfetto.read_text())["traceEvents"]
    assert [line.split(",")[:3] for line in table.read_text().splitlines()] == [
        ["run", "round", "request"],
        *(["minimal-wsgi", "1", str(number)] for number in (1, 2, 3)),
    ]
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_load_over_time_tells_its_percentiles_and_as_json_nothing_else(tmp_path: Path) -> None:
    args = ["run", "minimal-wsgi", "--app", "hello", "-n", "5", "--arrivals", "poisson"]
    ran = playground(*args, "--rate", "50", workspace=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "5 of 5" in ran.stdout
    assert "p99" in ran.stdout
    told = playground(*args, "--rate", "50", "--json", workspace=tmp_path)
    found = json.loads(told.stdout)
    assert (found["served"], found["arrivals"]) == (5, "poisson")
    assert {"p50_s", "p90_s", "p95_s", "p99_s", "sender_late_ms", "bottleneck"} <= set(found)
    assert (told.returncode, told.stderr) == (0, "")


def test_servers_that_take_turns_are_compared_as_text_json_and_files(tmp_path: Path) -> None:
    files = {end: tmp_path / f"a.{end}" for end in ("csv", "png", "svg", "html")}
    args = ["compare", "minimal-wsgi:1x2", "minimal-asgi", "-n", "4", "--rate", "50"]
    args += ["--rounds", "2", "--app", "hello"]
    done = playground(
        *args, *(f"--{end}={file}" for end, file in files.items()), workspace=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "times minimal-wsgi:1x2" in done.stdout
    assert done.stdout.count("8 of 8") == 2
    lines = [line.split(",")[:3] for line in files["csv"].read_text().splitlines()[1:]]
    assert lines == [
        [name, turn, number]
        for name in ("minimal-wsgi:1x2", "minimal-asgi")
        for turn in "12"
        for number in "1234"
    ]
    assert files["png"].read_bytes().startswith(b"\x89PNG")
    assert files["svg"].read_text().startswith("<svg")
    page = files["html"].read_text()
    assert "times minimal-wsgi:1x2" in page
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org", ""), "it needs nothing else"
    told = playground(*args, "--json", workspace=tmp_path)
    found = json.loads(told.stdout)
    assert [one["name"] for one in found["servers"]] == ["minimal-wsgi:1x2", "minimal-asgi"]
    assert found["rounds"] == 2
    assert (told.returncode, told.stderr) == (0, "")


def test_a_workload_is_served_in_a_framework_or_the_plain_app(tmp_path: Path) -> None:
    args = ["compare", "flask-dev", "minimal-asgi", "--workload", "waiting", "--size", "s=0.01"]
    done = playground(*args, "-n", "2", "--rounds", "1", "--json", workspace=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["path"] == "/waiting?s=0.01"
    assert [one["served"] for one in found["servers"]] == [2, 2]
    args = [
        "run",
        "uvicorn",
        "--workload",
        "hybrid",
        "--framework",
        "starlette",
        "--size",
        "s=0.01",
    ]
    ran = playground(*args, "-n", "2", workspace=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "GET /hybrid?s=0.01&ms=20 on uvicorn" in ran.stdout


def test_what_was_not_served_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    args = ["compare", "waitress", "minimal-wsgi", "--app", "crash", "-n", "2", "--rounds", "1"]
    done = playground(*args, workspace=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("playground: 2 of 2 answers of waitress were wrong: status 500")
    assert len(done.stderr.splitlines()) == 1
    assert "2 of 2" in done.stdout, "what came of it is told all the same"


def test_a_run_on_a_chosen_loop_with_a_probe(tmp_path: Path) -> None:
    saved = tmp_path / "a.trace"
    args = ["run", "minimal-asgi", "--app", "block", "--path", "/?s=0.5", "-n", "1"]
    more = ["--loop", "uvloop", "--probe", "/health", "--every", "0.1", "--save", str(saved)]
    ran = playground(*args, *more, workspace=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "--loop uvloop" in " ".join(ran.stdout.split())
    assert "probe /health on minimal-asgi" in ran.stdout
    assert "1 of 1" in ran.stdout
    meta = json.loads(saved.read_bytes().partition(b"\n")[0])["meta"]
    assert (meta["loop"], meta["probe_from"]) == ("uvloop", 2)


def test_an_app_in_the_current_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def app(environ, start_response):\n    raise ValueError('cold')\n"
    )
    done = subprocess.run(
        [Path(sys.executable).with_name("playground"), "run", "waitress", "--app", "mine:app"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1
    assert "8 requests: ValueError: cold" in done.stdout
    assert done.stderr.startswith("playground: 8 of 8 answers of waitress were wrong: status 500")
    assert len(done.stderr.splitlines()) == 1


def test_a_trace_that_was_cut_short_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.trace", tmp_path / "cut.trace"
    args = ["run", "minimal-wsgi", "--app", "hello", "-n", "4", "--save", str(whole)]
    playground(*args, workspace=tmp_path)
    cut.write_bytes(whole.read_bytes()[:-10])
    shown = playground("show", str(cut), workspace=tmp_path)
    assert shown.returncode == 0
    assert shown.stderr.startswith("playground: ")
    assert "was cut short" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def test_the_setups_are_listed(tmp_path: Path) -> None:
    listed = playground("setups", workspace=tmp_path).stdout
    assert "gunicorn-sync" in listed
    assert "minimal-wsgi" in listed
    told = json.loads(playground("setups", "--json", workspace=tmp_path).stdout)
    (sync,) = [one for one in told["setups"] if one["name"] == "gunicorn-sync"]
    assert (sync["interface"], sync["max_threads"], sync["installed"]) == ("wsgi", 1, True)
    for kind, name in (("frameworks", "flask"), ("workloads", "waiting")):
        assert name in {one["name"] for one in told[kind]}
        assert f"\n{name} " in listed


def test_of_one_setup_it_is_told_what_goes_with_it(tmp_path: Path) -> None:
    listed = playground("setups", "gunicorn-sync", workspace=tmp_path).stdout
    heading, *rows = listed[listed.index("workload") :].splitlines()
    assert heading.split() == ["workload", "wsgi", "flask", "django"]
    assert rows[0].split() == ["hello", "✓", "✓", "✓"]
    assert ["websocket", "–", "–", "–"] in [row.split() for row in rows]
    assert "answers 500 to" in listed
    told = json.loads(playground("setups", "gunicorn-sync", "--json", workspace=tmp_path).stdout)
    (hello,) = [one for one in told if (one["framework"], one["workload"]) == ("fastapi", "hello")]
    assert (hello["valid"], hello["anyway"]) == (False, 500)


def test_of_a_setup_that_does_not_exist_the_nearest_is_named(tmp_path: Path) -> None:
    shown = playground("setups", "gunicorn-sink", workspace=tmp_path)
    assert shown.returncode == 1
    assert "Did you mean 'gunicorn-sync'?" in shown.stderr


def test_doctor_as_json(tmp_path: Path) -> None:
    done = playground("doctor", "--json", workspace=tmp_path / "none")
    findings = json.loads(done.stdout)
    assert {"name", "state", "detail", "remedy"} == set(findings[0])
    assert (done.returncode == 0) == all(one["state"] != "problem" for one in findings)


@pytest.mark.parametrize(
    ("args", "seen", "code"),
    [
        (["run", "waitress", "--path", "/?s=60"], "waitress --listen", 130),
        (["compare", "minimal-wsgi", "waitress", "--path", "/?s=60"], "waitress --listen", 130),
        (["check", "http-request-line", "--file", "endless.py"], "playground.grading.child", 130),
        (["check", "http-request-line", "--watch"], "playground.grading.child", 0),
    ],
)
def test_ctrl_c_ends_it_quietly_and_leaves_no_process(
    tmp_path: Path, args: list[str], seen: str, code: int
) -> None:
    (tmp_path / "endless.py").write_text("while True: pass\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "playground", *args],
        cwd=tmp_path,
        env=os.environ | {"PLAYGROUND_WORKSPACE": str(tmp_path), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    if "--watch" in args:
        assert process.stdout is not None
        for line in process.stdout:  # until the verdict is there
            if line.startswith("╰"):
                break
    started = [] if "--watch" in args else _descendants(process.pid, seen)
    os.killpg(process.pid, signal.SIGINT)
    try:
        said, _ = process.communicate(timeout=100)
    finally:
        process.kill()  # whoever does not listen
    assert process.returncode == code
    assert "Traceback" not in said
    assert "KeyboardInterrupt" not in said
    psutil.wait_procs(started, timeout=60)
    assert [one for one in started if one.is_running()] == []
    left = [*tmp_path.glob("server-*/**/*"), *tmp_path.glob("server-*"), *tmp_path.glob("trace-*")]
    assert left == []


def test_ctrl_c_in_the_middle_leaves_the_run_so_far(tmp_path: Path) -> None:
    saved, asked = tmp_path / "a.trace", tmp_path / "asked"
    (tmp_path / "mine.py").write_text(
        "import pathlib\n"
        "def app(environ, start_response):\n"
        f"    pathlib.Path({str(asked)!r}).touch()\n"
        "    start_response('200 OK', [])\n"
        "    return [b'']\n"
    )
    args = ["run", "minimal-wsgi", "--app", "mine:app", "--arrivals", "steady", "--seconds", "60"]
    process = subprocess.Popen(
        [sys.executable, "-m", "playground", *args, "--save", str(saved)],
        cwd=tmp_path,
        env=os.environ | {"PLAYGROUND_WORKSPACE": str(tmp_path), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    started = _descendants(process.pid, "minimal_servers wsgi")
    for _ in range(3000):
        if asked.exists():
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    psutil.wait_procs(started, timeout=60)
    assert [one for one in started if one.is_running()] == []
    assert f"The trace is in {saved}" in said
    shown = playground("show", str(saved), workspace=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "steady 20/s for 60 s" in shown.stdout


def _descendants(pid: int, seen: str) -> list[psutil.Process]:
    """The processes below `pid`, once one of them has `seen` in its command."""
    for _ in range(3000):
        found = psutil.Process(pid).children(recursive=True)
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(seen in " ".join(one.cmdline()) for one in found):
                return found
        time.sleep(0.02)
    raise AssertionError(f"no process {seen!r} within a minute")


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    command = f"{sys.executable} -m playground doctor --json | head -c 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from playground import cli

    monkeypatch.setattr(cli, "app", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main()
