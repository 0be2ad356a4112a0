"""Watch mode: saves with and without events, keys in a terminal, and no terminal at all."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground import workspace
from playground.grading import progress, watch
from playground.grading.exercise import Exercise

CHECKOUT = Path(__file__).resolve().parents[2]
RIGHT = (CHECKOUT / "solutions/01_socket/request_line.py").read_bytes()
WRONG = b"def parse_request_line(line):\n    return tuple(line.split())\n"
COMMAND = [sys.executable, "-m", "playground", "watch", "http-request-line"]
SECONDS = 60.0  # only there to stop a hang


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An exercise file in a folder, as in a workspace."""
    path = tmp_path / "01_socket/work.py"
    path.parent.mkdir()
    path.write_bytes(b"one")
    return path


def replace(path: Path, content: bytes) -> None:
    """Save as many editors do: a new file in the place of the old one."""
    swap = path.with_suffix(".swap")
    swap.write_bytes(content)
    swap.replace(path)


class Saves:
    """What `saves` yields and says, collected by a thread."""

    def __init__(self, folder: Path) -> None:
        self.stop = threading.Event()
        self.found: list[bytes] = []
        self.said: list[str] = []
        found = watch.saves(folder, self.stop, self.said.append)
        self.thread = threading.Thread(target=self._run, args=(found,))
        self.thread.start()

    def _run(self, found: Iterator[Path]) -> None:
        for path in found:
            self.found.append(path.read_bytes())

    def until(self, there: Callable[[], object]) -> None:
        limit = time.monotonic() + SECONDS
        while not there():
            assert time.monotonic() < limit, (self.found, self.said)
            time.sleep(0.02)

    def save(self, path: Path, content: bytes) -> None:
        """Save, and wait until it is seen."""
        replace(path, content)
        self.until(lambda: content in self.found)


@pytest.fixture
def start() -> Iterator[Callable[[Path], Saves]]:
    running: list[Saves] = []

    def start(folder: Path) -> Saves:
        running.append(Saves(folder))
        return running[-1]

    yield start
    for each in running:
        each.stop.set()
        each.thread.join(SECONDS)
        assert not each.thread.is_alive()


def test_a_save_is_seen_however_an_editor_writes_it(start, work: Path) -> None:
    saves = start(work.parent.parent)
    saves.save(work, b"first")
    work.write_bytes(b"written")
    saves.until(lambda: saves.found[-1] == b"written")
    (work.parent / "notes.txt").write_bytes(b"no matter")
    replace(work, b"replaced")
    saves.until(lambda: saves.found[-1] == b"replaced")
    assert saves.said == []


def test_a_save_that_changes_nothing_is_none(start, work: Path) -> None:
    saves = start(work.parent.parent)
    saves.save(work, b"two")
    seen = len(saves.found)
    os.utime(work)
    replace(work.with_name("other.py"), b"the end")
    saves.until(lambda: b"the end" in saves.found)
    assert len(saves.found) == seen + 1


