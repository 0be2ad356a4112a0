"""`playground doctor --class`: what an instructor looks at on the evening before.

Run it on the machine at the front, and on one of those that learners will use. Like the ordinary
doctor it changes nothing; each finding has its remedy.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path

import httpx
import psutil

from playground import doctor, workspace
from playground.classroom import PORT as BOARD
from playground.doctor import Finding
from playground.lab import FIRST_PORT as LAB

APP = 8866  # of `playground app`
MEMORY_MB = 700  # one learner: JupyterLab, a kernel with a model, the largest set-up (chapter 08)
DISK_MB = 200  # one learner: a workspace with saved runs
FILES = 1024  # open files of one process: hundreds of connections in chapters 06 and 07
PIP_SECONDS = 180
ANSWER_SECONDS = 10
EXTRAS = ("dev", "deploy", "slides")
EXERCISE = "welcome-last-served"  # the first that everybody solves
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
NO_PROXY = "`export no_proxy=127.0.0.1,localhost NO_PROXY=127.0.0.1,localhost` where the lab starts"


def examine(learners: int = 1, wheelhouse: Path | None = None) -> Iterator[Finding]:
    """Yield the findings for so many learners on this machine, the quick ones first."""
    yield doctor.python()
    yield pinned()
    yield clock()
    yield doctor.loopback()
    yield proxies()
    for port, use, other in (
        (LAB, "playground lab", "it takes the next free one by itself"),
        (BOARD, "playground classroom", "name another with --port, and tell the room"),
        (APP, "playground app", "it takes the next free one by itself"),
    ):
        yield free_port(port, use, other)
    yield doctor.fork()
    yield processors(learners)
    yield memory(learners)
    yield disk(learners)
    yield open_files()
    yield slides()
    yield Finding("chromium", "ok", "not needed: any browser of today will do")
    if wheelhouse:
        yield wheels(wheelhouse)
    yield doctor.kernel()
    yield graded()


def pinned() -> Finding:
    """Hold the packages to the tested versions: in a room, everybody must see the same."""
    found = doctor.packages()
    return replace(found, state="problem") if found.state == "note" else found


def clock() -> Finding:
    """Compare the clock with the course itself: nothing in it was written tomorrow."""
    newest = max(path.stat().st_mtime for path in (workspace.checkout() / "notebooks").iterdir())
    told = time.strftime("%Y-%m-%d %H:%M %Z")
    if time.time() >= newest - 60:
        return Finding("clock", "ok", told)
    remedy = "set the date and the time, or switch on network time: certificates depend on it too."
    return Finding("clock", "problem", f"{told}, and the course was written later", remedy)


def proxies() -> Finding:
    """Ask a server on 127.0.0.1, as the course does, and as programs do that heed proxy variables.

    The clients of the course never take a proxy. What learners write themselves may, and so may
    curl and their browser.
    """
    there = [name for name in PROXIES if os.environ.get(name) or os.environ.get(name.upper())]
    detail = f"{', '.join(there)} set" if there else "no proxy variable is set"
    with HTTPServer(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            directly = _reaches(server.server_port, trust_env=False)
            reached = _reaches(server.server_port, trust_env=True)
        finally:
            server.shutdown()
    if not directly:
        remedy = "allow programs to connect to 127.0.0.1 (a firewall or an antivirus forbids it)."
        return Finding("proxies", "problem", "a server on 127.0.0.1 does not answer", remedy)
    if reached:
        return Finding("proxies", "ok", f"{detail}; 127.0.0.1 is reached directly")
    detail += "; the course takes none, but curl, httpx and the browser ask it for 127.0.0.1"
    return Finding("proxies", "note", detail, f"{NO_PROXY}; the same exception in the browser.")


def _reaches(port: int, *, trust_env: bool) -> bool:
    try:
        with httpx.Client(trust_env=trust_env, timeout=ANSWER_SECONDS) as client:
            return client.get(f"http://127.0.0.1:{port}/").content == _Answer.BODY
    except (httpx.HTTPError, ValueError):  # ValueError: the variable is no address
        return False


class _Answer(BaseHTTPRequestHandler):
    BODY = b"the machine itself"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.BODY)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def free_port(port: int, use: str, other: str) -> Finding:
    """Look whether a port can be had on 127.0.0.1."""
    name = f"port {port}"
    try:
        with socket.create_server(("127.0.0.1", port)):
            return Finding(name, "ok", f"free for `{use}`")
    except OSError as error:
        return Finding(name, "note", f"{error.strerror}; `{use}` wants it", f"{other}.")


def processors(learners: int) -> Finding:
    """Count the processors: two for one learner, one for each where they share a machine."""
    have, wanted = os.cpu_count() or 1, max(2, learners)
    detail = f"{have} for {learners} learner{'s' * (learners != 1)}"
    if have >= wanted:
        return Finding("processors", "ok", detail)
    remedy = (
        "cells that compute (03, 06, 10) will show chance: run those at the front only, and let "
        "nobody run all cells at once."
    )
    return Finding("processors", "note", f"{detail}, {wanted} wanted", remedy)


def memory(learners: int) -> Finding:
    """Look at the memory that is available now."""
    free = psutil.virtual_memory().available / 1e6
    remedy = "close other programs, or let fewer share it; chapters 08 and 10 take most."
    return _room("memory", free, learners * MEMORY_MB, learners, remedy)


def disk(learners: int) -> Finding:
    """Look at the room where the workspaces are."""
    folder = workspace.root()
    while not folder.exists():
        folder = folder.parent
    free = psutil.disk_usage(str(folder)).free / 1e6
    return _room("disk", free, learners * DISK_MB, learners, f"free some space at {folder}.")


def _room(name: str, free: float, wanted: float, learners: int, remedy: str) -> Finding:
    detail = f"{free / 1000:.1f} GB free, {wanted / 1000:.1f} GB wanted for {learners}"
    if free >= wanted:
        return Finding(name, "ok", detail)
    return Finding(name, "problem", detail, remedy)


def open_files() -> Finding:
    """Look at the limit of open files, which is the limit of connections."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= FILES:
        return Finding("open files", "ok", f"{soft} for each process")
    remedy = f"`ulimit -n {FILES}` where the lab starts, or chapter 07 cannot open its streams."
    return Finding("open files", "note", f"{soft} for each process", remedy)


