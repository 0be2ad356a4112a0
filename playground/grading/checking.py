"""One function from (exercise, file) to a verdict; every way to check a file goes through it."""

from __future__ import annotations

import importlib.util
import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

from playground.grading.child import Limits
from playground.grading.exercise import Exercise
from playground.grading.learner import Learner, Raised
from playground.grading.verdict import Check, Failed, Message, Status, Verdict, printable
from playground.setups.loading import Refused

MAX_SOURCE = 200_000  # bytes: Python needs some hundred times as many to compile a file

CheckFunction = Callable[[Learner], None]


def fresh(check: CheckFunction) -> CheckFunction:
    """Mark a check that wants a process of its own: for servers, and where state is left behind."""
    check.fresh = True  # type: ignore[attr-defined]
    return check


def grade(
    exercise: Exercise,
    path: Path,
    *,
    picture: bool = False,
    run_stub: bool = False,
    deadline_s: float | None = None,
) -> Verdict:
    """Grade the file `path` as an answer to `exercise`. Never raises for what the file does.

    With `picture`, a grader that defines `draw(file)` also draws the learner's own server. With
    `run_stub`, the untouched stub is run as well, to see how it fails. `deadline_s` replaces the
    exercise's own.
    """
    verdict = Verdict(exercise.id, exercise.title, Status.FAILED, hints=exercise.hints)
    verdict.file = _shown(exercise, path)
    try:
        source = path.read_bytes()
        checks = list(load_checks(exercise))
    except OSError as error:
        return _broken(verdict, f"{path.name} cannot be read: {error.strerror}.")
    except Exception:  # a grader that cannot be loaded is ours
        return _broken(verdict, traceback.format_exc(limit=-3))
    verdict.checks = [Check(_title(check), None) for check in checks]
    if len(source) > MAX_SOURCE:
        verdict.message = _too_long(path, len(source))
        return verdict
    if exercise.is_untouched(source) and not run_stub:
        verdict.status = Status.NOT_SOLVED
        return verdict
    if deadline_s is not None:
        exercise = replace(exercise, deadline_s=deadline_s)
    run = _Run(exercise, path, verdict)
    try:
        run.all(checks)
    finally:
        run.close()
    if picture and verdict.status is not Status.BROKEN:
        _draw(exercise, path, verdict)
    return verdict


def load_checks(exercise: Exercise) -> Iterator[CheckFunction]:
    """Yield the functions `check_…` of the exercise's grader, in the order of the file."""
    for name, value in vars(grader_of(exercise)).items():
        if name.startswith("check_") and inspect.isfunction(value):
            yield value


class LearnerFunction:
    """A function of the learner's file that can be pickled, to run in a server process.

    `serve(LearnerFile(path).function("serve"), app)` loads the file there, once, and not here.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = str(path)
        self.name = self.__name__ = name

    def __reduce__(self) -> tuple[Any, ...]:
        return _loaded, (self.path, self.name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _loaded(self.path, self.name)(*args, **kwargs)


def _loaded(path: str, name: str) -> Any:
    """What a file defines under a name; raises Refused if it does not."""
    file = Path(path)
    found = getattr(load_module(file.stem, file), name, None)
    if found is None:
        raise Refused(f"{file.name} has no {name}: keep the names of the stub.")
    return found


class LearnerFile:
    """What `draw(file)` of a grader gets, and `by_hand(file, grader)` beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def function(self, name: str) -> LearnerFunction:
        """Return the learner's function `name`, to be run in a server process."""
        return LearnerFunction(self.path, name)


