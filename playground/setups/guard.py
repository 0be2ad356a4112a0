"""The guard: a process that runs a server and ends it when the one who asked for it disappears.

``python guard.py STATUS_FD FOLDERS COMMAND…`` in a session of its own. It tells ``pid N`` and
``exit STATUS`` on STATUS_FD. When its standard input ends (the pipe from the notebook's kernel,
closed on purpose or by the kernel's death), or on SIGTERM, the server gets SIGTERM, a grace period,
and then the whole process group SIGKILL. A kernel that closes the pipe on purpose says a word
before; one that did not is dead, and the guard removes FOLDERS (paths, joined like those of PATH).
Standard library only, imports nothing of ours, starts in a few milliseconds.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable

GRACE_S = 3.0  # between SIGTERM and SIGKILL
LOG_LIMIT = 1 << 30  # bytes: no file of a server, its log included, gets larger
SIGNALS = signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # prctl(2), Linux


def main(status_fd: int, folders: list[str], command: list[str]) -> None:
    """Run ``command`` until it ends or is not wanted any more, then see the kernel out."""
    signals, waker = _wake_on(*SIGNALS)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    server = _start(command, status_fd)
    _close_others(status_fd, signals, waker)
    _tell(status_fd, f"pid {server}\n")
    caller = Caller()
    status = _run(server, signals, caller)
    if status is None:
        _send(os.kill, server, signal.SIGTERM)
        status = _await(server, time.monotonic() + GRACE_S)
    _send(os.killpg, server, signal.SIGKILL)
    _tell(status_fd, f"exit {status}\n")
    _reap_all()
    caller.await_end(signals)
    if caller.died:
        _remove(folders)


class Caller:
    """The one who wants the server, at the other end of standard input."""

    said = ended = dismissed = False

    def listen(self, signals: int) -> None:
        """Wait until it speaks or ends, or a signal arrives."""
        ready, _, _ = select.select([0, signals], [], [])
        if signals in ready and signal.SIGTERM in os.read(signals, 4096):
            self.dismissed = True
        if 0 in ready:
            self.ended = not os.read(0, 4096)
            self.said = self.said or not self.ended

    def await_end(self, signals: int) -> None:
        """Until it ends, or the guard is dismissed by SIGTERM."""
        while not (self.ended or self.dismissed):
            self.listen(signals)

    @property
    def died(self) -> bool:
        """Whether it ended without a word."""
        return self.ended and not self.said


def _remove(folders: list[str]) -> None:
    import shutil  # only here: it takes longer to import than all the rest

    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _start(command: list[str], status_fd: int) -> int:
    """Fork and exec, as the leader of a process group; the guard keeps no socket of it."""
    parent = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # or the child may swallow an early SIGTERM
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_LIMIT, LOG_LIMIT))
            signal.set_wakeup_fd(-1)
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            os.set_inheritable(status_fd, False)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            if os.getppid() == parent:
                os.execvp(command[0], command)
        except OSError as error:
            print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    return pid


def _close_others(*kept: int) -> None:
    """A listening socket handed through to the server must die with it."""
    for descriptor in range(3, 256):
        if descriptor not in kept:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _run(server: int, signals: int, caller: Caller) -> int | None:
    """The exit status of the server, or None when it is not wanted any more."""
    while True:
        caller.listen(signals)
        if caller.ended or caller.dismissed:
            return None
        status = _reap(server)
        if status is not None:
            return status


def _await(server: int, deadline: float) -> int | None:
    while time.monotonic() < deadline:
        status = _reap(server)
        if status is not None:
            return status
        time.sleep(0.01)
    return None


def _reap(server: int) -> int | None:
    """Reap whoever has ended (orphans of the server come here); the server's status if it did."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == server:
                found = os.waitstatus_to_exitcode(status)
    return found


def _reap_all() -> None:
    """Nobody is left behind, not even a process that has left the group."""
    deadline = time.monotonic() + GRACE_S
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            for pid in _children():
                _send(os.kill, pid, signal.SIGKILL)
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.005)


def _children() -> list[int]:
    """The processes whose parent is the guard now (Linux; elsewhere the group was all)."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                if int(file.read().rpartition(b")")[2].split()[1]) == os.getpid():
                    found.append(int(name))
    return found


def _wake_on(*numbers: signal.Signals) -> tuple[int, int]:
    """A pipe whose first end becomes readable, with the number as a byte, when a signal arrives."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in numbers:
        signal.signal(number, lambda *_: None)
    return reader, writer


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _send(kill: Callable[[int, int], None], target: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        kill(target, number)


def _tell(status_fd: int, text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(status_fd, text.encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2].split(os.pathsep), sys.argv[3:])
