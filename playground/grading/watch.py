"""Watch mode: whatever exercise is saved is checked again, and keys do the rest.

Three threads: one waits for saves, one for keys, and the main thread does what they ask for, one
thing after the other. Without a terminal there are no keys, and the screen is never cleared.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import signal
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import watchfiles
from rich.console import Console, Group
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from playground import workspace
from playground.errors import Told
from playground.grading import exercise, progress, render, session
from playground.grading.exercise import Exercise
from playground.grading.session import NotYet
from playground.grading.verdict import Status
from playground.waiting import working

LOOK_MS = 500  # how often is looked where no events come
KEYS = {
    "h": "hint", "n": "next", "l": "list", "r": "reset", "s": "solution", "q": "quit",
}  # fmt: skip
NO_EVENTS = "No file events come from this folder; it is looked at twice a second instead."
Say = Callable[[str], None]
Events = queue.Queue[tuple[str, str]]  # what happens: ("saved" | "key" | "say", which)


def run(chosen: Exercise | None = None, *, picture: bool = False) -> None:
    """Watch the learner's exercises until q or Ctrl-C; begin with `chosen`, or the next one.

    With `picture`, the learner's own server is drawn above the verdict, if it is one.
    """
    catalogue = exercise.load()
    first = chosen or progress.following(catalogue, progress.load()["exercises"]) or catalogue[0]
    with contextlib.suppress(KeyboardInterrupt), _ended_by_signals():
        events: Events = queue.Queue()
        stop = threading.Event()
        first.learners_file()  # made now, so that there is a folder to watch
        folder = workspace.root() / "exercises"
        found = saves(folder, stop, lambda words: events.put(("say", words)))
        watcher = threading.Thread(
            target=_report_saves, args=(folder, found, events), name="saves", daemon=True
        )
        with Keys(events) as keys:
            screen = Screen(catalogue, first, keys=keys.there, picture=picture)
            watcher.start()
            try:
                screen.check()
                for kind, what in _each(events):
                    screen.react(kind, what)
            finally:
                stop.set()


# ---- what happens ----------------------------------------------------------------------------


def saves(folder: Path, stop: threading.Event, say: Say) -> Iterator[Path]:
    """Return an iterator of every Python file below `folder` that changes from now on.

    It ends with `stop`. File events wake it up, and it looks twice a second besides: on some
    network and container drives no event ever comes, which `say` is told once.
    """
    return _changes(folder, _contents(folder), stop, say)


def _changes(
    folder: Path, known: dict[Path, bytes], stop: threading.Event, say: Say
) -> Iterator[Path]:
    told = missed = False
    for event in _wakes(folder, stop, say):
        now = _contents(folder)
        changed = [path for path, content in now.items() if known.get(path) != content]
        known = now
        yield from changed
        # subtle: a save may fall between two waits, so only a whole round without an event tells
        if missed and not event and not told:
            say(NO_EVENTS)
            told = True
        missed = bool(changed) and not event


def _wakes(folder: Path, stop: threading.Event, say: Say) -> Iterator[bool]:
    """Yield True for an event below `folder`, False when it is time to look all the same."""
    try:
        changes = watchfiles.watch(
            folder,
            stop_event=stop,
            debounce=200,
            step=40,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for batch in changes:
            yield bool(batch)
    except OSError:  # too many watches, or a system that has none
        say(NO_EVENTS)
        while not stop.wait(LOOK_MS / 1000):
            yield False


def _contents(folder: Path) -> dict[Path, bytes]:
    """Return what tells one version of a file from another.

    A save that changes nothing is not a change, so it is the content itself.
    """
    found = {}
    for path in folder.glob("*/*.py"):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size < 1 << 20:
                found[path] = path.read_bytes()
    return found


def _report_saves(folder: Path, found: Iterator[Path], events: Events) -> None:
    try:
        for path in found:
            events.put(("saved", path.relative_to(folder).as_posix()))
    except Exception as error:  # nobody reads a thread's traceback
        events.put(("say", f"Saves are no longer seen ({error}): quit, and start it again."))


def _each(events: Events) -> Iterator[tuple[str, str]]:
    """Yield what happens, until the key for the end; several saves of one file are one."""
    while True:
        waiting = [events.get()]
        with contextlib.suppress(queue.Empty):
            while True:
                waiting.append(events.get_nowait())
        for place, event in enumerate(waiting):
            if event == ("key", "q"):
                return
            if event[0] == "key" or event not in waiting[place + 1 :]:
                yield event


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end it as Ctrl-C does, so that the terminal is put right again."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Keys:
    """Single keys of the terminal, as events; `there` is False where there is no terminal."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self.there = sys.stdin.isatty() and sys.stdout.isatty()
        self._before: list[Any] = []
        self._over, self._wake = os.pipe()

    def __enter__(self) -> Keys:
        if self.there:
            self._before = termios.tcgetattr(sys.stdin)
            self._listen()
            signal.signal(signal.SIGCONT, lambda *_: self._listen())  # after Ctrl-Z and fg
            threading.Thread(target=self._read, name="keys", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._wake, b"\n")
        if self.there:
            signal.signal(signal.SIGCONT, signal.SIG_DFL)
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def _listen(self) -> None:
        tty.setcbreak(sys.stdin)

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([sys.stdin, self._over], [], [])
            if self._over in ready:
                return
            typed = os.read(sys.stdin.fileno(), 64)
            if not typed:  # the terminal is gone
                self.events.put(("key", "q"))
                return
            if typed.startswith(b"\x1b"):  # an arrow or function key is one key, and none of ours
                continue
            for key in typed.decode("ascii", "ignore").lower():
                self.events.put(("key", key))
                if key == "q":
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
                    return


