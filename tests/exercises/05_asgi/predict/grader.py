"""Grader of asgi-predict: serves the apps of the stub, visits them, and looks at what happens."""

import runpy
import socket
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import h11

from playground import serve
from playground.grading import Failed, Learner, Message, Raised, fail, short
from playground.grading.verdict import Wire
from playground.grading.wire import command

NAME = "PREDICTION"
STUB = Path(__file__).parents[4] / "exercises/05_asgi/predict.py"
TABLE: dict[str, Any] = runpy.run_path(str(STUB))
VISITS: dict[str, tuple[str, Callable[..., Any]]] = TABLE["VISITS"]
ASKED: dict[str, tuple[str, ...]] = {name: tuple(keys) for name, keys in TABLE[NAME].items()}
WORDS = {
    "framing": ("length", "chunked", "none"),
    "gives": ("http.request", "http.disconnect", "nothing"),
    "whole": (True, False),
}
PIECES = (b"toma", b"to s", b"oup!")
TOLD = b"one http.request\n"
DEADLINE_S = 15.0  # stops a hang
REQUEST = "ASGI HTTP, Request: what has arrived, and whether there is more to come"
DISCONNECT = "ASGI HTTP, Disconnect: when the client has gone, or the response is complete"


class Measured(NamedTuple):
    """One visit, and what came of it."""

    sent: bytes
    received: bytes
    facts: dict[str, object]


@cache
def measure() -> dict[str, Measured]:
    """Start the server, make all visits, stop it."""
    apps = {f"/{name}": app for name, (_, app) in VISITS.items()}
    noted: list[str] = TABLE["NOTED"]

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/noted":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": " ".join(noted).encode()})
            noted.clear()
        else:
            await apps[scope["path"]](scope, receive, send)

    with serve("minimal-asgi", application, trace=False) as server:
        return {name: Visit(server.port, name).measured() for name in VISITS}


