"""Load from outside: wrk, which is far faster than any server here."""

import re
import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """Keep-alive connections that each send the next request when the answer is there."""

    connections: int
    seconds: int


class LoadError(RuntimeError):
    """The load generator is missing or reported errors; the message says what to do."""


def requests_per_second(url: str, load: Load) -> float:
    """Run wrk against ``url`` once. Raises LoadError if an answer was wrong or missing."""
    if shutil.which("wrk") is None:
        raise LoadError("wrk is not installed: `apt-get install wrk` (Linux), `brew install wrk`.")
    command = ["wrk", "-t1", f"-c{load.connections}", f"-d{load.seconds}s", url]
    said = subprocess.run(command, capture_output=True, text=True, timeout=load.seconds + 30)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said.stdout)
    if said.returncode or rate is None:
        raise LoadError(f"wrk failed: {said.stderr.strip() or said.stdout.strip()}")
    if trouble := re.search(r"(Socket errors|Non-2xx).*", said.stdout):
        raise LoadError(f"wrk got wrong answers from {url}: {trouble[0]}")
    return float(rate[1])