def test_without_file_events_it_looks_and_says_so(
    start, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> Iterator[set[object]]:
        raise OSError(28, "OS file watch limit reached")

    monkeypatch.setattr(watch.watchfiles, "watch", full)
    saves = start(work.parent.parent)
    saves.save(work, b"two")
    assert saves.said == [watch.NO_EVENTS]


def test_a_drive_that_sends_no_events_is_noticed(
    start, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object, stop_event: threading.Event, **__: object) -> Iterator[set[object]]:
        while not stop_event.wait(0.05):
            yield set()

    monkeypatch.setattr(watch.watchfiles, "watch", silent)
    saves = start(work.parent.parent)
    saves.save(work, b"two")
    saves.until(lambda: saves.said)
    saves.save(work, b"three")
    assert saves.said == [watch.NO_EVENTS]


def test_saves_of_one_file_are_one_and_keys_are_kept() -> None:
    events: watch.Events = watch.queue.Queue()
    for event in (("saved", "a"), ("key", "r"), ("key", "r"), ("saved", "a"), ("key", "q")):
        events.put(event)
    assert list(watch._each(events)) == [("key", "r"), ("key", "r"), ("saved", "a")]


def test_what_is_expected_to_go_wrong_is_shown_and_it_goes_on(
    twice: Exercise, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = watch.Screen([twice], twice, keys=False, picture=False)
    screen.check()
    progress.path().write_text("{")
    screen.react("key", "h")
    assert "is not valid JSON" in capsys.readouterr().out
    progress.path().unlink()
    shutil.rmtree(workspace.root() / "exercises")
    screen.react("key", "\n")
    assert "twice: not solved yet" in capsys.readouterr().out
    screen.react("key", "n")
    assert "no other exercise left" in capsys.readouterr().out


# ---- the command -----------------------------------------------------------------------------


class Terminal:
    """`playground watch` in a terminal of its own, 80 columns wide."""

    def __init__(self, workspace: Path, **more: str) -> None:
        self.near, far = pty.openpty()
        termios.tcsetwinsize(far, (40, 80))
        self.before = termios.tcgetattr(far)
        self.far = far
        self.text = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")()  # a read may end within a character
        self.process = subprocess.Popen(
            COMMAND,
            cwd=CHECKOUT,
            env={**os.environ, "PLAYGROUND_WORKSPACE": str(workspace), "TERM": "xterm", **more},
            stdin=far,
            stdout=far,
            stderr=far,
            start_new_session=True,
        )

    def until(self, words: str) -> str:
        """Return what was shown up to these words, and forget it."""
        limit = time.monotonic() + SECONDS
        while words not in self.text:
            assert time.monotonic() < limit, self.text
            self.take(0.2)
        shown, _, self.text = self.text.partition(words)
        return shown + words

    def take(self, wait_s: float = 0.0) -> None:
        """Take in what has been shown."""
        if select.select([self.near], [], [], wait_s)[0]:
            self.text += self.decoder.decode(os.read(self.near, 65_536))

    def press(self, key: str, words: str) -> str:
        os.write(self.near, key.encode())
        return self.until(words)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.near)
        os.close(self.far)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path, NO_COLOR="1")
    yield opened
    opened.close()


def test_the_loop_in_a_terminal(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until("not solved yet")
    path = tmp_path / "exercises/01_socket/request_line.py"
    path.write_bytes(WRONG)
    terminal.until("parse_request_line(b'GET / HTTP/1.1')")
    terminal.press("h", "Hint 1 of 3: a nudge")
    terminal.press("h", "Hint 2 of 3")
    terminal.press("l", "▸ ○")
    terminal.press("s", "Press s once more")
    terminal.press("r", "Press r once more")
    terminal.press("r", "The stub is back; your file is in")
    (kept,) = (tmp_path / "backups").glob("*/exercises/01_socket/request_line.py")
    assert kept.read_bytes() == WRONG
    assert b"NotImplementedError" in path.read_bytes()
    path.write_bytes(RIGHT)
    shown = terminal.until("n takes you there")
    assert "1 of 7" in shown
    assert "passed, all" in shown
    terminal.press("n", "http-fields: not solved yet")
    path.write_bytes(WRONG)  # the exercise that is saved is the one that is checked
    shown = terminal.until("✗ http-request-line")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", shown)
    os.write(terminal.near, b"q")
    assert terminal.process.wait(SECONDS) == 0
    assert termios.tcgetattr(terminal.far) == terminal.before


def test_q_does_not_wait_for_a_check_that_hangs(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until("check again")
    path = tmp_path / "exercises/01_socket/request_line.py"
    path.write_text("import os, time\nopen('begun', 'w').close()\ntime.sleep(1000)\n")
    terminal.until("Checking")
    os.write(terminal.near, b"q")
    assert terminal.process.wait(SECONDS) == 0
    terminal.take()
    assert "no answer within" not in terminal.text  # which is what the deadline would bring
    assert termios.tcgetattr(terminal.far) == terminal.before


def test_without_a_terminal_there_are_no_keys(tmp_path: Path) -> None:
    running = subprocess.Popen(
        COMMAND,
        cwd=CHECKOUT,
        env={**os.environ, "PLAYGROUND_WORKSPACE": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        lines = iter(running.stdout.readline, "")
        assert "no keys; Ctrl-C ends it" in next(lines)
        assert any("not solved yet" in line for line in lines)
        path = tmp_path / "exercises/01_socket/request_line.py"
        path.write_bytes(WRONG)
        assert any("not passed yet" in line for line in lines)
        running.send_signal(signal.SIGTERM)
        rest, errors = running.communicate(timeout=SECONDS)
    finally:
        running.kill()
        running.wait()
    assert (running.returncode, errors) == (0, "")
    assert "\x1b" not in rest