class Visit:
    """One client."""

    def __init__(self, port: int, name: str) -> None:
        self.port, self.name = port, name
        self.method = VISITS[name][0]
        self.sent = self.received = b""
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def measured(self) -> Measured:
        """Do what the stub says of this visit, and look."""
        acts = {
            "in_pieces": self.send_pieces, "in_one_packet": self.send_at_once,
            "invites": self.wait_to_be_asked, "does_not_invite": self.wait_to_be_asked,
            "asks_later": self.stay, "is_left_alone": self.leave,
        }  # fmt: skip
        with self.connection:
            facts = acts.get(self.name, self.just_ask)() or self.take_apart()
        return Measured(self.sent, self.received, facts)

    def just_ask(self) -> None:
        """One request, one response."""
        self.ask(b"", "Connection: close")
        self.read_until(lambda: False)

    def send_at_once(self) -> None:
        """The body together with the head."""
        self.ask(b"".join(PIECES), "Connection: close")
        self.read_until(lambda: False)

    def send_pieces(self) -> None:
        """Each piece when the app has got the one before."""
        self.ask(PIECES[0], "Connection: close")
        for number, piece in enumerate(PIECES[1:], 1):
            self.read_until(lambda number=number: self.received.count(TOLD) >= number)
            self.send(piece)
        self.read_until(lambda: False)

    def wait_to_be_asked(self) -> None:
        """The body only after an invitation."""
        self.ask(b"", "Connection: close", "Expect: 100-continue")
        self.read_until(lambda: b"\r\n\r\n" in self.received)
        if self.received.startswith(b"HTTP/1.1 100 "):
            self.send(b"".join(PIECES))
        self.read_until(lambda: False)

    def stay(self) -> dict[str, object]:
        """Keep the connection open after the response."""
        self.ask()
        self.read_until(lambda: self.received.endswith(b"soup of the day"))
        return {"gives": self.noted()}

    def leave(self) -> dict[str, object]:
        """Hang up in the middle of the response."""
        self.ask()
        self.read_until(lambda: b"welcome" in self.received)
        self.connection.close()
        return {"gives": self.noted()}

    def ask(self, data: bytes = b"", *fields: str) -> None:
        """Send the head, and some body with it."""
        length = ["Content-Length: 12"] if self.method == "POST" else []
        lines = [f"{self.method} /{self.name} HTTP/1.1", "Host: 127.0.0.1", *fields, *length]
        self.send("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + data)

    def send(self, data: bytes) -> None:
        """Send."""
        self.sent += data
        self.connection.sendall(data)

    def read_until(self, enough: Callable[[], bool]) -> None:
        """Read until it is enough, or the connection ends in whatever way."""
        while not enough():
            try:
                data = self.connection.recv(65_536)
            except ConnectionResetError:
                return  # how the server says that a response is broken
            if not data:
                return
            self.received += data

    def noted(self) -> str:
        """What the app has noted, as soon as it has."""
        limit = time.monotonic() + DEADLINE_S
        while time.monotonic() < limit:
            with socket.create_connection(("127.0.0.1", self.port), DEADLINE_S) as other:
                other.sendall(b"GET /noted HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                answer = b""
                while data := other.recv(4096):
                    answer += data
            if told := answer.partition(b"\r\n\r\n")[2].decode():
                return told
        return "nothing"

    def take_apart(self) -> dict[str, object]:
        """Look at the response (RFC 9112 §6.3)."""
        parser = h11.Connection(h11.CLIENT)
        parser.send(h11.Request(method=self.method, target="/", headers=[("host", "a")]))
        parser.send(h11.EndOfMessage())
        facts: dict[str, object] = {"invitations": 0, "chunks": 0, "whole": False}
        data, chunks, invitations = b"", 0, 0
        parser.receive_data(self.received)
        parser.receive_data(b"")
        try:
            while not isinstance(event := parser.next_event(), (h11.EndOfMessage, type)):
                if isinstance(event, h11.InformationalResponse):
                    invitations += event.status_code == 100
                elif isinstance(event, h11.Response):
                    facts["status"] = event.status_code
                    names = {name for name, _ in event.headers}
                    facts["framing"] = (
                        "chunked" if b"transfer-encoding" in names
                        else "length" if b"content-length" in names else "none"
                    )  # fmt: skip
                elif isinstance(event, h11.Data):
                    data += bytes(event.data)
                    chunks += event.chunk_start
            facts["whole"] = isinstance(event, h11.EndOfMessage) and facts["framing"] != "none"
        except h11.RemoteProtocolError:
            pass  # it broke off
        facts |= {"chunks": chunks, "invitations": invitations, "requests": data.count(TOLD)}
        return facts | {"gives": data.decode("latin-1")}


def prediction(learner: Learner, name: str) -> dict[str, object]:
    """Return what the learner wrote down for one visit."""
    try:
        found = learner.name(NAME)
    except Raised as raised:
        if raised.type_name != "AttributeError":
            raise
        found = None
    if not isinstance(found, dict):
        fail(NAME, f"{NAME} is {short(found)}", "a dict of predictions", nudge="Keep its name.")
    entry = found.get(name)
    entry = entry if isinstance(entry, dict) else {}
    return {key: entry.get(key) for key in ASKED[name]}


def listed(facts: dict[str, object]) -> str:
    """In words."""
    return ", ".join(f"{key} {value!r}" for key, value in facts.items())


def check_written_down(learner: Learner) -> None:
    """Holds a prediction for everything that is asked."""
    for name, keys in ASKED.items():
        said = prediction(learner, name)
        for key in keys:
            words = WORDS.get(key)
            fits = said[key] in words if words else type(said[key]) is int
            if key == "whole":
                fits = type(said[key]) is bool
            if not fits:
                one_of = " or ".join(map(repr, words)) if words else "a whole number"
                fail(
                    f"{NAME}[{name!r}][{key!r}]", repr(said[key]), one_of,
                    why="A prediction counts when it is written down before the measurement",
                    nudge="Guess, if you must: a wrong guess is remembered best.",
                )  # fmt: skip


def compare(learner: Learner, *names: str, why: str, nudge: str) -> None:
    """Put predictions beside the measurements."""
    for name in names:
        said, measured = prediction(learner, name), measure()[name]
        seen = {key: measured.facts.get(key) for key in ASKED[name]}
        if said != seen:
            method, app = VISITS[name]
            called = f"visit {name}: {method}, answered by the app {app.__name__} on our server"
            message = Message(called, f"predicted {listed(said)}", f"measured {listed(seen)}", why)
            message.nudge = nudge
            message.wire = Wire(measured.sent, measured.received, None, command(measured.sent))
            raise Failed(message)


def check_requests(learner: Learner) -> None:
    """Predicts how a body reaches the app."""
    compare(
        learner, "in_pieces", "in_one_packet", "without_a_body", why=REQUEST,
        nudge="receive waits for something to arrive, and not for everything. And how does an app"
        " learn that there is no body?",
    )  # fmt: skip


def check_framing(learner: Learner) -> None:
    """Predicts how the client finds the end of a body."""
    compare(
        learner, "one_block", "three_blocks",
        why="ASGI HTTP, Response Start: the head waits for the first body; RFC 9112 §7.1: chunks",
        nudge="What does the server know when it sees the first body message? And what would an"
        " empty chunk mean?",
    )  # fmt: skip


def check_failures(learner: Learner) -> None:
    """Predicts what the client sees of an app that fails."""
    compare(
        learner, "fails_early", "fails_late",
        why="RFC 9112 §8: before the head an error can be said; after it, only a missing end shows",
        nudge="What has left the server when the app raises?",
    )  # fmt: skip


def check_receive(learner: Learner) -> None:
    """Predicts what receive gives when the body is over."""
    compare(
        learner, "asks_again", "asks_later", "is_left_alone", why=DISCONNECT,
        nudge="Two things make it true that nobody listens any more. Is one of them the case?",
    )  # fmt: skip


def check_invitations(learner: Learner) -> None:
    """Predicts when a client is invited to send its body."""
    compare(
        learner, "invites", "does_not_invite",
        why="RFC 9110 §10.1.1: 100 Continue says that the body is wanted",
        nudge="Which call says that the app wants the body?",
    )  # fmt: skip
