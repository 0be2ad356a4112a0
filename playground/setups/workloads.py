"""What servers can be asked to do, and in which framework: the other two sides of the catalogue.

``cell`` tells for every set-up, framework and workload whether they go together, and if not, why.
"""

import contextlib
import functools
import importlib.util
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from playground.setups.apps import BUNDLED
from playground.setups.catalogue import SETUPS, ServeError, Setup, missing, nearest
from playground.setups.dishes.models import DIGIT, MODELS, PICTURE
from playground.setups.dishes.work import MOST_MS, MOST_S, ORDERS, WARM
from playground.setups.server import Server, serve

HEADERS = {"Content-Type": "application/json"}
PICTURE_BODY = json.dumps({"pixels": PICTURE}).encode()


@dataclass(frozen=True)
class Framework:
    """A way to write an app. ``name`` is that of the bundled app with all dishes too, and
    ``targets`` says where that is for each interface it speaks.
    """

    name: str
    title: str
    package: str  # "" needs none
    shows: str

    @property
    def targets(self) -> dict[str, str]:
        """``module:attribute`` for ``"wsgi"`` and ``"asgi"``, as far as it speaks them."""
        return BUNDLED[self.name]


MOST = {"s": MOST_S, "ms": MOST_MS, "n": 10_000}  # that an app does of a size


@dataclass(frozen=True)
class Workload:
    """One kind of work. ``path`` has places for its ``sizes``, whose values here are the defaults:
    ``s`` seconds, ``ms`` milliseconds of processor time, ``n`` events. ``check`` tells whether a
    body is the right answer; a WebSocket (``method`` "WS") has messages instead of bodies.
    """

    name: str
    path: str
    shows: str
    check: Callable[[bytes], bool]
    sizes: dict[str, float] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    interface: str = ""  # that it needs; "" is content with both
    package: str = ""  # that it needs, besides the framework's

    def ask(self, **sizes: float) -> str:
        """The path with these sizes, or the default ones. Raises ``ServeError`` for a size that the
        workload does not have, or that no app would do.
        """
        unknown = [name for name in sizes if name not in self.sizes]
        if unknown:
            has = ", ".join(self.sizes) or "none"
            raise ServeError(f"The workload {self.name} has no size {unknown[0]!r}: it has {has}.")
        for name, value in sizes.items():
            if not 0 <= value <= MOST[name]:
                raise ServeError(f"The size {name} goes from 0 to {MOST[name]:g}, not {value:g}.")
        return self.path.format(**{**self.sizes, **sizes})


@dataclass(frozen=True)
class Cell:
    """Whether a set-up, a framework and a workload go together; if not, ``why``, in a sentence.

    ``anyway`` is the status with which the server answers every request if one starts it all the
    same; None if it does not get that far, or there is nothing to start.
    """

    valid: bool
    why: str = ""
    anyway: int | None = None


FRAMEWORKS = {
    framework.name: framework
    for framework in (
        Framework("wsgi", "no framework", "", "an app by hand, as PEP 3333 has it"),
        Framework("asgi", "no framework", "", "an app by hand, as ASGI 3.0 has it"),
        Framework("flask", "Flask", "flask", "functions for WSGI"),
        Framework("django", "Django", "django", "views for WSGI, and `async def` views for ASGI"),
        Framework("fastapi", "FastAPI", "fastapi", "`async def` endpoints with declared input"),
        Framework("starlette", "Starlette", "starlette", "`async def` endpoints and little else"),
    )
}
ONE_FRAMEWORK = {"flask-dev": "flask", "django-dev": "django"}
BOTH_INTERFACES = ("hypercorn",)  # it looks at the app, and runs one for WSGI in threads


def _says(pattern: str) -> Callable[[bytes], bool]:
    return lambda body: re.fullmatch(pattern.encode(), body) is not None


