"""The learner's own server or app at a port, to be asked by hand: `playground exercises serve ID`.

An exercise that can be asked has a file `by_hand.py` beside its grader, with a function
`by_hand(file, grader)` that returns a `ByHand`. The verdict does not depend on it.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import Told
from playground.grading.checking import LearnerFile, grader_of, load_module
from playground.grading.exercise import Exercise
from playground.grading.verdict import printable
from playground.waiting import working

if TYPE_CHECKING:
    from playground.setups.server import Server, ServerFunction

FILE = "by_hand.py"
POLL_S = 0.1
STAY_S = 2.0


class ByHandError(Told):
    """It cannot be served, or has ended; the message is a sentence that says why."""


@dataclass(frozen=True)
class ByHand:
    """What to serve, and what to ask it."""

    setup: str | ServerFunction  # a name of the catalogue, or the learner's server function
    app: Any = "hello"
    says: str = ""  # what stands behind it, in a sentence
    ask: str = ""  # a command that asks it; $PORT is where it listens


class MadeThere:
    """An app that ``make()`` makes in the server's process, once, with the learner's code."""

    def __init__(self, make: Callable[[], Any], name: str) -> None:
        self.make, self.__name__ = make, name

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (self.make,)


class WSGIMadeThere(MadeThere):
    """One that speaks WSGI."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Never called: what is unpickled is the app itself."""


class ASGIMadeThere(MadeThere):
    """One that speaks ASGI."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Never called: what is unpickled is the app itself."""


def _made(make: Callable[[], Any]) -> Any:
    return make()


def listener_only(file: LearnerFile) -> ServerFunction:
    """A `serve(listener)` of the learner's, which serves no app."""
    serve_file = file.function("serve")

    def your_server(listener: socket.socket, app: object) -> None:
        serve_file(listener)

    return your_server


def wsgi(make: Callable[[], Any], says: str, ask: str) -> ByHand:
    """A WSGI app of the learner's, on the course's own server."""
    return ByHand("minimal-wsgi", WSGIMadeThere(make, "your app"), says, ask)


def asgi(make: Callable[[], Any], says: str, ask: str) -> ByHand:
    """An ASGI app of the learner's, on Uvicorn."""
    return ByHand("uvicorn", ASGIMadeThere(make, "your app"), says, ask)


def curl(path: str, options: str = "-i") -> str:
    """The command that asks for a path."""
    return f'curl {options} "http://127.0.0.1:$PORT{path}"'


def defined(source: str, name: str) -> Any:
    """What `source` defines under a name: `Learner.define`, but in this process."""
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return namespace[name]


def stay(*_: object) -> bytes:
    """What a `Gate` is to a grader's handler: who comes here stays, but only for a moment."""
    time.sleep(STAY_S)
    return b"ok"


def can_be_asked(exercise: Exercise) -> bool:
    """Tell whether there is something to serve."""
    return (exercise.folder / FILE).is_file()


def by_hand(exercise: Exercise, path: Path) -> ByHand:
    """Return what the exercise says of the file at `path`."""
    module = load_module(f"by_hand_{exercise.name}", exercise.folder / FILE)
    found: ByHand = module.by_hand(LearnerFile(path), grader_of(exercise))
    return found


def run(exercise: Exercise, path: Path, port: int = 0) -> None:
    """Serve the file at `path` until Ctrl-C; print the address and whatever it says.

    Raises ByHandError when there is nothing to serve, and when it does not start or has ended.
    """
    from playground.setups.catalogue import ServeError
    from playground.setups.server import serve

    if not can_be_asked(exercise):
        raise ByHandError(
            f"{exercise.id} has no server or app to ask by hand: `playground check {exercise.id}`"
            " calls it as it is meant to be called."
        )
    if not path.is_file():
        raise ByHandError(f"There is no file {path}: `playground reset {exercise.id}` brings it.")
    found = by_hand(exercise, path)
    try:
        with working(f"Starting {path.name} …"):
            server = serve(found.setup, found.app, port=port, trace=False)
    except ServeError as error:
        what, _, why = str(error).replace("leave out port=", "leave out --port").partition("\n")
        raise ByHandError(f"{path.name} cannot be served:\n{why}" if why else what) from None
    with server:
        print(f"{path.name} is served at {server.url} until Ctrl-C.\n{found.says}\n")
        print(f"In another terminal:\n\n  PORT={server.port}\n  {found.ask}\n", flush=True)
        _follow(server)
    raise ByHandError(f"{path.name} has ended by itself: a server goes on until it is stopped.")


def _follow(server: Server) -> None:
    """Hand on what the server prints, until it has ended."""
    place = 0
    while True:
        running = server.running
        place, said = server.read_log(place)
        sys.stdout.write(printable(said))
        sys.stdout.flush()
        if not running:
            return
        time.sleep(POLL_S)
