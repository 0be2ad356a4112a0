"""`playground grade`: the workspaces of many learners, graded in parallel.

All files are read before the first one is run, so that no submission can change another. Each is
graded by a worker process (playground.grading.cohort_worker); one that is lost costs its own file
a second try, and nobody else anything. What is graded is noted beside the CSV file as it goes, in
`out.csv.partial`, so that the same command goes on where it was killed.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import fcntl
import hashlib
import io
import json
import os
import queue
import signal
import stat
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from playground import workspace
from playground.errors import Told
from playground.grading.cohort_worker import printable
from playground.grading.exercise import Exercise
from playground.grading.verdict import Status

LARGEST = 1 << 20  # bytes of a file that is graded
LONGEST_S = 900.0  # until a worker is given up; graders have far shorter deadlines of their own
TRIES = 2  # for a file whose worker is lost
MISSING, UNREADABLE = "missing", "unreadable"  # besides the four of Status
TREES = ("exercises", "workspace/exercises", ".")  # where a submission may have its chapters
PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


class CohortError(Told):
    """The submissions cannot be graded at all; the message is a sentence that says what to do."""


@dataclass
class Row:
    """One learner's answer to one exercise, as it stands in the CSV file."""

    learner: str
    exercise: str
    status: str = MISSING
    passed_checks: int = 0
    checks: int = 0
    failed_check: str = ""
    message: str = ""


@dataclass
class Task:
    """A file to be graded, and the row for its result."""

    row: Row
    source: bytes

    @property
    def key(self) -> str:
        """What the note of a result is found by: who, what, and the content itself."""
        parts = self.row.learner.encode(), self.row.exercise.encode(), self.source
        return hashlib.sha256(b"\0".join(parts)).hexdigest()


@dataclass
class Cohort:
    """What was found in the folder."""

    learners: list[str] = field(default_factory=list)
    homes: list[Path] = field(default_factory=list)  # their folders
    rows: list[Row] = field(default_factory=list)  # by learner, then as in the course
    tasks: list[Task] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # sentences that need no action
    problems: list[str] = field(default_factory=list)  # sentences about what was not graded


def read(folder: Path, catalogue: list[Exercise], *, beside: Path | None = None) -> Cohort:
    """Read every learner's files in `folder`; `beside` is a file there that is ours.

    Raises CohortError when there is no such folder, nothing in it, or two learners of one name.
    """
    cohort = Cohort()
    people: dict[str, Path] = {}
    for entry in _entries(folder):
        if entry.name.startswith((".", "__")):
            continue
        if not entry.is_dir():
            if not (beside and entry.name in (beside.name, f"{beside.name}.partial")):
                _stray(entry, cohort)
            continue
        shown = printable(entry.name)
        name = unicodedata.normalize("NFC", shown).casefold().strip()
        if name in people:
            raise CohortError(
                f"{printable(people[name].name)!r} and {shown!r} are one name to most programs:"
                " rename one of the two folders."
            )
        people[name] = entry
    if not people:
        raise CohortError(f"There is no learner's folder in {folder}: it wants one for each.")
    for entry in people.values():
        _read_learner(entry, catalogue, cohort)
    return cohort


def grade(
    cohort: Cohort,
    target: Path,
    *,
    jobs: int = 0,
    advance: Callable[[float], None] = lambda part: None,
    say: Callable[[str], None] = lambda words: None,
) -> None:
    """Grade all tasks, and write `target`, a CSV file.

    `jobs` files at a time (0: as many as there are processors). `advance` is told the part that is
    done, `say` a sentence when there is one to say. Raises CohortError when `target` cannot be
    written, or is being written.
    """
    with Notes(target, say) as notes:
        todo = [task for task in cohort.tasks if not notes.known(task)]
        known = len(cohort.tasks) - len(todo)
        if known:
            say(f"Going on: {known} of {len(cohort.tasks)} files were graded before.")
        done = known
        for task, answer in _answers(
            todo, cohort.homes, min(jobs or os.cpu_count() or 2, len(todo))
        ):
            _fill(task.row, answer)
            if task.row.status != Status.BROKEN:
                notes.add(task, answer)
            done += 1
            advance(done / len(cohort.tasks))
        for row in cohort.rows:
            if row.status == Status.BROKEN:
                cohort.problems.append(
                    f"{row.learner}: {row.exercise} could not be graded: {row.message}"
                )
        workspace.write_atomic(target.absolute(), table(cohort.rows).encode())
        notes.remove()


