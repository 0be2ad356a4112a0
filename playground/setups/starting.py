"""Whether a server gets ready, and if it does not, why: its processes leave files that tell.

What they leave is in ``playground.setups.loading``. Servers differ in what they do with a worker
that dies as it starts: ours end, and so does Hypercorn; Gunicorn and ``uvicorn --workers`` start
the next one, without end; ``uvicorn --reload`` waits for a file to change.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playground.patience import ended
from playground.setups.catalogue import SETUPS, Setup
from playground.setups.loading import STARTUP, traceback_of
from playground.setups.processes import is_helper

LIVES = 2  # how often each worker may be replaced until that is no start any more
MOST_LINES = 20  # of a log that are shown
FEW_LINES = 6  # of those where a traceback stands above
TRACEBACK = "Traceback (most recent call last):"
BETWEEN = ("During handling of the above exception", "The above exception was the direct cause")
PACKAGES = {  # modules that a bundled app may lack, and what one installs to get them
    **{name: name for name in ("django", "fastapi", "flask", "joblib", "numpy", "starlette")},
    **{setup.module: setup.package for setup in SETUPS.values()},
    "sklearn": "scikit-learn",
}


class Startup:
    """The start of one server: ``workers`` processes with ``options``, which tell in ``folder``.

    ``setup`` is None for a server function.
    """

    def __init__(
        self, folder: Path, setup: Setup | None, workers: int, options: Sequence[str]
    ) -> None:
        self._folder, self._setup, self._workers = folder, setup, workers
        silent = any(word.endswith("lifespan=off") for word in options)
        lifespan = setup is not None and setup.interface == "asgi" and not silent
        self._mark = "started" if lifespan else "loaded"
        # a preloaded app is loaded once, and by the first process
        once = setup is None or ("--preload" in options and not lifespan)
        self._wanted = 1 if once else workers

    @property
    def complete(self) -> bool:
        """Whether the app is there, and its start-up over, in every process that is to serve."""
        return sum(not ended(pid) for pid in self._those(self._mark)) >= self._wanted

    @property
    def failed(self) -> bool:
        """Whether an app has told that it cannot be served."""
        return (self._folder / "failed").exists()

    def endless(self, pids: Callable[[], list[int]]) -> int:
        """How many workers have died, if there is no hope for the next; else 0."""
        lost = sum(map(ended, self._those("begun")))
        if self._setup is None or lost == 0:
            return 0
        if self._setup.replaces:
            return lost if lost > LIVES * self._workers else 0
        left = [pid for pid in pids()[1:] if not ended(pid) and not is_helper(pid)]
        return 0 if left else lost

    def why(self, who: str, app: str, log: str) -> str:
        """Why it failed: the author's own frames, and what the server wrote besides."""
        try:
            reason = json.loads((self._folder / "failed").read_text())
        except (OSError, ValueError):
            return f"{who} ended before it answered.{tail(log)}"
        if "sentence" in reason:
            return str(reason["sentence"])
        what = f"{app} failed when {who} imported it"
        if reason.get("when") == STARTUP:
            what = f"{app} failed in its lifespan, when {who} started it"
        elif self._setup is None:
            what = f"{who} failed as it served {app}"
        besides = without_tracebacks(log) if self._setup else ""
        told = f"\n{tail(besides, FEW_LINES).strip()}" if besides else ""
        return f"{what}:\n{traceback_of(reason)}{_remedy(reason)}{told}"

    def stuck(self) -> str:
        """What a server that does not get ready is at, as far as it tells."""
        if self.complete:
            return "The app is there, but the server accepts no connections."
        begun, loaded = (
            sum(not ended(pid) for pid in self._those(what)) for what in ("begun", "loaded")
        )
        if not begun:
            return "None of its processes has begun to import the app."
        if loaded < begun or self._mark == "loaded":
            return f"The app is still being imported, in {begun - loaded} of {begun} processes."
        return "The app is imported, and its lifespan start-up goes on and on."

    def _those(self, what: str) -> list[int]:
        """The processes that have left a file of that name."""
        return [int(path.name.partition("-")[2]) for path in self._folder.glob(f"{what}-*")]


def tail(log: str, lines: int = MOST_LINES) -> str:
    """The end of a log, to stand after a sentence."""
    told = log.rstrip().splitlines()
    if not told:
        return " It wrote nothing to its log."
    cut = ["…"] if len(told) > lines else []
    return "\n".join([" The end of its log:", *cut, *told[-lines:]])


def without_tracebacks(log: str) -> str:
    """The lines of a log that belong to no traceback."""
    kept: list[str] = []
    inside = False
    for line in log.splitlines():
        if TRACEBACK in line:
            inside = True
        elif not inside:
            kept.append(line)
        elif not line.startswith(" "):
            inside = False  # this line is the exception itself
    return "\n".join(line for line in kept if line.strip() and not line.startswith(BETWEEN))


def _remedy(reason: dict[str, Any]) -> str:
    package = PACKAGES.get(reason.get("missing", ""))
    if package is None:
        return ""
    return (
        f"\n{reason['missing']} is not installed here: run `pip install {package}` in this"
        " environment and try again."
    )