class _Run:
    """The checks of one grading, in order, until one fails."""

    def __init__(self, exercise: Exercise, path: Path, verdict: Verdict) -> None:
        self.exercise = exercise
        self.path = path
        self.verdict = verdict
        self.shared: Learner | None = None

    def all(self, checks: list[CheckFunction]) -> None:
        """Run the checks and fill in the verdict."""
        for number, check in enumerate(checks):
            passed = self.one(check)
            self.verdict.checks[number] = replace(self.verdict.checks[number], passed=passed)
            if not passed:
                return
        if checks:
            self.verdict.status = Status.PASSED
        else:
            _broken(self.verdict, "The grader has no function check_….")

    def one(self, check: CheckFunction) -> bool:
        """Run one check; on failure, keep the message."""
        try:
            with self.learner(check) as learner:
                _watched(check, learner)
        except Failed as failed:
            self.verdict.message = printable(failed.message)
            return False
        except Raised as raised:
            self.verdict.message = printable(raised.message())
            return False
        except Exception:  # a bug of the grader must not look like the learner's
            _broken(self.verdict, traceback.format_exc(limit=-4))
            return False
        return True

    @contextmanager
    def learner(self, check: CheckFunction) -> Iterator[Learner]:
        """Give the check the shared process, or one of its own."""
        if not getattr(check, "fresh", False):
            if self.shared is None:
                self.shared = self.start()
                self.shared.load()
            yield self.shared
            return
        learner = self.start()
        try:
            learner.load()
            yield learner
        finally:
            self.end(learner)

    def start(self) -> Learner:
        """Start the learner's file in a process."""
        limits = Limits(cpu_s=self.exercise.cpu_s)
        return Learner(self.path, limits=limits, deadline_s=self.exercise.deadline_s)

    def end(self, learner: Learner) -> None:
        """End a process and note what it printed and left behind."""
        learner.close()
        verdict = self.verdict
        verdict.output += printable(learner.output)
        hidden = learner.printed - len(learner.output.encode())
        if hidden > 0:
            verdict.notes.append(f"It printed {learner.printed:,} bytes; the beginning is shown.")
        if learner.left:
            names = printable(", ".join(sorted(set(learner.left))[:8])[:300])
            count = len(learner.left)
            what = "process was" if count == 1 else "processes were"
            verdict.notes.append(f"{count} {what} still running at the end, and ended: {names}")

    def close(self) -> None:
        """End the shared process."""
        if self.shared is not None:
            self.end(self.shared)


def _watched(check: CheckFunction, learner: Learner) -> None:
    """Run a check. That the learner's process ends between two looks at it is the learner's."""
    try:
        check(learner)
    except psutil.NoSuchProcess as gone:
        if gone.pid != learner.pid:
            raise
        raise learner.lost() from None


def grader_of(exercise: Exercise) -> ModuleType:
    """Import the grader of an exercise."""
    name = f"playground_grader_{exercise.chapter}_{exercise.name}"
    return load_module(name, exercise.grader)


def load_module(name: str, path: Path) -> ModuleType:
    """Import a file under a name, which nobody else finds it by."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _title(check: CheckFunction) -> str:
    lines = (check.__doc__ or check.__name__.removeprefix("check_").replace("_", " ")).splitlines()
    return lines[0].strip().rstrip(".")


def _shown(exercise: Exercise, path: Path) -> str:
    for base in (exercise.checkout, Path.cwd()):
        if path.is_relative_to(base):
            return str(path.relative_to(base))
    return str(path)


def _broken(verdict: Verdict, why: str) -> Verdict:
    verdict.status = Status.BROKEN
    verdict.notes.append(why)
    return verdict


def _too_long(path: Path, size: int) -> Message:
    return Message(
        f"import {path.stem}",
        f"{path.name} has {size:,} bytes",
        f"a file of at most {MAX_SOURCE:,} bytes",
        nudge="A solution has a few dozen lines: was something pasted into it by mistake?",
    )


def _draw(exercise: Exercise, path: Path, verdict: Verdict) -> None:
    """Let the grader draw the learner's own server; a picture never changes the verdict."""
    draw = getattr(grader_of(exercise), "draw", None)
    if draw is None:
        return
    try:
        verdict.picture = draw(LearnerFile(path))
    except Exception as error:
        verdict.notes.append(f"No picture of your server: {error}")