def table(rows: list[Row]) -> str:
    """Return the rows as CSV; no cell begins like a formula, which spreadsheets would run."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = list(Row.__dataclass_fields__)
    writer.writerow(names)
    for row in rows:
        cells = [getattr(row, name) for name in names]
        writer.writerow([f"'{c}" if str(c).startswith(tuple("=+-@\t\r")) else c for c in cells])
    return text.getvalue()


# ---- reading ---------------------------------------------------------------------------------


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        raise CohortError(f"There is no folder {folder}.") from None
    except NotADirectoryError:
        raise CohortError(f"{folder} is a file: give the folder that holds the folders.") from None
    except OSError as error:
        raise CohortError(f"Cannot read {folder} ({error.strerror}).") from None


def _stray(entry: Path, cohort: Cohort) -> None:
    name = printable(entry.name)
    if entry.suffix.lower() in PACKED:
        cohort.problems.append(f"{name} is packed: unpack it into a folder of that name.")
    else:
        cohort.notes.append(f"{name} is no learner's folder, and was left out.")


def _read_learner(home: Path, catalogue: list[Exercise], cohort: Cohort) -> None:
    learner = printable(home.name)
    cohort.learners.append(learner)
    cohort.homes.append(home.absolute())
    chapters = {each.chapter for each in catalogue}
    found = [tree for tree in TREES if _has_chapter(home / tree, chapters)]
    if len(found) > 1:  # a whole checkout has the stubs besides
        found = [tree for tree in found if _has_work(home / tree, catalogue)] or found[:1]
    if len(found) > 1:
        places = " and ".join(f"{tree}/" for tree in found)
        cohort.problems.append(f"{learner} holds exercises twice, in {places}: keep one of them.")
    elif not found:
        cohort.problems.append(
            f"{learner} holds no exercises: its folder wants exercises/02_wsgi/ …"
        )
    for each in catalogue:
        row = Row(learner, each.id)
        cohort.rows.append(row)
        if len(found) == 1:
            _read_file(home, Path(found[0], each.rel), row, each, cohort)


def _has_chapter(folder: Path, chapters: set[str]) -> bool:
    try:
        return any(path.name in chapters for path in folder.iterdir())
    except OSError:
        return False


def _has_work(folder: Path, catalogue: list[Exercise]) -> bool:
    """Tell whether a file there is not the stub; what cannot be read counts as work."""
    for each in catalogue:
        with contextlib.suppress(FileNotFoundError):
            try:
                if _content(folder, Path(each.rel)) != each.stub.read_bytes():
                    return True
            except (PermissionError, ValueError):
                return True
    return False


def _read_file(home: Path, rel: Path, row: Row, exercise: Exercise, cohort: Cohort) -> None:
    try:
        source = _content(home, rel)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        row.status, row.message = UNREADABLE, why
        cohort.problems.append(f"{row.learner}: {rel.as_posix()} cannot be read: {why}.")
        return
    if source == exercise.stub.read_bytes():
        row.status = Status.NOT_SOLVED
    else:
        cohort.tasks.append(Task(row, source))


def _content(home: Path, rel: Path) -> bytes:
    """Return a submitted file; raises OSError, and ValueError for what is no file of its own."""
    path = home / rel
    inside = os.path.join(os.path.realpath(home), rel.parent)
    if os.path.realpath(path.parent) != os.path.normpath(inside) or path.is_symlink():
        raise ValueError("it is a link")
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe does not block
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is no file")
        if status.st_size > LARGEST:
            raise ValueError(f"it has {status.st_size:,} bytes, and at most {LARGEST:,} are graded")
        return stream.read(LARGEST)


def _fill(row: Row, answer: dict[str, Any]) -> None:
    row.status = answer["status"]
    row.checks = len(answer["checks"])
    row.passed_checks = sum(passed is True for _, passed in answer["checks"])
    row.failed_check = next((name for name, passed in answer["checks"] if passed is False), "")
    row.message = answer["message"]


# ---- workers ---------------------------------------------------------------------------------


class Worker:
    """A process that grades; `ask` starts it, and starts another when it is lost.

    What lies in the folders `closed` is not read by what it grades.
    """

    def __init__(self, closed: list[Path]) -> None:
        self._program = [sys.executable, "-m", "playground.grading.cohort_worker"]
        self._program += [str(workspace.checkout()), *map(str, closed)]
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def ask(self, task: Task) -> dict[str, Any]:
        """Grade one file, in a second process if the first is lost."""
        for _ in range(TRIES):
            answer = None if self._closed else self._ask(task)
            if answer is not None:
                return answer
        return _broken(f"the process that graded it was lost {TRIES} times")

    def close(self) -> None:
        """End the process, which ends what it grades; no other is started."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(20.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _ask(self, task: Task) -> dict[str, Any] | None:
        if self._process is None:
            self._process = _start(self._program)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        source = base64.b64encode(task.source).decode()
        timer = threading.Timer(LONGEST_S, process.kill)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(
                json.dumps({"exercise": task.row.exercise, "source": source}) + "\n"
            )
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        if line.endswith("\n"):
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._end()
        return None


