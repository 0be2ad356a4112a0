"""Grader of http-predict-requests: sends the bytes to our server, and counts what comes back."""

import runpy
import socket
from collections.abc import Iterator
from functools import cache
from http.client import parse_headers
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from playground import serve
from playground.grading import Failed, Learner, Message, Raised, fail, short
from playground.grading.verdict import Wire
from playground.grading.wire import command

NAME = "PREDICTION"
STUB = Path(__file__).parents[4] / "exercises/01_socket/predict_requests.py"
SENT: dict[str, bytes] = runpy.run_path(str(STUB))["SENT"]
STILL_OPEN = b"still open?"
PROBE = b"POST /probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (
    len(STILL_OPEN),
    STILL_OPEN,
)


class Measured(NamedTuple):
    """What one experiment showed. The app echoes, so a body is what it has read."""

    answers: list[tuple[int, bytes]]  # (status, body), without the answer to the probe
    is_open: bool
    received: bytes

    @property
    def numbers(self) -> tuple[int, int]:
        """What was to be predicted."""
        return sum(status == 200 for status, _ in self.answers), int(self.is_open)

    def __str__(self) -> str:
        statuses = ", ".join(str(status) for status, _ in self.answers)
        bodies = ", ".join(repr(body) for status, body in self.answers if status == 200)
        seen = f"; the app read {bodies}" if bodies else ""
        return f"measured {self.numbers}: {in_words(*self.numbers)} (answers {statuses}{seen})"


@cache
def measure() -> dict[str, Measured]:
    """Start the server, send it everything, stop it."""
    with serve("minimal-wsgi", "echo", trace=False) as server:
        return {name: experiment(server.port, data) for name, data in SENT.items()}


def experiment(port: int, data: bytes) -> Measured:
    """Send the bytes and a last request that asks for an answer and the end of the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data + PROBE)
        try:
            while piece := connection.recv(65_536):
                received += piece
        except ConnectionResetError:
            pass  # a closed connection is what some experiments are about
    answers = list(responses(received))
    is_open = bool(answers) and answers[-1] == (200, STILL_OPEN)
    return Measured(answers[:-1] if is_open else answers, is_open, received)


def responses(received: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (status, body) of each response; ours all have a Content-Length."""
    stream = BytesIO(received)
    while line := stream.readline():
        headers = parse_headers(stream)
        yield int(line.split()[1]), stream.read(int(headers["Content-Length"]))


def in_words(requests: object, is_open: object) -> str:
    """Return what two numbers mean."""
    plural = "request reaches" if requests == 1 else "requests reach"
    return f"{requests} {plural} the app, the connection {'stays open' if is_open else 'is closed'}"


def predictions(learner: Learner) -> dict[str, object]:
    """Return the learner's dict."""
    try:
        found = learner.name(NAME)
    except Raised as raised:
        if raised.type_name != "AttributeError":
            raise
        found = None
    if not isinstance(found, dict):
        fail(NAME, f"{NAME} is {short(found)}", "a dict of predictions", nudge="Keep its name.")
    return found


def check_numbers(learner: Learner) -> None:
    """Holds two numbers for each of the six."""
    found = predictions(learner)
    for name in SENT:
        pair = found.get(name)
        good = isinstance(pair, tuple | list) and len(pair) == 2
        if not good or not all(isinstance(number, int) for number in pair):
            fail(
                f"{NAME}[{name!r}]", short(pair), "two whole numbers, such as (1, 0)",
                why="A prediction counts when it is written down before the measurement",
                nudge="How many requests reach the app? Is the connection open afterwards?",
            )  # fmt: skip


def compare(learner: Learner, name: str, why: str, nudge: str) -> None:
    """Put the prediction beside the measurement."""
    requests, is_open = predictions(learner)[name]
    measured = measure()[name]
    if (requests, is_open) == measured.numbers:
        return
    got = f"predicted {requests, is_open}: {in_words(requests, is_open)}"
    message = Message(f"sent SENT[{name!r}] to our server", got, str(measured), why, nudge)
    message.wire = Wire(SENT[name], measured.received, None, command(SENT[name]))
    raise Failed(message)


def check_two_at_once(learner: Learner) -> None:
    """Predicts two requests that are sent at once."""
    compare(
        learner, "two_at_once",
        why="RFC 9112 §9.3.2: a client may send requests without waiting, and gets the answers in"
        " the same order",
        nudge="Where do the bytes after the first empty line go?",
    )  # fmt: skip


def check_letter(learner: Learner) -> None:
    """Predicts a body that looks like a request."""
    compare(
        learner, "letter_in_a_letter",
        why="RFC 9112 §6.3: the body is as long as Content-Length says, whatever it looks like",
        nudge="Count: which bytes are those 28?",
    )  # fmt: skip


def check_old(learner: Learner) -> None:
    """Predicts HTTP/1.0 followed by HTTP/1.1."""
    compare(
        learner, "old_and_new",
        why="RFC 9112 §9.3: HTTP/1.0 persists only if the client says Connection: keep-alive",
        nudge="Which version is the first request, and what does that say about the connection?",
    )  # fmt: skip


def check_close(learner: Learner) -> None:
    """Predicts a close in the middle."""
    compare(
        learner, "close_in_the_middle",
        why="RFC 9112 §9.6: the request with close is answered, none after it; options ignore case",
        nudge="Who said close, and is that request itself answered?",
    )  # fmt: skip


def check_too_large(learner: Learner) -> None:
    """Predicts a length that is larger than what was meant."""
    compare(
        learner, "length_too_large",
        why="RFC 9112 §6.3: the server cannot know what was meant; it takes ten bytes, and the rest"
        " must be a request",
        nudge="Write down the ten bytes of the body, and the line that begins after them.",
    )  # fmt: skip


def check_two_lengths(learner: Learner) -> None:
    """Predicts two contradictory lengths."""
    compare(
        learner, "two_lengths",
        why="RFC 9112 §6.1: a server may refuse both fields together, and closes after it; that is"
        " the only answer that no smuggler can use",
        nudge="What did you return for this in http-framing?",
    )  # fmt: skip
