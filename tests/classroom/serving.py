"""A real board in a process of its own, and what learners and pages do with it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from playground.classroom.names import new_token
from tests.ports import free_ports

HANG_S = 90.0  # only a hang takes longer
FIRST = "http-request-line"
SECOND = "http-fields"


class Serving:
    """A board; `start` again after `kill` or `stop` gives the same board at the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.instructor = ""
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self, *options: str) -> None:
        """Start it, at the same port if it had one."""
        deadline = time.monotonic() + HANG_S
        while True:
            port = self.port or free_ports()
            self.process = self._popen(port, *options)
            assert self.process.stdout is not None
            self.said = ""
            for line in self.process.stdout:
                self.said += line
                if "Ctrl-C stops it" in line:
                    break
            else:
                assert "is taken" in self.said, self.said
                assert time.monotonic() < deadline, self.said
                continue
            break
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        typed = re.search(r"playground join (\S+) ([A-Z]+) --name NAME", self.said)
        assert typed is not None, self.said
        self.address, self.code = typed.groups()
        if link := re.search(r"#instructor=(\S+)", self.said):
            self.instructor = link[1]

    def _popen(self, port: int, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "playground", "classroom", "--port", str(port)),
                *("--store", str(self.folder), *options),
            ],
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def kill(self) -> None:
        """As the system does it, without a warning."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As Ctrl-C does it; return the exit code."""
        return self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        self.said += self.process.communicate(timeout=HANG_S)[0]
        return self.process.returncode

    def close(self) -> None:
        """Whatever happened."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    # ---- what learners do ----

    def post(self, what: str, token: str = "", **more: Any) -> httpx.Response:
        """One request."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.post(
            f"{self.base}/{what}", headers=headers, timeout=HANG_S, trust_env=False, **more
        )

    def join(self, name: str, token: str = "", code: str = "") -> str:
        """Let somebody join; return their token."""
        token = token or new_token()
        answer = self.post("join", json={"code": code or self.code, "name": name, "token": token})
        assert answer.status_code == 200, answer.text
        return token

    def report(self, token: str, exercise: str, status: str, **more: Any) -> None:
        """Report a check."""
        answer = self.post("report", token, json={"reports": [report(exercise, status, **more)]})
        assert answer.status_code == 200, answer.text

    def act(self, action: str, learner: int | None = None) -> None:
        """What the instructor does."""
        form = {"action": action, "learner": learner}
        answer = self.post("instructor", self.instructor, json=form)
        assert answer.status_code == 200, answer.text

    # ---- what is seen ----

    @contextlib.contextmanager
    def page(self, **said: str) -> Iterator[Any]:
        """A connection as the page has it; `said` is its first message."""
        address = f"ws://127.0.0.1:{self.port}/live"
        with connect(address, proxy=None, open_timeout=HANG_S, ping_interval=None) as socket:
            socket.send(json.dumps(said))
            yield socket

    def state(self, is_so: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """What the page shows, once it is so."""
        with self.page(instructor=self.instructor) as socket:
            assert "titles" in json.loads(socket.recv(HANG_S))
            deadline = time.monotonic() + HANG_S
            while True:
                state: dict[str, Any] = json.loads(socket.recv(HANG_S))
                if is_so(state):
                    return state
                assert time.monotonic() < deadline, state

    def refused(self, **said: str) -> int:
        """The code with which a page is closed instead of being shown anything."""
        with self.page(**said) as socket:
            return closed(socket, 0)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is in the store."""
        with contextlib.closing(sqlite3.connect(self.folder / "board.sqlite3")) as db:
            return db.execute(query).fetchall()


def closed(page: Any, most: int = 1000) -> int:
    """Read a page's messages, `most` of them, to its end; return the code of that."""
    for _ in range(most + 1):
        try:
            page.recv(HANG_S)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 0
    raise AssertionError("it is still open")


def report(exercise: str, status: str, **more: Any) -> dict[str, Any]:
    """A report with a name of its own."""
    return {"id": secrets.token_hex(16), "exercise": exercise, "status": status, **more}


def names(state: dict[str, Any]) -> list[str]:
    """Who is on the board."""
    return [each["name"] for each in state["learners"]]
