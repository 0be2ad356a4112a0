import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

CHECKOUT = str(Path(__file__).resolve().parents[2])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A current folder in which nobody else changes files: a server may watch it."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def until():
    """Wait for a condition; the deadline only stops a hang."""

    def wait(condition, what="the condition"):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, f"waited 60 s for {what}"
            time.sleep(0.01)

    return wait


def port_is_free(port):
    """Whether one can listen there again: nobody else does."""
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            again.bind(("127.0.0.1", port))
            again.listen()
        except OSError:
            return False
    return True


def alive(pids):
    """Those of ``pids`` that have not ended."""
    return [pid for pid in pids if psutil.pid_exists(pid) and not _zombie(pid)]


def _zombie(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def interpreter(tmp_path):
    """Run a script in an interpreter of its own, as a notebook's kernel would."""
    started = []

    def run(source):
        script = tmp_path / "script.py"
        script.write_text(source)
        env = {**os.environ, "PYTHONPATH": CHECKOUT, "TMPDIR": str(tmp_path)}
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [sys.executable, str(script)], stdout=pipe, stdin=pipe, text=True, env=env
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()
