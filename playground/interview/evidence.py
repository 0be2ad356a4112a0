"""The evidence of a question, run on this machine: what it printed, and whether the claim held.

It runs in a process of its own, in a scratch folder, with limits on processor time and the size of
files, and a deadline. Whatever it leaves in its process group is ended with it; servers that it
starts have guards of their own (``playground.setups.guard``).
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playground import workspace
from playground.interview.bank import Evidence

DEADLINE_S = 60.0  # stops a hang; evidence takes a second or two
CPU_S = 60
FILE_BYTES = 64 << 20
SHOWN_CHARS = 8_000  # of what it printed
_NAME = "evidence.py"
_BEGIN = f"""import resource, runpy, sys
for name, most in ("CPU", {CPU_S}), ("FSIZE", {FILE_BYTES}), ("CORE", 0):
    limit = getattr(resource, "RLIMIT_" + name)
    resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))
runpy.run_path(sys.argv[1], run_name="__main__")
"""
_OURS = ("PYTEST_", "FORCE_COLOR", "CLICOLOR")  # of the environment: not for the child


@dataclass(frozen=True)
class Outcome:
    """What came of an evidence."""

    held: bool
    printed: str
    trouble: str  # why it did not hold, in a sentence or two; empty when it held
    seconds: float


def run(evidence: Evidence, *, deadline_s: float = DEADLINE_S) -> Outcome:
    """Run an evidence to its end, or to the deadline."""
    with tempfile.TemporaryDirectory(prefix="evidence-", ignore_cleanup_errors=True) as scratch:
        if evidence.test:
            return _run_test(evidence.test, Path(scratch), deadline_s)
        return _run_code(evidence.code, Path(scratch), deadline_s)


def source(evidence: Evidence) -> str:
    """Return the program text of an evidence: its code, or that of its test."""
    if not evidence.test:
        return evidence.code
    file, _, name = evidence.test.partition("::")
    text = (workspace.checkout() / file).read_text("utf-8")
    wanted = name.partition("[")[0].rpartition("::")[2]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == wanted:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    return evidence.test


def _run_code(code: str, scratch: Path, deadline_s: float) -> Outcome:
    folder = scratch / "here"
    folder.mkdir()
    (folder / _NAME).write_text(code, "utf-8")
    began = time.monotonic()
    ended, printed, complained = _child(["-c", _BEGIN, _NAME], folder, scratch, deadline_s)
    trouble = "" if ended == 0 else _trouble(ended, complained, code, deadline_s)
    return Outcome(not trouble, printed, trouble, time.monotonic() - began)


def _run_test(test: str, scratch: Path, deadline_s: float) -> Outcome:
    if importlib.util.find_spec("pytest") is None:
        return Outcome(False, "", "This evidence is a test, and pytest is not installed here.", 0.0)
    options = ["-q", "--no-header", "--tb=short", "-p", "no:cacheprovider"]
    line = ["-m", "pytest", *options, f"--basetemp={scratch / 'made'}", test]
    began = time.monotonic()
    ended, printed, _ = _child(line, workspace.checkout(), scratch, deadline_s)
    seconds = time.monotonic() - began
    if ended == 0:
        return Outcome(True, printed.splitlines()[-1], "", seconds)
    words = _late(deadline_s) if ended is None else "The test does not pass on this machine."
    return Outcome(False, printed, words, seconds)


def _child(
    line: list[str], folder: Path, scratch: Path, deadline_s: float
) -> tuple[int | None, str, str]:
    """Run Python with these arguments in `folder`.

    Returns the exit code (None after the deadline), standard output and standard error.
    """
    keep = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    extra = {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    ended = None
    out, err = scratch / "stdout", scratch / "stderr"
    with out.open("w") as said, err.open("w") as complained:  # a pipe could be held by a grandchild
        process = subprocess.Popen(
            [sys.executable, *line],
            cwd=folder,
            env=keep | extra,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complained,
            start_new_session=True,
        )
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                ended = process.wait(timeout=deadline_s)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return ended, _read(out), _read(err)


def _read(path: Path) -> str:
    text = path.read_bytes()[: 4 * SHOWN_CHARS].decode("utf-8", "replace").strip()
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}\n… and more"


def _trouble(ended: int | None, complained: str, code: str, deadline_s: float) -> str:
    """Return why a child that did not end well did not."""
    if ended is None:
        return _late(deadline_s)
    if ended < 0:
        return f"It was ended by {signal.Signals(-ended).name}."
    last = complained.splitlines()[-1] if complained else f"It ended with code {ended}."
    lines = re.findall(rf'{re.escape(_NAME)}", line (\d+)', complained)
    where = f" Line {lines[-1]}: {code.splitlines()[int(lines[-1]) - 1].strip()}" if lines else ""
    if found := re.search(r"^AssertionError.*", complained, re.MULTILINE):
        return f"The claim does not hold on this machine.{where}  {found[0]}"
    return f"It could not be run to its end.{where}  {last}"


def _late(deadline_s: float) -> str:
    return f"It was not done within {deadline_s:.0f} s, so it was stopped."
