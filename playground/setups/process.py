"""A command under its guard, seen from the one who started it."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from playground.setups import guard

START_S = 30.0  # until the guard must have told the process id
STOP_S = guard.GRACE_S * 2 + 4.0  # until a stopped guard must be gone


class Guarded:
    """Runs ``command`` until ``end()`` or until this process disappears; its output goes to
    ``log``.

    ``passed`` are descriptors that the command inherits. ``folders`` are removed if this process
    dies without ``end()``. ``pid`` is 0 if the command was not started.
    """

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        log: Path,
        passed: tuple[int, ...] = (),
        folders: Iterable[Path] = (),
    ) -> None:
        self._said = b""
        self._silent = False
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        doomed = os.pathsep.join(map(str, folders))
        program = [sys.executable, "-I", "-S", guard.__file__, str(writer), doomed]
        try:
            with log.open("wb") as output:
                self._guard = subprocess.Popen(
                    [*program, *command],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    pass_fds=(writer, *passed),
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._reader)
            raise
        finally:
            os.close(writer)
        self.owner, self.pid = os.getpid(), 0
        try:
            self.pid = self._await_pid()
        except BaseException:
            self.end()
            raise

    @property
    def exited(self) -> bool:
        """Whether the command has ended."""
        return self._told("exit") is not None or self._silent

    @property
    def status(self) -> int | None:
        """The exit code of the command, minus the signal that ended it; None: not (yet) known."""
        told = self._told("exit")
        return int(told) if told and told != "None" else None

    def end(self) -> None:
        """SIGTERM, a grace period, SIGKILL for the whole group; returns when all are gone."""
        if self._guard.stdin is None or self._guard.stdin.closed:
            return
        with contextlib.suppress(OSError):
            self._guard.stdin.write(b".")
        with contextlib.suppress(OSError):
            self._guard.stdin.close()
        try:
            self._guard.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        finally:
            if (
                self._guard.returncode and self.pid
            ):  # it was killed, and could not end what it guarded
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
            self._silent = True
            os.close(self._reader)

    def _await_pid(self) -> int:
        deadline = time.monotonic() + START_S
        while self._told("pid") is None and not self._silent and time.monotonic() < deadline:
            select.select([self._reader], [], [], 0.1)
        return int(self._told("pid") or 0)

    def _told(self, what: str) -> str | None:
        """What the guard has said about ``what``, if it has."""
        while not self._silent:
            try:
                heard = os.read(self._reader, 4096)
            except BlockingIOError:
                break
            self._said += heard
            self._silent = not heard
        for line in self._said.decode().splitlines():
            name, _, value = line.partition(" ")
            if name == what:
                return value
        return None
