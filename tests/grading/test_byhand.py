"""`playground exercises serve`: a learner's own server or app, asked by hand."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from playground import get, serve, workspace
from playground.grading import byhand, exercise, grade, render
from playground.grading.cli import _print
from playground.patience import ended

CHECKOUT = workspace.checkout()
CATALOGUE = {each.id: each for each in exercise.load()}
SERVED = {name: each for name, each in CATALOGUE.items() if byhand.can_be_asked(each)}
NC = f"""#!{sys.executable}
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 60) as server:
    server.sendall(sys.stdin.buffer.read())
    server.shutdown(socket.SHUT_WR)
    sys.stdout.buffer.write(b"".join(iter(lambda: server.recv(65536), b"")))
"""


def command(name: str, file: Path, *more: str) -> list[str]:
    words = ["exercises", "serve", name, "--file", str(file), *more]
    return [sys.executable, "-m", "playground", *words]


@contextmanager
def served(name: str, file: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command, and the port that it tells."""
    process = subprocess.Popen(command(name, file, *more), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "PORT=" in line)
        yield process, int(line.strip().removeprefix("PORT="))
    finally:
        process.kill()
        process.wait()


def end(family: list[psutil.Process]) -> None:
    """Wait until all of them have ended; nobody may be there to reap those that lost a parent."""
    deadline = time.monotonic() + 60
    while left := [each.pid for each in family if not ended(each.pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def test_every_exercise_whose_verdict_says_how_to_repeat_it_can_be_served():
    talked_to = {
        name for name, each in CATALOGUE.items() if "Server(" in each.grader.read_text("utf-8")
    }
    assert len(talked_to) >= 8
    assert talked_to <= SERVED.keys()


@pytest.mark.parametrize("name", SERVED)
def test_every_solution_is_served_and_says_what_to_ask(name):
    found = byhand.by_hand(SERVED[name], SERVED[name].solution)
    assert found.says.endswith(".")
    assert "$PORT" in found.ask
    with serve(found.setup, found.app, trace=False) as server:
        if found.ask.startswith("curl"):
            path = re.search(r"\$PORT([^\"]*)", found.ask)[1]
            assert get(server, path).status in (200, 503, 504)
        else:
            assert listens(server.port)
        assert server.running


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("whiteboard-echo", b"over the counter"),
        ("restaurant-threads", b"quick\n"),
        ("wsgi-middleware", b"GET /?s=0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        ("asgi-middleware", b"GET /?s=0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ],
)
def test_it_serves_until_ctrl_c_and_leaves_nothing(name, asked):
    with served(name, SERVED[name].solution) as (process, port):
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        with socket.create_connection(("127.0.0.1", port), 60) as client:
            client.sendall(asked)
            if name == "whiteboard-echo":
                client.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=100)
    expected = {"whiteboard-echo": asked, "restaurant-threads": b"quick was served\n"}
    assert expected.get(name, b"200 OK") in answer
    assert (process.returncode, said.rstrip().splitlines()[-1]) == (0, "Ended.")
    end(family)
    assert not listens(port)


def test_a_killed_command_leaves_nothing():
    with served("whiteboard-echo", SERVED["whiteboard-echo"].solution) as (process, port):
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        process.kill()
        end(family)
    assert not listens(port)


def test_the_two_commands_of_a_verdict_work_together(tmp_path):
    text = SERVED["http-bug-hunt"].solution.read_text("utf-8")
    mine = tmp_path / "bug_hunt.py"
    mine.write_text(text.replace('"close"', '"Close"'))
    verdict = grade(SERVED["http-bug-hunt"], mine)
    serving, repeating = render.repeats(verdict)
    assert serving == "playground exercises serve http-bug-hunt --port 8765"
    (tmp_path / "nc").write_text(NC)
    (tmp_path / "nc").chmod(0o755)
    with served("http-bug-hunt", mine, "--port", "0") as (_, port):
        done = subprocess.run(
            repeating.replace("8765", str(port)),
            shell=True,
            env=os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            timeout=100,
        )
    assert verdict.message.wire.received
    assert done.stdout == verdict.message.wire.received
    assert done.stderr == b""


def test_what_is_to_be_copied_is_in_one_line_below_the_box(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    verdict = grade(SERVED["http-bug-hunt"], CATALOGUE["http-bug-hunt"].stub, run_stub=True)
    commands = render.repeats(verdict)
    assert len(commands[1]) > 80
    _print(verdict)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == commands
    assert all(line[0] in "╭│╰" for line in lines[:-3])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("http-request-line", "", "http-request-line has no server or app to ask by hand"),
        ("whiteboard-echo", "def serve(:\n", "SyntaxError"),
        ("whiteboard-echo", "x = 1\n", "mine.py has no serve: keep the names of the stub."),
        ("asgi-middleware", "x = 1\n", "mine.py has no timed: keep the names of the stub."),
        ("whiteboard-echo", "def serve(listener):\n    1 / 0\n", "ZeroDivisionError"),
        ("whiteboard-echo", "def serve(listener):\n    pass\n", "function has returned"),
        ("wsgi-middleware", "def metered(*all):\n    return None\n", "None is not an app"),
    ],
)
def test_what_cannot_be_served_is_a_sentence(name, text, said, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(text)
    done = subprocess.run(command(name, mine), capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    told = done.stdout + done.stderr  # what ends at once may have been served for a moment
    assert said in told
    assert "Traceback" not in told
    assert str(CHECKOUT / "playground") not in told
    assert done.stderr.startswith("playground: ")


def test_a_port_in_use_is_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = command("whiteboard-echo", SERVED["whiteboard-echo"].solution, "--port", str(port))
        done = subprocess.run(words, capture_output=True, text=True, timeout=100)
    sentence = f"Port {port} is in use: stop what listens there, or leave out --port"
    assert (done.returncode, sentence in done.stderr) == (1, True)
