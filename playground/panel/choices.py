"""What one chooses in the panel, and in one sentence why it cannot be."""

from dataclasses import dataclass, field
from typing import Any

from playground.load.arrivals import TOGETHER, Plan, plan
from playground.load.order import SIZED, Order, of_workload
from playground.setups.catalogue import ServeError, check_sizes, find
from playground.setups.workloads import FRAMEWORKS, cell

OWN = "own app"  # instead of a workload: an app of the reader's


@dataclass(frozen=True)
class Choice:
    """A set-up with its size, and the framework of its app; "" is the plain app."""

    setup: str
    framework: str = ""
    workers: int = 1
    threads: int = 1

    @property
    def title(self) -> str:
        """Such as ``gunicorn-gthread:2x8, Flask``: as the command line has it."""
        size = f":{self.workers}" if self.workers > 1 or self.threads > 1 else ""
        size += f"x{self.threads}" if self.threads > 1 else ""
        framework = FRAMEWORKS.get(self.framework)
        return f"{self.setup}{size}{f', {framework.title}' if framework else ''}"


@dataclass(frozen=True)
class Work:
    """What is asked of them, when, and how often. ``app`` and ``path`` count for ``OWN`` only."""

    workload: str = "waiting"
    sizes: dict[str, float] = field(default_factory=dict)
    app: str = "slow"
    path: str = "/"
    arrivals: str = TOGETHER
    n: int = 12
    rate: float = 20.0
    clients: int = 8
    rounds: int = 4

    @property
    def timing(self) -> dict[str, Any]:
        """What ``load`` takes of it."""
        return {
            "arrivals": self.arrivals,
            "n": self.n,
            "rate": self.rate,
            "clients": self.clients,
        }

    def plan(self) -> Plan:
        """When requests are sent. Raises ``ServeError``."""
        return plan(self.arrivals, self.n, None, self.rate, self.clients)


def parse(text: str | Choice, framework: str = "", workers: int = 1, threads: int = 1) -> Choice:
    """``gunicorn-gthread:2x8`` is 2 workers with 8 threads each. Raises ``ServeError``."""
    if isinstance(text, Choice):
        return text
    said = SIZED.fullmatch(text)
    if said is None:
        raise ServeError(f"{text!r} is no set-up with a size such as gunicorn-gthread:2x8.")
    find(said["name"])
    own = int(said["workers"] or workers), int(said["threads"] or threads)
    return Choice(said["name"], framework, *own)


def order(choice: Choice, work: Work) -> Order:
    """What is asked of that set-up. Raises ``ServeError`` with the sentence why it cannot be."""
    setup = find(choice.setup)
    check_sizes(setup, choice.workers, choice.threads)
    if work.workload == OWN:
        if not work.app.strip():
            raise ServeError(
                "Name your app, as module:attribute, or one of the bundled ones: slow."
            )
        return Order(work.app.strip(), work.path)
    asked = of_workload(choice.setup, work.workload, choice.framework or None, **work.sizes)
    found = cell(choice.setup, asked.target, work.workload)
    if not found.valid:
        raise ServeError(found.why)
    return asked


def why_not(choice: Choice, work: Work) -> str:
    """Why this cannot be served, in a sentence; "" if it can."""
    try:
        order(choice, work)
    except ServeError as error:
        return str(error)
    return ""


def why_no_load(work: Work) -> str:
    """Why requests cannot be sent like that, in a sentence; "" if they can."""
    try:
        work.plan()
    except ServeError as error:
        return str(error)
    return ""