# ---- what is shown ---------------------------------------------------------------------------


class Screen:
    """The exercise that is worked on, and what is said about it."""

    def __init__(
        self, catalogue: list[Exercise], first: Exercise, *, keys: bool, picture: bool
    ) -> None:
        self.catalogue = catalogue
        self.exercise = first
        self.keys = keys
        self.picture = picture
        self.console = Console()
        self.said = ""  # about the watching itself
        self.asked = ""  # the key that has to be pressed once more
        self.shown: Any = Text()
        self.checked: tuple[Exercise, bytes] | None = None
        if not keys:
            print("There is no terminal here, so there are no keys; Ctrl-C ends it.", flush=True)

    def react(self, kind: str, what: str) -> None:
        """Do what an event asks for; what is expected to go wrong is a sentence."""
        asked, self.asked = self.asked, ""
        try:
            if kind == "key":
                self.said = ""
            if kind == "saved":
                self.saved(what)
            elif kind == "say":
                self.said = what
                self.draw(self.shown)
            elif what in "\r\n":
                self.check()
            elif what in KEYS:
                getattr(self, KEYS[what])(asked == what)
        except (Told, NotYet, OSError) as error:
            self.draw(Text(str(error)))

    def saved(self, rel: str) -> None:
        """Check the exercise whose file was saved, whichever it is."""
        found = next((each for each in self.catalogue if each.rel == rel), None)
        if found is not None and (found, found.learners_file().read_bytes()) != self.checked:
            self.exercise, self.said = found, ""
            self.check()

    def check(self) -> None:
        """Grade the learner's file, and show the verdict."""
        try:
            self.checked = self.exercise, self.exercise.learners_file().read_bytes()
            with working(f"Checking {self.exercise.id} …"):
                verdict = session.check(self.exercise, picture=self.picture)
        except (Told, OSError) as error:
            self.draw(Text(str(error)))
            return
        parts: list[Any] = [verdict]
        if verdict.picture is not None:
            parts.insert(0, verdict.picture)
        if verdict.passed and (following := self.following()):
            press = "n takes you there" if self.keys else f"playground watch {following.id}"
            parts.append(Text(f"Next: {following.id}, {following.title} ({press})."))
        self.draw(Group(*parts), render.headline(verdict))

    def hint(self, again: bool) -> None:
        """Show one more hint."""
        given = session.hints(self.exercise)
        count = len(self.exercise.hints)
        parts: list[Any] = []
        for number, text in enumerate(given, 1):
            parts.append(Text(exercise.hint_title(number, count), "bold"))
            parts.append(Padding(Text(text), (0, 0, 1, 2)))
        more = "h shows one more." if len(given) < count else "These are all."
        self.draw(Group(*parts, Text(more)))

    def next(self, again: bool) -> None:
        """Go to the next exercise that is not passed."""
        following = self.following()
        if following is None:
            self.draw(Text("There is no other exercise left: all are passed."))
            return
        self.exercise = following
        self.check()

    def list(self, again: bool) -> None:
        """Show the exercises of this chapter, and how far the others are."""
        recorded = progress.load()["exercises"]
        table = Table(box=None, pad_edge=False, show_header=False)
        for each in self.catalogue:
            if each.chapter == self.exercise.chapter:
                mark = "▸" if each.id == self.exercise.id else " "
                done = progress.passed(recorded, each.id)
                status = Status.PASSED if done else Status.NOT_SOLVED
                sign = Text(f"{mark} {render.SIGNS[status]}", render.RICH[status])
                table.add_row(sign, Text(each.id), Text(each.title), f"{each.minutes} min")
        chapters = progress.chapters(self.catalogue, recorded).values()
        counts = [f"{each.name[:2]}: {each.passed} of {each.total}" for each in chapters]
        rest = Text("   ".join(counts).replace(" of ", "\u00a0of\u00a0").replace(": ", ":\u00a0"))
        self.draw(Group(table, Text(), rest, Text("Save any of your files, and it is checked.")))

    def reset(self, again: bool) -> None:
        """Put the stub back, at the second press."""
        if not again:
            self.ask("r", "Press r once more to put the stub back; your file goes to backups/.")
            return
        done = workspace.reset([f"exercises/{self.exercise.rel}"])
        kept = f"The stub is back; your file is in {done.backup}" if done.backup else ""
        self.said = kept or "Nothing to reset: the file is the stub as it is."
        self.check()

    def solution(self, again: bool) -> None:
        """Show the reference solution: after the pass, or at the second press."""
        try:
            text = session.solution(self.exercise, show=again)
        except NotYet:
            words = (
                "You have not passed yet. Press s once more to see it; your progress will say so."
            )
            self.ask("s", words)
            return
        self.draw(Syntax(text, "python", background_color="default", word_wrap=True))

    def ask(self, key: str, words: str) -> None:
        """Say what a second press of the key will do."""
        self.asked = key
        self.draw(Text(words))

    def following(self) -> Exercise | None:
        """Return the next exercise that is not passed."""
        return progress.following(self.catalogue, progress.load()["exercises"], self.exercise.id)

    def draw(self, shown: Any, headline: str = "") -> None:
        """Show something, with how far one is above it and the keys below."""
        self.shown = shown
        parts = [self.head(), Text(), shown]
        if self.said:
            parts += [Text(), Text(self.said)]
        if self.keys:
            parts += [Text(), self.foot()]
        if self.console.is_terminal:
            self.console.clear()
            lines = self.console.render_lines(Group(*parts))
            if headline and len(lines) >= self.console.height:
                parts.insert(-1, Text(headline, "bold"))  # the top has scrolled away
        self.console.print(*parts, sep="\n", crop=False)
        sys.stdout.flush()

    def head(self) -> Text:
        """Return the line of progress, or what is the matter with it."""
        try:
            recorded = progress.load()["exercises"]
        except Told as error:
            return Text(str(error))
        chapters = progress.chapters(self.catalogue, recorded)
        here = chapters[self.exercise.chapter]
        passed = sum(each.passed for each in chapters.values())
        bar = render.bar(here.passed, here.total, 14)
        name = render.chapter_name(here.name)
        line = Text(f"{name} ", no_wrap=True, overflow="ellipsis")
        line.append(bar, render.RICH[Status.PASSED])
        line.append(f" {here.passed} of {here.total}   course {passed} of {len(self.catalogue)}")
        line.append(f"   {time.strftime('%H:%M:%S')}", "dim")
        return line

    def foot(self) -> Text:
        """Return the line of keys."""
        line = Text()
        for key, name in KEYS.items():
            line.append(f" {key} ", "reverse").append(f" {name} ")
        return line.append(" Enter ", "reverse").append(" check again")
