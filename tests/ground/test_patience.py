"""Deadlines that a busy machine does not use up."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from playground import patience
from playground.patience import Patience, at_rest, ended, processor_time

ENDLESS = 60.0
linux = pytest.mark.skipif(
    not os.path.exists("/proc/self/task"), reason="this system does not show its threads"
)


@contextmanager
def process(source: str, before: str = "") -> Iterator[int]:
    """Run this, and return its id when what comes before it is done."""
    code = f"import threading, time\n{before}\nprint(flush=True)\n{source}"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield running.pid
        running.kill()


def becomes(condition) -> None:  # type: ignore[no-untyped-def]
    limit = time.monotonic() + ENDLESS
    while not condition():
        assert time.monotonic() < limit, "never"
        time.sleep(0.005)


@linux
def test_who_sleeps_is_at_rest_and_waited_for_no_longer_than_asked() -> None:
    with process("time.sleep(60)") as pid:
        becomes(lambda: at_rest([pid]))
        begun = time.monotonic()
        waiting = Patience(lambda: [pid], 0.05)
        becomes(waiting.over)
        assert time.monotonic() - begun >= 0.05


@linux
def test_who_computes_is_never_at_rest_and_gets_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "LEAST_S", ENDLESS)
    with process("while True: pass") as pid:
        assert not at_rest([pid])
        before = processor_time([pid])
        waiting = Patience(lambda: [pid], 0.0)
        assert not waiting.over()
        becomes(waiting.over)
        assert processor_time([pid]) - before >= patience.SHARE_S


@linux
def test_one_thread_that_computes_is_enough() -> None:
    sleeper = "threading.Thread(target=time.sleep, args=(60,)).start()"
    with process("while True: pass", before=sleeper) as pid:
        assert len(os.listdir(f"/proc/{pid}/task")) == 2
        assert not any(at_rest([pid]) for _ in range(20))


@linux
def test_who_is_kept_from_running_is_given_up_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "at_rest", lambda pids: False)
    monkeypatch.setattr(patience, "LEAST_S", 0.1)
    with process("time.sleep(60)") as pid:
        begun = time.monotonic()
        waiting = Patience(lambda: [pid], 0.0)
        becomes(waiting.over)
        assert time.monotonic() - begun >= 0.1


def test_who_has_ended_is_at_rest() -> None:
    with process("time.sleep(60)") as pid:
        assert not ended(pid)
        os.kill(pid, signal.SIGKILL)
        becomes(lambda: ended(pid))  # nobody has waited for it yet
        assert at_rest([pid])
        assert Patience(lambda: [pid], 0.0).over()
    assert ended(pid)
    assert at_rest([pid])
    assert processor_time([pid]) == 0