def _tells(right: Callable[[Any], bool]) -> Callable[[bytes], bool]:
    """Whether a body is JSON that is right."""

    def check(body: bytes) -> bool:
        try:
            return right(json.loads(body))
        except (ValueError, LookupError, TypeError):
            return False

    return check


def _model(name: str, package: str, query: str, shows: str) -> Workload:
    return Workload(
        name=name,
        path=f"/predict{query}",
        shows=shows,
        check=_tells(lambda told: told == {"digit": DIGIT}),
        method="POST",
        body=PICTURE_BODY,
        headers=HEADERS,
        package=package,
    )


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            name="hello",
            path="/hello",
            shows="what the server and the framework cost: the answer is ready",
            check=_says("Hello, world!"),
        ),
        Workload(
            name="cpu",
            path="/cpu?ms={ms:g}",
            sizes={"ms": 50},
            shows="computing in Python: one thread of a process at a time, for it holds the GIL",
            check=_says(r"\d+ rounds\n"),
        ),
        Workload(
            name="native",
            path="/native?ms={ms:g}",
            sizes={"ms": 50},
            shows="computing in C (SHA-256): threads run beside each other, for it frees the GIL",
            check=_says(r"\d+ blocks\n"),
        ),
        Workload(
            name="waiting",
            path="/waiting?s={s:g}",
            sizes={"s": 0.1},
            shows="waiting: nothing is computed; what it holds meanwhile decides",
            check=_says(r"slept\n"),
        ),
        Workload(
            name="upstream",
            path="/upstream?s={s:g}",
            sizes={"s": 0.1},
            shows="waiting for another service that is asked over HTTP",
            check=_tells(lambda told: told["waited_s"] >= 0 and told["served"] > 0),
        ),
        Workload(
            name="database",
            path="/database",
            shows="a report from a SQLite file: its library computes in C and frees the GIL",
            check=_tells(lambda told: sum(row["orders"] for row in told) == ORDERS),
        ),
        Workload(
            name="hybrid",
            path="/hybrid?s={s:g}&ms={ms:g}",
            sizes={"s": 0.1, "ms": 20},
            shows="both: another service is asked, then Python computes",
            check=_says(r"\d+ rounds\n"),
        ),
        Workload(
            name="streaming",
            path="/events?n={n:g}&s={s:g}",
            sizes={"n": 5, "s": 0.05},
            shows="an answer that goes on for a while (server-sent events)",
            check=lambda body: body.startswith(b"id: 1\ndata: event 1\n\n"),
        ),
        Workload(
            name="websocket",
            path="/ws",
            method="WS",
            body=b"Anyone there?",
            shows="a conversation over one connection: each message is said back",
            check=lambda body: body == b"Anyone there?",
            interface="asgi",
        ),
        _model("model", "sklearn", "", "a forest of scikit-learn reads a handwritten digit"),
        _model("torch", "torch", "?model=torch", "a network of PyTorch reads the same digit"),
        _model("tensorflow", "tensorflow", "?model=tensorflow", "a network of TensorFlow does it"),
    )
}


def cell(setup: str, framework: str, workload: str = "hello") -> Cell:
    """Whether they go together, and why not.

    Raises ``ServeError`` for a name that does not exist.
    """
    server, app, work = _find(setup, SETUPS, "set-up"), framework_of(framework), find(workload)
    return (
        _beside(server, app)
        or _missing(server, app, work)
        or _within(server, app, work)
        or Cell(True)
    )


def cells() -> Iterator[tuple[str, str, str, Cell]]:
    """Every set-up, framework and workload, and what ``cell`` says of them."""
    for setup in SETUPS:
        for framework in FRAMEWORKS:
            for workload in WORKLOADS:
                yield setup, framework, workload, cell(setup, framework, workload)


def find(name: str) -> Workload:
    """The workload of that name. Raises ``ServeError`` with the nearest name."""
    found: Workload = _find(name, WORKLOADS, "workload")
    return found


