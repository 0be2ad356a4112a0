"""Grader of wsgi-predict-blocks: serves the apps of the stub, and looks at what arrives."""

import re
import runpy
import socket
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from playground import serve
from playground.grading import Failed, Learner, Message, Raised, fail, short
from playground.grading.verdict import Wire
from playground.grading.wire import command

NAME = "PREDICTION"
STUB = Path(__file__).parents[4] / "exercises/02_wsgi/predict_blocks.py"
SERVED: dict[str, tuple[str, str, Callable[..., Any]]] = runpy.run_path(str(STUB))["SERVED"]
FRAMINGS = ("length", "chunked", "none")
CHUNK = re.compile(rb"([0-9a-fA-F]+)\r\n")
LIMIT = 100_000  # bytes; the apps send a few


class Arrived(NamedTuple):
    """What the client got: measured, or predicted."""

    framing: object
    chunks: object
    bytes: object
    whole: object

    def __str__(self) -> str:
        return ", ".join(f"{key} {value!r}" for key, value in self._asdict().items())


class Measured(NamedTuple):
    """One request, and what came of it."""

    sent: bytes
    received: bytes
    arrived: Arrived


@cache
def measure() -> dict[str, Measured]:
    """Start the server, send it every request, stop it."""
    apps = {f"/{name}": app for name, (_, _, app) in SERVED.items()}

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        return apps[environ["PATH_INFO"]](environ, start_response)

    with serve("minimal-wsgi", application, trace=False) as server:
        return {name: experiment(server.port, name) for name in SERVED}


def experiment(port: int, name: str) -> Measured:
    """Send one request, and read until the server ends the connection."""
    method, version, _ = SERVED[name]
    fields = f"Host: 127.0.0.1:{port}\r\nConnection: close\r\n"
    sent = f"{method} /{name} {version}\r\n{fields}\r\n".encode()
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        try:
            while (piece := connection.recv(65_536)) and len(received) < LIMIT:
                received += piece
        except ConnectionResetError:
            pass  # how the server says that a response is broken
    return Measured(sent, received, take_apart(received, method))


def take_apart(received: bytes, method: str) -> Arrived:
    """Look at one response (RFC 9112 §6.3)."""
    head, _, body = received.partition(b"\r\n\r\n")
    if re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
        chunks, whole = take_chunks(body)
        return Arrived("chunked", len(chunks), sum(map(len, chunks)), whole)
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    whole = method == "HEAD" or (length is not None and len(body) == int(length[1]))
    return Arrived("length" if length else "none", 0, len(body), whole)


def take_chunks(body: bytes) -> tuple[list[bytes], bool]:
    """Return the chunks with data, and whether the last chunk was there."""
    chunks: list[bytes] = []
    while size := CHUNK.match(body):
        length = int(size[1], 16)
        if not length:
            return chunks, True
        chunks.append(body[size.end() : size.end() + length])
        body = body[size.end() + length + 2 :]
    return chunks, False


def prediction(learner: Learner, name: str) -> Arrived:
    """Return what the learner wrote down for one request."""
    try:
        found = learner.name(NAME)
    except Raised as raised:
        if raised.type_name != "AttributeError":
            raise
        found = None
    if not isinstance(found, dict):
        fail(NAME, f"{NAME} is {short(found)}", "a dict of predictions", nudge="Keep its name.")
    entry = found.get(name)
    if not isinstance(entry, dict) or not set(Arrived._fields) <= set(entry):
        entry = dict.fromkeys(Arrived._fields)
    return Arrived(*(entry[key] for key in Arrived._fields))


def check_written_down(learner: Learner) -> None:
    """Holds four predictions for each of the six."""
    for name in SERVED:
        said = prediction(learner, name)
        numbers = all(type(number) is int for number in (said.chunks, said.bytes))
        if said.framing not in FRAMINGS or not numbers or not isinstance(said.whole, bool):
            fail(
                f"{NAME}[{name!r}]", str(said),
                "framing 'length', 'chunked' or 'none', chunks and bytes whole numbers,"
                " whole True or False",
                why="A prediction counts when it is written down before the measurement",
                nudge="Guess, if you must: a wrong guess is remembered better than a right answer.",
            )  # fmt: skip


def compare(learner: Learner, name: str, why: str, nudge: str) -> None:
    """Put the prediction beside the measurement."""
    said, measured = prediction(learner, name), measure()[name]
    if said == measured.arrived:
        return
    method, version, app = SERVED[name]
    called = f"{method} {version}, answered by the app {app.__name__} on our server"
    message = Message(called, f"predicted {said}", f"measured {measured.arrived}", why, nudge)
    message.wire = Wire(measured.sent, measured.received, None, command(measured.sent))
    raise Failed(message)


def check_list(learner: Learner) -> None:
    """Predicts a list."""
    compare(
        learner, "a_list",
        why="PEP 3333, Handling the Content-Length Header: the server may add what it can compute",
        nudge="Add up the bytes of three blocks; a letter with an accent is not one byte.",
    )  # fmt: skip


def check_generator(learner: Learner) -> None:
    """Predicts a generator."""
    compare(
        learner, "a_generator",
        why="PEP 3333, Buffering and Streaming; RFC 9112 §7.1: a chunk of size 0 is the last one",
        nudge="The head leaves with the first block. Who knows the length by then? And what"
        " would an empty chunk mean?",
    )  # fmt: skip


def check_too_much(learner: Learner) -> None:
    """Predicts an app that sends more than it promised."""
    compare(
        learner, "too_much",
        why="PEP 3333: the server must not send more bytes than Content-Length says",
        nudge="What would a client make of the bytes after the sixth?",
    )  # fmt: skip


def check_head(learner: Learner) -> None:
    """Predicts the answer to HEAD."""
    compare(
        learner, "only_the_head",
        why="RFC 9110 §9.3.2: as GET, without the body; RFC 9112 §6.3: it ends after the head",
        nudge="The fields tell what GET would bring. What arrives is another question.",
    )  # fmt: skip


def check_old_client(learner: Learner) -> None:
    """Predicts a generator for a client of HTTP/1.0."""
    compare(
        learner, "an_old_client",
        why="RFC 9112 §6.3: without length or chunks, the body ends where the connection ends;"
        " §8: the client cannot tell that from a connection that broke",
        nudge="May a client of 1.0 get chunks? If not, what is left?",
    )  # fmt: skip


def check_breaks_off(learner: Learner) -> None:
    """Predicts an app that raises in the middle."""
    compare(
        learner, "breaks_off",
        why="RFC 9112 §8: a chunked body without its last chunk is incomplete, and is seen to be",
        nudge="Which part of the response was on its way when the app raised?",
    )  # fmt: skip
