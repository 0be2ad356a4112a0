"""A real server with a gate inside, for predictions that are measured by who was inside together.

`House` runs a server (through `playground.serve`, so that nothing stays behind) with an app that
keeps every request inside until the grader lets it go. When "nobody else
can come in" matters, it looks whether any thread of the server could still run: never at the clock.
"""

from __future__ import annotations

import os
import re
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from playground.grading.learner import Learner, Raised
from playground.grading.verdict import fail
from playground.patience import at_rest
from playground.setups.server import serve

HOST = "127.0.0.1"
DEADLINE_S = 60.0  # stops a hang
LOOKS = 5  # in a row that must find every thread asleep
PAUSE_S = 0.02  # between two looks
PATIENT = {"uvicorn-workers": ("--timeout-worker-healthcheck=30",)}  # on a machine that is busy


@dataclass
class Guest:
    """One request: when it was sent, when the app got it, when its answer was there (seconds)."""

    name: str
    connection: socket.socket
    arrived: float
    seated: float = 0.0
    left: float = 0.0
    pid: int = 0
    gate: socket.socket | None = field(default=None, repr=False)


class House:
    """A server with ``workers`` × ``threads``; a context manager.

    ``app`` gets the port of the gate and returns the application: it connects, says its process id
    and the name of the guest in one line, and stays until the gate closes.
    """

    def __init__(
        self,
        workers: int,
        threads: int,
        setup: str = "minimal-wsgi",
        app: Callable[[int], Any] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.waiting: list[Guest] = []  # in the order in which they came
        self.inside: list[Guest] = []
        self.listener = socket.create_server((HOST, 0), backlog=128)
        try:
            target = (app or gated)(self.listener.getsockname()[1])
            self.server = serve(
                setup, target, workers=workers, threads=threads, trace=False,
                options=(*options, *PATIENT.get(setup, ())),
            )  # fmt: skip
        except BaseException:
            self.listener.close()
            raise

    def __enter__(self) -> House:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for guest in [*self.inside, *self.waiting]:
            guest.connection.close()
            if guest.gate is not None:
                guest.gate.close()
        self.listener.close()
        self.server.stop()

    @property
    def command(self) -> str:
        """What runs, as one would type it."""
        server = self.server
        assert server.setup is not None
        line = server.setup.line("…", 0, server.workers, server.threads, server.loop)
        patient = PATIENT.get(server.setup.name, ())
        line = " ".join([line, *(word for word in server.options if word not in patient)])
        return re.sub(r" --port 0| --bind \S+| --no-control-socket", "", line)

    def connect(self, data: bytes) -> socket.socket:
        """Open a connection and send bytes."""
        connection = socket.create_connection((HOST, self.server.port), timeout=DEADLINE_S)
        connection.sendall(data)
        return connection

    def come(self, *names: str) -> None:
        """One party comes; with several names, it sends that many requests over one connection."""
        connection = self.connect(b"".join(map(request, names)))
        now = time.monotonic()
        self.waiting += [Guest(name, connection, now) for name in names]

    def settle(self) -> None:
        """Return when everybody who can come in is inside."""
        limit = time.monotonic() + DEADLINE_S
        quiet = 0
        while quiet < LOOKS and time.monotonic() < limit:
            if self._admit(PAUSE_S) or not self._asleep():
                quiet = 0
            else:
                quiet += 1
        if quiet < LOOKS:
            raise TimeoutError(f"the server was not at rest after {DEADLINE_S:g} s")

    def leave(self, guest: Guest) -> None:
        """Let a guest go on, and read the answer."""
        self.inside.remove(guest)
        assert guest.gate is not None
        guest.gate.close()
        answer = b""
        while not answer.endswith(b"\r\n\r\n."):  # the next one on this connection is not out yet
            data = guest.connection.recv(4096)
            if not data:
                raise ConnectionError(f"{guest.name} got only {answer!r}")
            answer += data
        guest.left = time.monotonic()

    def _admit(self, wait_s: float) -> bool:
        """Note who has come in; False if nobody has."""
        if not select.select([self.listener], [], [], wait_s)[0]:
            return False
        gate, _ = self.listener.accept()
        gate.settimeout(DEADLINE_S)
        pid, name = gate.makefile("r", encoding="utf-8").readline().split()
        guest = next(guest for guest in self.waiting if guest.name == name)
        guest.seated, guest.pid, guest.gate = time.monotonic(), int(pid), gate
        self.waiting.remove(guest)
        self.inside.append(guest)
        return True

    def _asleep(self) -> bool:
        """Tell whether no thread of the server runs or could run (Linux; elsewhere: wait)."""
        if not Path("/proc/self/task").exists():
            time.sleep(10 * PAUSE_S)
            return True
        return at_rest(self.server.pids())


def request(name: str) -> bytes:
    """The bytes of one request."""
    return f"GET /{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def gated(port: int) -> Callable[..., Any]:
    """Return a WSGI app that reports at the gate and answers with one byte when it is opened."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        with socket.create_connection((HOST, port)) as gate:
            gate.sendall(f"{os.getpid()} {environ['PATH_INFO'][1:]}\n".encode())
            gate.recv(1)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1")])
        return [b"."]

    return app


def predictions(learner: Learner, keys: list[str]) -> dict[str, int]:
    """These numbers of the learner's file. Fails if one of them is missing."""
    return {key: prediction(learner, key) for key in keys}


def prediction(learner: Learner, key: str) -> int:
    """One number of the learner's file."""
    try:
        numbers = learner.name("PREDICTIONS")
    except Raised:
        numbers = None
    if not isinstance(numbers, dict):
        fail(
            "PREDICTIONS", "no dictionary of that name", "the dictionary of the stub, with numbers",
            nudge="Keep the name and the keys of the stub.",
        )  # fmt: skip
    value = numbers.get(key)
    if type(value) is not int:
        nudge = "Guess if you must: a wrong prediction teaches more than none."
        if value is not None:
            nudge = "The number alone: no quotes, no decimal point, no True or False."
        fail(
            f"PREDICTIONS[{key!r}]", repr(value), "a whole number",
            why="a prediction counts when you commit to it before you look", nudge=nudge,
        )  # fmt: skip
    return value


def hold_against(
    predicted: dict[str, int], measured: dict[str, int], *, called: str, seen: str, why: str
) -> None:
    """Fail if they differ, with both; ``seen`` is the measurement in more words."""
    if predicted != measured:
        fail(
            called,
            f"you predicted {listed(predicted)}",
            f"measured: {listed(measured)} ({seen})",
            why=why,
            nudge="Which of the numbers differ, and what did you assume about them?",
        )


def listed(numbers: dict[str, int]) -> str:
    """The numbers in words; "A inside" is called "inside"."""
    return ", ".join(f"{key.partition(' ')[2]} {number}" for key, number in numbers.items())