def slides() -> Finding:
    """Look for reveal.js, which slides need and learners do not."""
    from playground.teaching import slides as deck

    try:
        version = metadata.version(deck.PACKAGE)
    except metadata.PackageNotFoundError:
        remedy = "`pip install -e '.[slides]' -c constraints.txt`, if you want slides."
        return Finding("slides", "note", f"{deck.PACKAGE} is not installed", remedy)
    return Finding("slides", "ok", f"{deck.PACKAGE} {version} brings reveal.js")


def wheels(folder: Path) -> Finding:
    """Let pip plan a whole installation from the folder alone, without the network."""
    course = workspace.checkout()
    command = [
        *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"),
        *("--disable-pip-version-check", "--no-index", "--find-links", str(folder.resolve())),
        *("--constraint", str(course / "constraints.txt"), "setuptools>=68", *_required()),
    ]
    remedy = (
        "with a network: `pip download -d wheelhouse -c constraints.txt '.[dev]' "
        "'setuptools>=68'`, with the Python and the kind of machine that the room has."
    )
    if not folder.is_dir():
        return Finding("wheelhouse", "problem", f"{folder} is no folder", remedy)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS)
    except subprocess.TimeoutExpired:
        return Finding("wheelhouse", "problem", f"no plan within {PIP_SECONDS} s", remedy)
    if done.returncode == 0:
        count = len(list(folder.glob("*.whl")))
        return Finding("wheelhouse", "ok", f"{count} wheels: enough for Python {_version()} here")
    lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    reason = (lines or ["pip says no"])[-1].removeprefix("ERROR: ")
    return Finding("wheelhouse", "problem", f"incomplete: {reason}", remedy)


def _required() -> list[str]:
    """What `make lab` installs: the course's requirements and those of its extras for the desk."""
    found = []
    for line in metadata.requires(doctor.DISTRIBUTION) or []:
        requirement, _, condition = line.partition(";")
        extra = re.search(r"extra == ['\"](\w+)", condition)
        if not requirement.startswith(doctor.DISTRIBUTION) and (not extra or extra[1] in EXTRAS):
            found.append(requirement.strip())
    return found


def _version() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def graded() -> Finding:
    """Grade the solution of the first exercise, and its stub."""
    from playground.grading import find, grade

    exercise = find(EXERCISE)
    solved, untouched = grade(exercise, exercise.solution), grade(exercise, exercise.stub)
    if solved.passed and not untouched.passed:
        return Finding("exercise", "ok", f"{EXERCISE}: the solution passes, the stub does not")
    remedy = f"`playground check {EXERCISE} --file {exercise.solution}` tells more."
    return Finding("exercise", "problem", f"{EXERCISE} is not graded as it should be", remedy)