def _broken(message: str) -> dict[str, Any]:
    return {"status": str(Status.BROKEN), "checks": [], "message": message}


def _start(program: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        program,
        start_new_session=True,  # Ctrl-C is ours; it is told once, by close()
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _answers(
    tasks: list[Task], closed: list[Path], count: int
) -> Iterator[tuple[Task, dict[str, Any]]]:
    """Yield every task with its answer, as they come, from `count` workers."""
    todo: queue.SimpleQueue[Task] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Task, dict[str, Any]]] = queue.SimpleQueue()
    for task in tasks:
        todo.put(task)
    workers = [Worker(closed) for _ in range(count)]

    def work(worker: Worker) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                task = todo.get_nowait()
                try:
                    done.put((task, worker.ask(task)))
                except Exception as error:  # or the one who waits for it would wait for ever
                    done.put((task, _broken(f"{type(error).__name__}: {error}")))

    threads = [threading.Thread(target=work, args=(each,), daemon=True) for each in workers]
    try:
        for thread in threads:
            thread.start()
        for _ in tasks:
            yield done.get()
    finally:
        with contextlib.suppress(queue.Empty):
            while True:
                todo.get_nowait()
        for worker in workers:
            worker.close()


# ---- notes -----------------------------------------------------------------------------------


class Notes:
    """What is graded already, in a file beside the CSV file: one JSON object a line."""

    def __init__(self, target: Path, say: Callable[[str], None]) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.partial")
        self._say = say
        self._answers: dict[str, dict[str, Any]] = {}
        self._stream: TextIO | None = None

    def __enter__(self) -> Notes:
        if self.target.is_dir():
            raise CohortError(f"{self.target} is a folder: give the name of a CSV file.")
        try:
            self._stream = open(self.path, "a+", encoding="utf-8")
        except OSError as error:
            raise CohortError(
                f"Cannot write {self.path} ({error.strerror}): choose another place for --csv."
            ) from None
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._stream.close()
            raise CohortError(f"{self.target} is being written by another run.") from None
        self._load(self._stream)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def known(self, task: Task) -> bool:
        """Fill in the row of a task that is graded already."""
        answer = self._answers.get(task.key)
        if answer is not None:
            _fill(task.row, answer)
        return answer is not None

    def add(self, task: Task, answer: dict[str, Any]) -> None:
        """Note a result."""
        self._write({"key": task.key, "answer": answer})

    def remove(self) -> None:
        """Forget it all: the CSV file is written."""
        self.path.unlink(missing_ok=True)

    def _load(self, stream: TextIO) -> None:
        stream.seek(0)
        course = {"course": course_fingerprint(workspace.checkout())}
        lines = list(_whole_lines(stream))
        if lines and lines[0] == course:
            self._answers = {line["key"]: line["answer"] for line in lines[1:]}
        elif lines:
            self._say("The course has changed since: all files are graded again.")
        stream.truncate(0)
        self._write(course)
        for key, answer in self._answers.items():
            self._write({"key": key, "answer": answer})

    def _write(self, value: dict[str, Any]) -> None:
        assert self._stream is not None
        self._stream.write(json.dumps(value) + "\n")
        self._stream.flush()


def _whole_lines(stream: TextIO) -> Iterator[dict[str, Any]]:
    """Yield what was noted whole; a kill may have cut the last line."""
    for line in stream:
        try:
            value = json.loads(line)
        except ValueError:
            return
        if not isinstance(value, dict) or not ({"course"} == set(value) or "answer" in value):
            return
        yield value


def course_fingerprint(course: Path) -> str:
    """Return what changes when a verdict could: the graders, the stubs, and this package."""
    digest = hashlib.sha256(sys.version.encode())
    for tree in ("exercises", "tests/exercises", "playground/grading", "minimal_servers"):
        for path in sorted((course / tree).rglob("*")):
            if path.suffix in (".py", ".toml") and path.is_file():
                digest.update(str(path.relative_to(course)).encode() + path.read_bytes())
    return digest.hexdigest()
