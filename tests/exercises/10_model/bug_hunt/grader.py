"""Grader of model-bug-hunt: one check for each bug. Model and threads are ours.

Who comes in the middle of another request is arranged: our model, or our load, sends the second
request from a second thread, and goes on when that one has ended or stands still.
"""

from __future__ import annotations

import json
from typing import Any

from playground.grading import Learner, fail, fresh

KITCHEN = """
import io
import os
import threading
import time

import numpy as np

LOOKS = 10


class Kitchen:
    "A model, its load, and requests."

    def __init__(self, make_app):
        self.loads = self.asked = 0
        self.failures = 0  # how many of the next loads fail
        self.in_load = self.in_predict = None  # bodies that come in the middle
        self.second = None
        self.passed = False  # whether the second one was served while the first was in the model
        self.app = make_app(self.load)

    def load(self):
        self.loads += 1
        body, self.in_load = self.in_load, None
        if body is not None:
            self.come(body)
        if self.failures:
            self.failures -= 1
            raise OSError("no such file")
        return self

    def predict(self, rows):
        self.asked += 1
        if not isinstance(rows, np.ndarray) or rows.shape != (1, 4):
            raise TypeError(f"predict(rows) wants an array of shape (1, 4), not {rows!r}")
        body, self.in_predict = self.in_predict, None
        if body is not None:
            self.come(body)
            self.passed = bool(self.second)
        total = rows.sum()
        sure = np.array([np.nan if total == 13 else 0.5])
        return np.array([int(total)]), sure

    def come(self, body):
        "Another request, in a thread; return when it has ended, or waits for somebody."
        said = self.second = []
        thread = threading.Thread(target=lambda: said.append(self.request(body)), daemon=True)
        thread.start()
        quiet = 0
        while thread.is_alive() and quiet < LOOKS:
            time.sleep(0.02)
            quiet = quiet + 1 if self.sleeps(thread) else 0
        self.thread = thread

    def sleeps(self, thread):
        try:
            with open(f"/proc/self/task/{thread.native_id}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] == "S"
        except OSError:
            return True  # no such files on this system, or it has just ended

    def request(self, body):
        "Status, headers and body of one POST."
        told = []
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/json",
            "wsgi.input": io.BytesIO(body + b" and the next request"),
        }
        start = lambda status, headers, exc_info=None: told.append((status, headers))
        blocks = self.app(environ, start)
        return told[-1][0], [list(pair) for pair in told[-1][1]], b"".join(blocks)

    def others(self):
        "What the second request got."
        self.thread.join(5)
        return self.second


def make(make_app):
    return Kitchen(make_app)
"""


class House:
    """The learner's application in our kitchen."""

    def __init__(self, learner: Learner) -> None:
        self.kitchen = learner.define(KITCHEN, "make")(learner.name("make_app"))
        self.learner = learner

    def post(self, body: bytes, *, said: str = "") -> tuple[str, Any]:
        """One request: status and JSON; fails for headers that are not as promised."""
        called = f"app(environ, start_response), body {body.decode()}{said}"
        with self.learner.telling(called):
            told = self.kitchen.call("request", body)
        return read(called, told)

    def expect(
        self, body: bytes, status: str, wanted: Any, *, why: str, nudge: str = "", said: str = ""
    ) -> None:
        """Fail unless this is answered; ``wanted`` None: any object with an "error"."""
        found = self.post(body, said=said)
        compare(f"body {body.decode()}{said}", found, status, wanted, why, nudge)

    def count(self, what: str) -> int:
        """A number of the kitchen's."""
        number: int = self.kitchen.get(what)
        return number


def read(called: str, told: Any) -> tuple[str, Any]:
    """Status and JSON of what came back."""
    status, headers, body = told
    fields = {name.lower(): value for name, value in headers}
    wanted = {"content-type": "application/json", "content-length": str(len(body))}
    if {name: fields.get(name) for name in wanted} != wanted:
        fail(called, f"headers {fields}", f"headers {wanted}", why="every answer is JSON")
    return status, body


def compare(
    called: str, found: tuple[str, Any], status: str, wanted: Any, why: str, nudge: str
) -> None:
    """Fail unless status and JSON are as expected."""
    body = found[1]
    try:
        value = json.loads(body, parse_constant=lambda word: f"{word}, which is no JSON")
    except ValueError:
        value = body
    right = value == wanted if wanted is not None else isinstance(value, dict) and "error" in value
    code = found[0].split()[0] if isinstance(found[0], str) and found[0].strip() else None
    if code != status or not right:
        expected = wanted if wanted is not None else {"error": "…"}
        got = f"{found[0]} {body.decode(errors='replace')}"
        fail(called, got, f"{status} {json.dumps(expected)}", why=why, nudge=nudge)


def check_types(learner: Learner) -> None:
    """Answers with the model's label and probability."""
    house = House(learner)
    for _ in range(2):
        house.expect(
            b'{"pixels": [1, 2, 3, 4]}', "200", {"digit": 10, "sure": 0.5},
            why="the label is an int64, and JSON knows no such thing", nudge="`.item()`",
        )  # fmt: skip
    house.expect(b'{"pixels": [0.5, 0.5, 0, 0], "x": 1}', "200", {"digit": 1, "sure": 0.5},
                 why="four numbers are four numbers")  # fmt: skip


