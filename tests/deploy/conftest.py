"""A hub started from `deploy/`, as its README says, in a scratch folder; shared by this folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from jupyter_server.services.kernels.connection.base import deserialize_binary_message
from websockets.sync.client import ClientConnection, connect

from tests.ports import free_ports

CHECKOUT = Path(__file__).resolve().parents[2]
CONFIG = CHECKOUT / "deploy/jupyterhub_config.py"
HANG_S = 240.0  # only stops a hang
PATIENCE = [f"--Spawner.{name}_timeout={HANG_S:.0f}" for name in ("start", "http")]
PORTS = 4  # that the hub takes: the one it is given, and those above it
RUNNING = "JupyterHub is now running"
FROM_OUTSIDE = ("PLAYGROUND_", "JUPYTER", "IPYTHON")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what lies in this folder on one worker: it shares one hub."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("deploy"))


class Hub:
    """A hub: its process and ports, its folder, and the only home and temporary folders it knows.

    Attributes
    ----------
    place: holds all of it, and what the hub said in `log`
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder, self.home, self.temporary = (place / name for name in ("hub", "home", "tmp"))
        for folder in (self.home, self.temporary):
            folder.mkdir(exist_ok=True)
        self._started: set[psutil.Process] = set()
        self._start()

    def _start(self) -> None:
        """On free ports; again when somebody was quicker, or the proxy took more than 10 s."""
        for _ in range(5):
            self.port = free_ports(PORTS)
            self.origin = f"http://127.0.0.1:{self.port}"
            self.process = self._launch()
            if wait(self._is_up, "the hub") == "up":
                self.passwords = json.loads((self.folder / "passwords.json").read_text())
                return
        raise AssertionError(self.log())

    def _launch(self) -> subprocess.Popen[bytes]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(FROM_OUTSIDE)}
        with open(self.place / "log", "ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG), *PATIENCE],
                cwd=self.place,
                env=inherited
                | {
                    "HOME": str(self.home),
                    "TMPDIR": str(self.temporary),
                    "PLAYGROUND_HUB_FOLDER": str(self.folder),
                    "PLAYGROUND_HUB_PORT": str(self.port),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _is_up(self) -> str:
        if self.process.poll() is not None:
            return "ended"
        self._started.update(self.descendants())
        try:
            is_board = httpx.get(f"{self.origin}/services/board/page/board.js").status_code == 403
        except httpx.TransportError:
            return ""
        return "up" if is_board else ""  # the last of its parts that starts

    def log(self) -> str:
        """What the hub and its children have said."""
        return (self.place / "log").read_text(errors="replace")

    def everything(self) -> list[psutil.Process]:
        """What has come from it and still runs, also from one that crashed."""
        self._started.update(self.descendants())
        return [one for one in self._started if runs(one)]

    def descendants(self) -> list[psutil.Process]:
        """Every process that came from it: proxy, board, servers, kernels."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def crash(self) -> None:
        """End the hub's own process alone, as a lack of memory would, and start it again."""
        self._started.update(self.descendants())
        before = self.log().count(RUNNING)
        self.process.kill()
        self.process.wait()
        self.process = self._launch()
        wait(lambda: self.process.poll() or self.log().count(RUNNING) > before, "another hub")
        assert wait(self._is_up, "another board") == "up", self.log()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=HANG_S)

    def kill(self) -> None:
        """End it and everything that came from it, whatever state it is in."""
        for one in self._started.union(self.descendants()):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.kill()
        self.process.wait()


class Person:
    """Somebody who logs in: with a browser's cookies (`browser`), and a hub token (`api`)."""

    def __init__(self, hub: Hub, name: str, *, instructor: bool = False) -> None:
        self.hub, self.name = hub, name
        self.browser = httpx.Client(base_url=hub.origin, follow_redirects=True, timeout=HANG_S)
        self.browser.get("/hub/login")
        password = hub.passwords["instructors" if instructor else "learners"]
        self.logged_in = self.browser.post(
            "/hub/login",
            params={"next": "/hub/home"},
            data={"username": name, "password": password, "_xsrf": self._xsrf()},
        )
        self.logged_in.raise_for_status()
        made = self.browser.post(
            f"/hub/api/users/{name}/tokens",
            headers={"X-XSRFToken": self._xsrf(), "Referer": f"{hub.origin}/hub/home"},
            json={},
        )
        made.raise_for_status()
        self.headers = {"Authorization": f"token {made.json()['token']}"}
        self.api = httpx.Client(base_url=hub.origin, headers=self.headers, timeout=HANG_S)

    def _xsrf(self) -> str:
        return str(self.browser.cookies.get("_xsrf", path="/hub/"))

    def ask_for_server(self) -> None:
        """Ask for the server; others can do the same meanwhile."""
        self.api.post(f"/hub/api/users/{self.name}/server").raise_for_status()

    def wait_for_server(self) -> None:
        """Wait until it answers."""
        wait(self._has_server, f"the server of {self.name}")

    def stop_server(self) -> None:
        """End the server, and wait for it."""
        self.api.delete(f"/hub/api/users/{self.name}/server").raise_for_status()
        wait(lambda: not self._servers(), f"the end of the server of {self.name}")

    def _servers(self) -> dict[str, Any]:
        return dict(self.api.get(f"/hub/api/users/{self.name}").json()["servers"])

    def _has_server(self) -> bool:
        return bool(self._servers().get("", {}).get("ready"))

    def workspace(self) -> Path:
        """The folder on the disk."""
        return self.hub.folder / "homes" / self.name / "course"

    def new_kernel(self) -> str:
        """Start a kernel as JupyterLab does; return its path below the hub's address."""
        made = self.api.post(f"/user/{self.name}/api/kernels", json={"path": "notebooks/02.ipynb"})
        made.raise_for_status()
        return f"/user/{self.name}/api/kernels/{made.json()['id']}/channels"

    def execute(self, kernel: str, cells: list[str]) -> list[str]:
        """Run cells over a WebSocket through the hub's proxy; return what each of them said.

        Raises AssertionError with the traceback of the first cell that fails.
        """
        said = []
        with web_socket(self.hub.port, kernel, self.headers) as socket:
            for source in cells:
                request = execute_request(source)
                socket.send(json.dumps(request))
                outputs = []
                while True:
                    message = decoded(socket.recv(timeout=HANG_S))
                    if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                        continue
                    content = message["content"]
                    assert message["msg_type"] != "error", "\n".join(content["traceback"])
                    outputs.append(text(content))
                    if content.get("execution_state") == "idle":
                        break
                said.append("".join(outputs))
        return said


def web_socket(port: int, path: str, headers: dict[str, str]) -> ClientConnection:
    """A connection through the hub's proxy, which may take its time."""
    address = f"ws://127.0.0.1:{port}{path}"
    patience: dict[str, Any] = {"open_timeout": HANG_S, "ping_interval": None}
    return connect(address, additional_headers=headers, max_size=None, **patience)


def execute_request(source: str) -> dict[str, Any]:
    """A message of Jupyter's protocol that asks a kernel to run a cell."""
    return {
        "channel": "shell",
        "header": {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": uuid.uuid4().hex,
            "date": "",
            "version": "5.4",
        },
        "parent_header": {},
        "metadata": {},
        "content": {"code": source, "silent": False, "allow_stdin": False},
        "buffers": [],
    }


def decoded(frame: str | bytes) -> dict[str, Any]:
    """A message of Jupyter's protocol; those with buffers come as bytes."""
    return dict(
        deserialize_binary_message(frame) if isinstance(frame, bytes) else json.loads(frame)
    )


def text(content: dict[str, Any]) -> str:
    """The plain text of a message."""
    return str(content.get("text") or content.get("data", {}).get("text/plain", ""))


def wait(condition: Callable[[], Any], what: str) -> Any:
    """Wait until `condition` is true, and return it; the deadline only stops a hang."""
    deadline = time.monotonic() + HANG_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {HANG_S:.0f} s for {what}"
        time.sleep(0.1)
    return found


def runs(process: psutil.Process) -> bool:
    """Whether it has not ended; where nobody waits for orphans, they stay as zombies."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A running hub; `test_stopping.py`, which comes last, ends it."""
    started = Hub(tmp_path_factory.mktemp("deploy"))
    yield started
    started.kill()


@pytest.fixture(scope="session")
def learners(hub: Hub) -> tuple[Person, Person]:
    """Two learners who have asked for their servers at the same time, and have them."""
    both = Person(hub, "ada"), Person(hub, "grace")
    for one in both:
        one.ask_for_server()
    for one in both:
        one.wait_for_server()
    return both
