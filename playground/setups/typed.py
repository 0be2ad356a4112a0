"""A server by its command line, as one types it in a terminal, to see how it starts and ends.

``serve`` shows what a server does while it works, and raises when it does not get there. This is
for the other questions: does it start, with which exit code does it end, who is left?
"""

import contextlib
import http.client
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import psutil

from playground.setups.catalogue import ServeError
from playground.setups.process import Guarded

ANNOUNCED = re.compile(r"(?:running on|listening at:) http://127\.0\.0\.1:(\d+)", re.IGNORECASE)
HOST = "127.0.0.1"
PATIENCE_S = 30.0
POLL_S = 0.02
HELPERS = ("resource_tracker", "forkserver")  # of multiprocessing: they serve nobody


def typed(line: str) -> "Typed":
    """Start ``python -m`` and this line, under the same guard as ``serve``; does not wait.

    ``typed("uvicorn --port 0 app:app")``. Modules of the current folder can be imported. A context
    manager. Raises ``ServeError`` if the line is empty or cannot be read.
    """
    return Typed(line)


class Typed:
    """A command that runs, or has ended. ``.pid`` is its first process."""

    host = HOST

    def __init__(self, line: str) -> None:
        words = _words(line)
        self.command = f"python -m {line}"
        self._folder = Path(tempfile.mkdtemp(prefix="typed-"))
        self._said = ""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", *words]
        log, folders = self._folder / "log", [self._folder]
        self._process = Guarded(command, environment, log, folders=folders)
        self._end = weakref.finalize(self, _end, self._process, self._folder, os.getpid())
        self.pid = self._process.pid

    def __enter__(self) -> "Typed":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<{self.command}, {'running' if self.running else f'ended: {self.exit_code}'}>"

    @property
    def running(self) -> bool:
        """Whether the first process has not ended."""
        return not self._process.exited

    @property
    def exit_code(self) -> int | None:
        """How the first process ended; minus the number of the signal that ended it. None while it
        runs.
        """
        return self._process.status

    @property
    def log(self) -> str:
        """What it has written to its output."""
        with contextlib.suppress(FileNotFoundError):
            self._said = (self._folder / "log").read_text(errors="replace")
        return self._said

    @property
    def port(self) -> int | None:
        """Where it has said that it listens (on 127.0.0.1), if it has."""
        said = ANNOUNCED.search(self.log)
        return int(said[1]) if said else None

    def workers(self) -> set[int]:
        """The process ids of its children, without the helpers that spawning needs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return {child.pid for child in psutil.Process(self.pid).children() if _serves(child)}
        return set()

    def ask(self, path: str = "/", *, timeout: float = 3.0) -> tuple[int | None, str]:
        """GET over a new connection: status and body, or None and what went wrong."""
        port = self.port
        if port is None:
            return None, "it has not said where it listens"
        client = http.client.HTTPConnection(HOST, port, timeout=timeout)
        try:
            client.request("GET", path, headers={"Connection": "close"})
            reply = client.getresponse()
            return reply.status, reply.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return None, str(error) or type(error).__name__
        finally:
            client.close()

    def signal(self, name: str) -> None:
        """Send a signal, ``"HUP"`` for example, to the first process.

        Raises ``ServeError`` if there is no such signal. Whoever has ended gets nothing.
        """
        number = getattr(signal, f"SIG{name.upper().removeprefix('SIG')}", None)
        if not isinstance(number, signal.Signals):
            raise ServeError(f"There is no signal {name!r}: HUP, TERM, TTIN and QUIT are some.")
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def until(self, condition: Callable[[], object], patience: float = PATIENCE_S) -> bool:
        """Wait for a condition, or for the end of the process. Returns whether it came true."""
        deadline = time.monotonic() + patience
        while not (met := bool(condition())) and self.running and time.monotonic() < deadline:
            time.sleep(POLL_S)
        return met or bool(condition())

    def answers(self, patience: float = PATIENCE_S) -> bool:
        """Wait until it answers a GET of ``/`` with 200, or has ended."""
        return self.until(lambda: self.ask()[0] == 200, patience)

    def ends(self, patience: float = PATIENCE_S) -> bool:
        """Wait until the first process has ended."""
        return self.until(lambda: not self.running, patience)

    def stop(self) -> None:
        """End it: SIGTERM, a few seconds to finish, then SIGKILL for all that is left."""
        self._process.end()
        _ = self.log
        self._end()


def _words(line: str) -> list[str]:
    if not isinstance(line, str) or not line.strip():
        raise ServeError('There is no command: typed("uvicorn --port 0 app:app"), for example.')
    try:
        return shlex.split(line)
    except ValueError as error:
        raise ServeError(f"The command cannot be read: {error} in {line!r}.") from None


def _serves(child: psutil.Process) -> bool:
    try:
        return not any(helper in " ".join(child.cmdline()) for helper in HELPERS)
    except psutil.Error:
        return False


def _end(process: Guarded, folder: Path, owner: int) -> None:
    """What is left to do when it is stopped, forgotten, or this interpreter exits."""
    if os.getpid() == owner:
        process.end()
        shutil.rmtree(folder, ignore_errors=True)