def check_nan(learner: Learner) -> None:
    """A probability that is NaN is null."""
    house = House(learner)
    house.expect(
        b'{"pixels": [13, 0, 0, 0]}', "200", {"digit": 13, "sure": None},
        why="RFC 8259 §6: NaN is no JSON, though Python writes and reads it",
        nudge="`math.isnan`",
    )  # fmt: skip


def check_bodies(learner: Learner) -> None:
    """Refuses what is no list of four numbers, without asking the model."""
    house = House(learner)
    for body in (
        b'{"pixel": [1, 2, 3, 4]}',
        b"no JSON",
        b"",
        b"[1, 2, 3, 4]",
        b"7",
        b'{"pixels": [7]}',
        b'{"pixels": 7}',
        b'{"pixels": [1, 2, 3]}',
        b'{"pixels": [1, 2, 3, 4, 5]}',
        b'{"pixels": "1234"}',
        b'{"pixels": [1, 2, 3, "4"]}',
        b'{"pixels": [1, 2, 3, null]}',
        b'{"pixels": [1, 2, 3, true]}',
        b'{"pixels": [1, 2, 3, NaN]}',
        b'{"pixels": [1, 2, 3, Infinity]}',
        b'{"pixels": [[1, 2, 3, 4]]}',
        b'{"pixels": {"a": 1, "b": 2, "c": 3, "d": 4}}',
    ):
        house.expect(
            body, "400", None, why="the client sent it, so the client is told: a 4xx and no 500",
            nudge="NumPy stretches and converts what fits somehow: look before you hand it over.",
        )  # fmt: skip
        if house.count("asked"):
            fail(f"body {body.decode()}", "the model was asked", "the model was not asked",
                 why="there is nothing to ask")  # fmt: skip


def check_load_fails(learner: Learner) -> None:
    """A model that is not there is a 503, and the next request tries again."""
    house = House(learner)
    house.kitchen.call("__setattr__", "failures", 1)
    house.expect(
        b'{"pixels": [1, 2, 3, 4]}', "503", {"error": "no model"}, why="RFC 9110 §15.6.4",
        said="; load raises OSError",
    )  # fmt: skip
    house.expect(
        b'{"pixels": [1, 2, 3, 4]}', "200", {"digit": 10, "sure": 0.5},
        why="the next request tries again", said="; load works now",
    )  # fmt: skip


@fresh
def check_two_requests(learner: Learner) -> None:
    """Two requests in the model together get each their own answer."""
    house = House(learner)
    house.post(b'{"pixels": [0, 0, 0, 0]}')
    house.kitchen.call("__setattr__", "in_predict", b'{"pixels": [5, 5, 5, 5]}')
    said = "; while the model has it, another thread asks for [5, 5, 5, 5]"
    found = house.post(b'{"pixels": [1, 1, 1, 1]}', said=said)
    why = "several threads may be in predict together, and what belongs to one request is its own"
    others = house.kitchen.call("others")
    if not others:
        fail(f"body [1, 1, 1, 1]{said}", "the other request got no answer", "an answer", why=why)
    nudge = "Which variables exist once for all requests?"
    one, other = {"digit": 4, "sure": 0.5}, {"digit": 20, "sure": 0.5}
    compare(f"body [1, 1, 1, 1]{said}", found, "200", one, why, nudge)
    compare("body [5, 5, 5, 5] meanwhile", read("", others[0]), "200", other, why, nudge)


@fresh
def check_together(learner: Learner) -> None:
    """The second request need not wait until the model is done with the first."""
    house = House(learner)
    house.post(b'{"pixels": [0, 0, 0, 0]}')
    house.kitchen.call("__setattr__", "in_predict", b'{"pixels": [5, 5, 5, 5]}')
    house.post(b'{"pixels": [1, 1, 1, 1]}')
    if not house.kitchen.get("passed"):
        fail(
            "body [1, 1, 1, 1]; while the model has it, another thread asks for [5, 5, 5, 5]",
            "the other request waits until the model is done with the first",
            "it is served meanwhile",
            why="several threads may be in predict together: a lock around it makes one of all",
            nudge="What exactly must only one thread do at a time?",
        )  # fmt: skip


@fresh
def check_load_once(learner: Learner) -> None:
    """Two first requests at the same moment load the model once."""
    house = House(learner)
    house.kitchen.call("__setattr__", "in_load", b'{"pixels": [5, 5, 5, 5]}')
    said = "; while load works, another thread asks for [5, 5, 5, 5]"
    found = house.post(b'{"pixels": [1, 1, 1, 1]}', said=said)
    others = house.kitchen.call("others")
    loads = house.count("loads")
    if loads != 1:
        fail(
            f"the first request{said}", f"load was called {loads} times", "once",
            why="a second model is memory that nobody gives back, and a second wait",
            nudge="Between the look and the loading another thread looks, too.",
        )  # fmt: skip
    why, one, other = "both are served", {"digit": 4, "sure": 0.5}, {"digit": 20, "sure": 0.5}
    compare(f"the first request{said}", found, "200", one, why, "")
    if not others:
        fail(f"the first request{said}", "the other one got no answer", "an answer", why=why)
    compare("the other one", read("", others[0]), "200", other, why, "")
