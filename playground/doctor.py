"""`playground doctor`: what the course needs from this machine, looked at without changing it.

Every check returns one Finding, with its remedy where there is something to do.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from playground import workspace
from playground.lab import environment

DISTRIBUTION = "python-web-server-playground"
ROOM = 500_000_000  # bytes: a workspace with a few saved runs, and room to breathe
INSTALL = "`make lab` installs the tested versions (or `pip install -e . -c constraints.txt`)."
KERNEL_SECONDS = 60.0
NEWEST_TESTED = (3, 13)


@dataclass(frozen=True)
class Finding:
    """The result of one check. `state` is "ok", "note" (works without) or "problem"."""

    name: str
    state: str
    detail: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Yield the findings, the quick ones first."""
    yield python()
    yield packages()
    yield loopback()
    yield fork()
    yield disk()
    yield learners_workspace()
    yield confinement()
    yield program("nc", "to send a verdict's bytes again by hand: install the package netcat.")
    yield program("wrk", "`make bench` needs it: install the package wrk.")
    yield program("chromium", "only the browser tests need it: install the package chromium.")
    yield kernel()


def python() -> Finding:
    """Look at the version of the running Python (an older one than 3.11 cannot run this)."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] <= NEWEST_TESTED:
        return Finding("Python", "ok", version)
    newest = ".".join(map(str, NEWEST_TESTED))
    remedy = f"should something fail, use Python {newest}: `make clean`, `make PYTHON=… lab`."
    return Finding("Python", "note", f"{version} is newer than the tested {newest}", remedy)


def packages(constraints: Path | None = None) -> Finding:
    """Compare what is installed with `constraints.txt`."""
    try:
        required = [
            line for line in metadata.requires(DISTRIBUTION) or [] if "extra ==" not in line
        ]
    except metadata.PackageNotFoundError:
        return Finding("packages", "problem", "the course is not installed", INSTALL)
    names = [match[0] for line in required if (match := re.match(r"[\w.-]+", line))]
    if missing := [name for name in names if _installed(name) is None]:
        return Finding("packages", "problem", f"missing: {', '.join(missing)}", INSTALL)
    path = constraints or workspace.checkout() / "constraints.txt"
    tested = _tested(path)
    other = [
        f"{name} {found} (tested: {version})"
        for name, version in tested.items()
        if (found := _installed(name)) not in (None, version)
    ]
    if other:
        return Finding("packages", "note", f"other versions: {', '.join(other)}", INSTALL)
    return Finding("packages", "ok", f"{len(names)} packages and what they need, as tested")


def loopback() -> Finding:
    """Listen on 127.0.0.1 on a free port, connect to it, and close both."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname(), timeout=5),
        ):
            return Finding("loopback", "ok", "127.0.0.1 accepts connections on a free port")
    except OSError as error:
        remedy = "allow programs to listen on 127.0.0.1 (a firewall or sandbox forbids it)."
        return Finding("loopback", "problem", str(error), remedy)


def fork() -> Finding:
    """Start a child with `os.fork` and wait for it."""
    if not hasattr(os, "fork"):
        remedy = "use Linux, macOS, or Windows with WSL: chapter 03 forks its workers."
        return Finding("fork", "problem", f"{sys.platform} has no fork", remedy)
    try:
        child = os.fork()
    except OSError as error:
        return Finding("fork", "problem", str(error), "raise the limit of processes (`ulimit -u`).")
    if child == 0:
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        return Finding("fork", "ok", "a child process starts and ends")
    return Finding("fork", "problem", f"the child ended with {status}", "look at system limits.")


def disk(room: int = ROOM) -> Finding:
    """Look at the room left where the workspace is (`room` in bytes)."""
    folder = workspace.root()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:.1f} GB free at {folder}"
    if free >= room:
        return Finding("disk", "ok", detail)
    return Finding("disk", "note", detail, f"free some space: {room / 1e9:.1f} GB are comfortable.")


def learners_workspace() -> Finding:
    """Look at the workspace's format, its progress file, and files with a newer version."""
    from playground.grading import progress

    folder = workspace.root()
    if not folder.exists():
        return Finding("workspace", "note", f"{folder} does not exist yet", "`make lab` makes it.")
    try:
        progress.load()
        newer = workspace.outdated()
    except workspace.WorkspaceError as error:
        sentence, _, remedy = str(error).partition(": ")
        return Finding("workspace", "problem", sentence, remedy)
    if not os.access(folder, os.W_OK):
        return Finding("workspace", "problem", f"{folder} is read-only", f"`chmod u+w {folder}`")
    if newer:
        detail = f"newer in the course: {', '.join(newer)}"
        return Finding("workspace", "note", detail, "`playground reset NAME` takes the new one.")
    return Finding("workspace", "ok", f"{folder}, format {workspace.FORMAT}")


def confinement() -> Finding:
    """Look at what the kernel holds the code of an exercise to while it is graded."""
    from playground.grading import Failed, Learner
    from playground.grading.confine import landlock_version

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nothing.py"
        path.touch()
        try:
            with Learner(path) as learner:
                apart = learner.apart
        except Failed as failed:
            remedy = "look whether a security policy forbids to start Python."
            return Finding("grading", "problem", failed.message.got, remedy)
    version = landlock_version()
    open_to = [
        what
        for held, what in (
            (version >= 1 or apart, "write files"),
            (version >= 1, "read solutions"),
            (version >= 6, "signal other processes"),
            (apart, "use the network, chmod files and leave some in /dev/shm"),
        )
        if not held
    ]
    if not open_to:
        return Finding("grading", "ok", f"namespaces and Landlock {version} confine what is graded")
    return Finding(
        "grading",
        "note",
        f"a hostile file could, by going around Python, {', '.join(open_to)}",
        "Linux 6.12 with Landlock and user namespaces prevents it; else grade files you trust.",
    )


def program(name: str, use: str) -> Finding:
    """Look for an optional program on the PATH."""
    if path := shutil.which(name):
        return Finding(name, "ok", path)
    return Finding(name, "note", "not found", use)


def kernel() -> Finding:
    """Start the notebook kernel in a temporary folder, run a cell, and end it."""
    with tempfile.TemporaryDirectory(prefix="playground-doctor-") as folder:
        try:
            subprocess.run(
                [sys.executable, "-c", "from playground.doctor import run_a_cell; run_a_cell()"],
                env=os.environ | environment(Path(folder)),
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=KERNEL_SECONDS + 10,
                check=True,
            )
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or ["no message"])[-1]
        except subprocess.TimeoutExpired:
            reason = f"no answer in {KERNEL_SECONDS:.0f} s"
        else:
            return Finding("kernel", "ok", "python3 starts and imports playground")
    return Finding("kernel", "problem", reason, f"reinstall: {INSTALL}")


def run_a_cell() -> None:
    """Start the kernel `python3` and let it import the course.

    Raises RuntimeError when there is no such kernel, it does not start, or the import fails.
    """
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(startup_timeout=KERNEL_SECONDS, kernel_name="python3")
    try:
        reply = client.execute_interactive(
            "import playground, minimal_servers", timeout=KERNEL_SECONDS, output_hook=lambda _: None
        )
        content = reply["content"]
        if content["status"] != "ok":
            raise RuntimeError(f"{content['ename']}: {content['evalue']}")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _tested(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = (line.split(";")[0].strip().partition("==") for line in lines if "==" in line)
    return {name: version for name, _, version in pins if not name.startswith("#")}