def framework_of(name: str) -> Framework:
    """The framework of that name. Raises ``ServeError`` with the nearest name."""
    found: Framework = _find(name, FRAMEWORKS, "framework")
    return found


def serve_cell(setup: str, framework: str, workload: str, **how: Any) -> Server:
    """``serve``, with what the workload needs made ready before the server answers (its model, its
    other service, its database), so that no request pays for that.

    Raises ``ServeError`` with the cell's sentence if they do not go together.
    """
    found = cell(setup, framework, workload)
    if not found.valid:
        raise ServeError(found.why)
    with _told(WARM, workload):
        return serve(setup, framework, **how)


def serve_anyway(setup: str, framework: str, **how: Any) -> Server:
    """``serve`` without a look at what the app speaks, as from a terminal, and untraced: it shows
    what becomes of an app and a server that do not understand each other.

    Raises ``ServeError`` if the server cannot be started even so.
    """
    app = next(iter(framework_of(framework).targets.values()))
    server = _Careless(setup, app, trace=False, **how)
    try:
        server.await_ready()
    except BaseException:
        server.stop()
        raise
    return server


class _Careless(Server):
    """Its processes do not compare the app's interface with the set-up's."""

    def _environment(self, place: str, cpu: bool) -> dict[str, str]:
        return {**super()._environment(place, cpu), "PLAYGROUND_INTERFACE": ""}


def _beside(setup: Setup, framework: Framework) -> Cell | None:
    """Why a server cannot have an app of that framework at all."""
    only = ONE_FRAMEWORK.get(setup.name)
    if only and only != framework.name:
        title = FRAMEWORKS[only].title
        return Cell(False, f"{setup.name} is part of {title} and serves its projects only.")
    if setup.interface in framework.targets:
        return None
    speaks = " and ".join(framework.targets).upper()
    who = framework.title if framework.package else "this app without a framework"
    why = f"{setup.name} speaks {setup.interface.upper()}, {who} speaks {speaks}"
    if setup.name in BOTH_INTERFACES:
        how = "started by hand, it sees what the app speaks and runs it in threads, untraced"
        return Cell(False, f"{why}: {how}.", 200)
    return Cell(False, f"{why}: started by hand, it listens, and answers 500 to everything.", 500)


def _missing(setup: Setup, framework: Framework, workload: Workload) -> Cell | None:
    """What is not installed here."""
    if lacks := missing(setup):
        remedy = f"run `pip install {setup.package}` in this environment."
        return Cell(False, f"{setup.name} needs {lacks}, which is not installed here: {remedy}")
    wants = (
        (
            framework.title,
            framework.package,
            f"run `pip install {framework.package}` in this environment.",
        ),
        (f"The workload {workload.name}", workload.package, _remedy(workload.package)),
    )
    for who, package, remedy in wants:
        if package and not _installed(package):
            return Cell(False, f"{who} needs {package}, which is not installed here: {remedy}")
    return None


@functools.cache
def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _remedy(package: str) -> str:
    return next((how for name, _, how in MODELS.values() if name == package), "")


def _within(setup: Setup, framework: Framework, workload: Workload) -> Cell | None:
    """Why an app of that framework cannot do the work."""
    if workload.interface not in ("", setup.interface):
        return Cell(
            False,
            "WSGI has one request and one response, and no event for what a client says later:"
            " a WebSocket needs ASGI (or a library that takes the socket away from the server).",
        )
    if workload.method == "WS" and framework.name == "django":
        return Cell(
            False,
            "Django's own ASGI application takes requests only: for WebSockets it needs the"
            " package Channels.",
        )
    return None


def _find(name: str, known: dict[str, Any], kind: str) -> Any:
    if name not in known:
        raise ServeError(f"There is no {kind} {name!r}.{nearest(str(name), known)}")
    return known[name]


@contextlib.contextmanager
def _told(name: str, value: str) -> Iterator[None]:
    """An environment variable, for the servers that are started meanwhile."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
