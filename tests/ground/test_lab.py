"""`playground lab` as a process: a busy port, Ctrl-C, no screen, the learner's own Jupyter."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import nbformat
import psutil
import pytest

from playground import lab
from tests.ports import free_ports

Start = Callable[..., "Running"]
HANG_S = 60.0  # only stops a hang
pytestmark = pytest.mark.timeout(5 * HANG_S)


class Running:
    """A started lab: the process and the address it printed."""

    def __init__(self, workspace: Path, *args: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "playground", "lab", *args],
            env=os.environ | {"PLAYGROUND_WORKSPACE": str(workspace)} | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if "http://" in line:
                break
        assert "http://" in said, said
        self.said = said
        self.address = said[said.index("http://") :].split()[0]
        self.origin = self.address.partition("/lab")[0]
        self.headers = {"Authorization": f"token {self.address.partition('token=')[2]}"}

    def start_kernel(self) -> psutil.Process:
        made = httpx.post(
            f"{self.origin}/api/kernels", headers=self.headers, json={}, timeout=HANG_S
        )
        made.raise_for_status()
        (kernel,) = [
            child
            for child in psutil.Process(self.process.pid).children()
            if "ipykernel_launcher" in command(child)
        ]
        return kernel

    def get(self, path: str) -> httpx.Response:
        """What it answers to somebody who has its token."""
        return httpx.get(f"{self.origin}/{path}", headers=self.headers, timeout=HANG_S)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with one more chapter, whether or not the course has any yet."""
    folder = tmp_path / "workspace"
    (folder / "notebooks").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(), folder / "notebooks/09_made_up.ipynb")
    return folder


@pytest.fixture
def start(place: Path) -> Iterator[Start]:
    running: list[Running] = []

    def start_(*args: str, **env: str) -> Running:
        running.append(Running(place, *args, **env))
        return running[-1]

    yield start_
    for one in running:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_way_to_end_it_ends_its_kernels_and_frees_the_port(start: Start, number: int) -> None:
    port = free_ports()
    running = start("09", "--no-browser", "--port", str(port))
    assert running.origin == f"http://127.0.0.1:{port}"
    kernel = running.start_kernel()
    running.process.send_signal(number)
    assert running.process.wait(timeout=HANG_S) == 0
    psutil.wait_procs([kernel], timeout=HANG_S)
    assert not kernel.is_running()
    socket.create_server(("127.0.0.1", port)).close()


def test_a_second_ctrl_c_ends_what_a_first_one_cannot(start: Start) -> None:
    running = start("09", "--no-browser", "--port", "0")
    kernel = running.start_kernel()
    kernel.suspend()  # it will not hear that it shall end
    running.process.send_signal(signal.SIGINT)
    assert running.process.stdout is not None
    while "Ctrl-C again" not in (line := running.process.stdout.readline()):
        assert line, "it ended without a word"
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=HANG_S) == 1
    assert "Ended at once, as you asked, kernels killed: 1" in running.process.stdout.read()
    psutil.wait_procs([kernel], timeout=HANG_S)
    assert not kernel.is_running()


def test_who_does_not_end_when_asked_is_ended() -> None:
    code = (
        "import os, signal, subprocess, sys, time; from playground.ending import end_on_signals\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "end_on_signals(lambda: None, grace_s=0.1)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "time.sleep(60)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_S
    )  # returns when the child, which has the same pipes, is gone too
    assert done.returncode == 1
    assert done.stderr.endswith("Ended 0.1 s after it was asked to, kernels killed: 1\n")


def test_the_terminal_of_who_is_asked_to_end_stays_as_it_was() -> None:
    code = (
        "import os, signal; from playground.ending import end_on_signals\n"
        "end_on_signals(lambda: None)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "print(os.get_blocking(2))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_S
    )
    assert done.stdout == "True\n"
    assert done.stderr == "Ending; Ctrl-C again ends it at once.\n"


def test_a_busy_port_is_left_alone_and_the_next_one_taken(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        running = start("09", "--no-browser", "--port", str(port))
        taken = int(running.origin.rpartition(":")[2])
        assert port < taken
        assert f"Port {port} is taken: this is {taken}." in running.said
        answer = httpx.get(running.address, follow_redirects=True, timeout=HANG_S)
        assert answer.status_code == 200


def test_the_address_needs_its_token_and_names_the_chapter(start: Start) -> None:
    running = start("09", "--no-browser", "--port", "0")
    assert "/lab/tree/notebooks/09_made_up.ipynb?token=" in running.address
    assert running.origin.startswith("http://127.0.0.1:")
    assert httpx.get(f"{running.origin}/api/contents", timeout=HANG_S).status_code == 403


def test_an_old_kernel_in_the_home_folder_cannot_win_and_nothing_there_changes(
    start: Start, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    stale = home / ".local/share/jupyter/kernels/python3/kernel.json"
    stale.parent.mkdir(parents=True)
    stale.write_text(json.dumps({"argv": ["/bin/false"], "display_name": "stale", "language": "x"}))
    config = home / ".jupyter/jupyter_server_config.py"
    config.parent.mkdir()
    config.write_text("c.ServerApp.token = 'mine'\nc.ServerApp.ip = '0.0.0.0'\n")
    startup = home / ".ipython/profile_default/startup/00.py"
    startup.parent.mkdir(parents=True)
    startup.write_text("raise SystemExit('not the course')")
    before = snapshot(home)
    running = start(
        "09", "--no-browser", "--port", "0", HOME=str(home), JUPYTER_PATH=str(stale.parents[2])
    )
    found = running.get("api/kernelspecs").json()
    assert found["default"] == "python3"
    assert list(found["kernelspecs"]) == ["python3"]
    assert found["kernelspecs"]["python3"]["spec"]["display_name"] != "stale"
    kernel = running.start_kernel()
    assert Path(kernel.cmdline()[0]) == Path(sys.executable)
    assert snapshot(home) == before


def test_two_labs_can_run_side_by_side(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    first, second = (start("09", "--no-browser", "--port", port) for _ in range(2))
    assert first.origin != second.origin
    for one in (first, second):
        assert one.get("api/status").status_code == 200


@pytest.mark.parametrize(
    ("variables", "browser", "opens"),
    [
        ({}, None, False),
        ({"DISPLAY": ":0"}, "w3m", False),
        ({"DISPLAY": ":0"}, "/usr/bin/www-browser", False),
        ({"DISPLAY": ":0"}, "firefox", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "xdg-open", True),
    ],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS always has a graphical browser")
def test_only_a_graphical_browser_is_opened(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], browser: str | None, opens: bool
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def get() -> object:
        if browser is None:
            raise lab.webbrowser.Error("could not locate runnable browser")
        return lab.webbrowser.GenericBrowser(browser)

    monkeypatch.setattr(lab.webbrowser, "get", get)
    assert lab.has_graphical_browser() is opens


def test_with_a_screen_the_browser_gets_the_address(start: Start, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    running = start("09", "--port", "0", DISPLAY=":99", BROWSER=f"{browser} %s")
    deadline = time.monotonic() + HANG_S
    while not opened.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert opened.read_text().strip() == running.address


def command(process: psutil.Process) -> str:
    """Return the command line; a process that has just ended has none."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
