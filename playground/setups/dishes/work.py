"""The work of the dishes, for threads; ``loops`` has what an event loop can do better.

Sizes are bounded as in ``playground.setups.apps``, whose small apps do the simplest of it.
"""

import contextlib
import functools
import hashlib
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playground.setups.apps import burn
from playground.setups.dishes import models, upstream
from playground.setups.dishes.keeping import owner, passing

MOST_S, MOST_MS = 30.0, 10_000.0
ORDERS = 40_000
BLOCK = bytes(1 << 16)  # hashlib lets go of the GIL for blocks of more than 2047 bytes
WARM = "PLAYGROUND_WARM"  # what is made ready when an app is imported: names, with commas
REPORT = """
    SELECT dish, count(*) AS orders, round(avg(minutes), 3) AS minutes
    FROM orders GROUP BY dish ORDER BY dish
"""


class Unanswerable(ValueError):
    """A request that cannot be answered: status 400, and the message says why."""


def native(milliseconds: float) -> str:
    """Compute in C, without the GIL, until the thread has used that much processor time."""
    end = time.thread_time() + milliseconds / 1000
    digest, rounds = hashlib.sha256(), 0
    while time.thread_time() < end:
        digest.update(BLOCK)
        rounds += 1
    return f"{rounds} blocks\n"


def compute(milliseconds: float) -> str:
    """Compute in pure Python, with the GIL, for that much processor time."""
    return f"{burn(milliseconds)} rounds\n"


def wait(seconds: float) -> str:
    """Wait, and keep the thread meanwhile."""
    time.sleep(seconds)
    return "slept\n"


def fetch(seconds: float) -> bytes:
    """Ask the upstream service, which takes that many seconds; its answer is JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", upstream_port(), timeout=2 * MOST_S)
    with contextlib.closing(connection):
        connection.request("GET", f"/?s={seconds}")
        return connection.getresponse().read()


def hybrid(seconds: float, milliseconds: float) -> str:
    """Wait for the upstream service, then compute in pure Python."""
    fetch(seconds)
    return compute(milliseconds)


def query() -> bytes:
    """A report from a database of so many orders, as JSON."""
    path = passing("orders.sqlite", _make_database)
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return json.dumps([dict(row) for row in database.execute(REPORT)]).encode()


def predict(body: bytes, model: str = "sklearn") -> bytes:
    """Which digit the ``pixels`` of a JSON object show, as JSON. Raises ``Unanswerable``."""
    return classified(pixels_of(body), model)


def classified(pixels: list[float], model: str) -> bytes:
    """The same for pixels that have been looked at."""
    try:
        digit = models.classify(model, pixels)
    except models.NoModel as error:
        raise Unanswerable(str(error)) from error
    return json.dumps({"digit": digit}).encode()


def pixels_of(body: bytes) -> list[float]:
    """64 numbers from 0 to 16. Raises ``Unanswerable`` for anything else."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        pixels = json.loads(body)["pixels"]
        if len(pixels) == models.PIXELS and all(0 <= float(one) <= 16 for one in pixels):
            return [float(one) for one in pixels]
    raise Unanswerable('The body is JSON: {"pixels": [64 numbers from 0 to 16]}.')


def upstream_port() -> int:
    """The port of the upstream service, which is started if it does not run yet."""
    return int(passing("upstream-port", _start_upstream).read_text())


def get_ready() -> None:
    """Make ready at once what ``PLAYGROUND_WARM`` names; anything else waits for its first
    request.
    """
    ready: dict[str, Any] = {
        "upstream": upstream_port,
        "hybrid": upstream_port,
        "database": query,
        "model": functools.partial(models.load, "sklearn"),
        "torch": functools.partial(models.load, "torch"),
        "tensorflow": functools.partial(models.load, "tensorflow"),
    }
    for name in os.environ.get(WARM, "").split(","):
        if name in ready:
            ready[name]()


def _start_upstream(told: Path) -> None:
    command = [sys.executable, "-I", "-S", upstream.__file__, str(told), str(owner())]
    silent = subprocess.DEVNULL  # it outlives this, and must not hold what this was given
    subprocess.run(command, stdin=silent, stdout=silent, stderr=silent, check=True)


def _make_database(path: Path) -> None:
    """The orders of a restaurant: eight dishes, 5 to 45 minutes each."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, dish, minutes)")
        rows = ((f"dish {n % 8}", 5 + n * 7 % 41) for n in range(ORDERS))
        database.executemany("INSERT INTO orders (dish, minutes) VALUES (?, ?)", rows)
