"""Grader of model-readiness: loading and predicting are rooms that we open; we are the server."""

from __future__ import annotations

from typing import Any

from playground.grading import Learner
from playground.grading.asgi import (
    Exchange,
    Room,
    Stage,
    http_scope,
    lifespan_scope,
    request,
    websocket_scope,
)

TEXT = [b"text/plain; charset=utf-8"]
UP, DOWN = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
UP_DONE, DOWN_DONE = (
    {"type": "lifespan.startup.complete"},
    {"type": "lifespan.shutdown.complete"},
)
LISTENS = "ASGI Lifespan: a server listens when startup is complete, and not before"
LOADER = """
def make(room):
    "load, which stays until it is let go; its model says a body louder."
    def model(body):
        room(f"predict {body.decode()}")
        return body.upper()
    def load():
        room("load")
        return model
    return load
"""


class House:
    """The learner's application, with a load and a model of ours."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.room: Room = stage.room()
        load = stage.learner.define(LOADER, "make")(self.room.function)
        self.app = stage.learner.obtain("make_app", load)
        self.said = "app = make_app(load)"
        self.loads(0, why="nothing is loaded before the lifespan begins")
        self.life = self.begin(lifespan_scope(), UP, "lifespan.startup")

    def begin(self, scope: Any, message: Any, what: str) -> Exchange:
        """Call the application."""
        self.said += f", {what}"
        exchange = self.stage.exchange(self.app, scope, message, called=self.said)
        self.stage.run()
        on_loop = [entry for entry in self.room.log if "on the event loop" in entry]
        if on_loop:
            exchange.fail(
                f"{on_loop[0]}'s own thread", "in a thread of its own",
                why="a blocking call in a coroutine stops everybody",
                nudge="`await asyncio.to_thread(function, …)`, or a task of it.",
            )  # fmt: skip
        return exchange

    def ask(self, path: str, body: bytes = b"", more: bool = False) -> Exchange:
        """One request."""
        return self.begin(http_scope("POST", path), request(body, more), f"{path}")

    def told(self, exchange: Exchange, status: int, text: bytes, why: str, nudge: str = "") -> None:
        """Fail unless exactly this was answered."""
        self.stage.run()
        if exchange.done:
            exchange.result()
        found = exchange.response(why=why, nudge=nudge)
        if (found.status, found.body) != (status, text):
            exchange.fail(
                f"{found.status} {found.body!r}", f"{status} {text!r}", why=why, nudge=nudge
            )
        if found.header(b"content-type") != TEXT:
            exchange.fail(
                f"content-type is {found.header(b'content-type')}", f"{TEXT}", why="the docstring"
            )
        if found.header(b"content-length") != [b"%d" % len(text)]:
            got = f"content-length is {found.header(b'content-length')}"
            exchange.fail(got, f"{len(text)}", why="RFC 9110 §8.6: the bytes of the body")
        again = [b"1"] if text == b"loading" else []
        if found.header(b"retry-after") != again:
            exchange.fail(
                f"retry-after is {found.header(b'retry-after')}", f"{again}",
                why="RFC 9110 §10.2.3: when to come again – if that makes sense",
            )  # fmt: skip

    def loads(self, expected: int, why: str) -> None:
        """Fail unless load was called so often."""
        count = sum(entry.startswith("enter load") for entry in self.room.log)
        if count != expected:
            exchange = self.stage.exchange(self.app, http_scope("GET", "/health"), called=self.said)
            exchange.fail(f"load was called {count} times", f"{expected} times", why=why)

    def loaded(self, error: Exception | None = None) -> None:
        """The loading ends."""
        self.said += ", load raises" if error else ", load returns"
        self.room.release("load", error)
        self.stage.run()

    def shut(self) -> None:
        """The server ends."""
        self.said += ", lifespan.shutdown"
        self.life.feed(DOWN)
        self.stage.run()


def check_startup(learner: Learner) -> None:
    """Startup begins the loading, in a thread, and does not wait for it."""
    with Stage(learner) as stage:
        house = House(stage)
        if house.room.inside != ["load"]:
            house.life.fail("load has not begun", "load is under way", why="it begins at startup",
                            nudge="Start it before you say complete.", stacks=True)  # fmt: skip
        house.life.expect_sent(UP_DONE, why=LISTENS, nudge="Begin it, but do not await it here.")


def check_loading(learner: Learner) -> None:
    """While it loads: alive, not ready, and no prediction."""
    with Stage(learner) as stage:
        house = House(stage)
        house.told(house.ask("/health"), 200, b"alive", "the process lives")
        house.told(house.ask("/ready"), 503, b"loading", "RFC 9110 §15.6.4: try again later")
        house.told(house.ask("/predict", b"x"), 503, b"loading", "there is no model yet")
        house.loads(1, why="once in a lifespan, and not for a request")


def check_ready(learner: Learner) -> None:
    """When it is there: ready, and predictions in a thread."""
    with Stage(learner) as stage:
        house = House(stage)
        house.loaded()
        house.told(house.ask("/ready"), 200, b"ready", "the model is there")
        house.told(house.ask("/health"), 200, b"alive", "the process lives")
        house.told(house.ask("/menu"), 404, b"no such path", "RFC 9110 §15.5.5")
        first = house.ask("/predict", b"seven")
        half = {"type": "http.request", "more_body": True}  # its body is empty: that is the default
        second = house.begin(http_scope("POST", "/predict"), half, "/predict in three messages")
        house.told(house.ask("/health"), 200, b"alive", "the loop is free while the model works")
        if "predict " in house.room.inside:
            second.fail("the model got half a body", "the whole body", why="ASGI: more_body")
        second.feed(request(b"ni", more=True), {"type": "http.request", "body": b"ne"})
        for label in ("predict nine", "predict seven"):
            house.room.release(label)
        house.told(
            second, 200, b"NINE", "the body is what all messages have together",
            "`more_body` says whether another message comes.",
        )  # fmt: skip
        house.told(first, 200, b"SEVEN", "each request gets its own answer")
        house.loads(1, why="once in a lifespan, and not for each request")
        house.life.expect_sent(UP_DONE, why="the server has not said lifespan.shutdown")


def check_failed(learner: Learner) -> None:
    """When the loading fails: alive, never ready, and it says why."""
    with Stage(learner) as stage:
        house = House(stage)
        house.loaded(KeyError("no such file"))
        why = "it will not get better by waiting, and somebody must be told"
        house.told(house.ask("/ready"), 503, b"failed: KeyError", why, "`task.exception()`")
        house.told(house.ask("/predict", b"x"), 503, b"failed: KeyError", why)
        house.told(house.ask("/health"), 200, b"alive", "the process lives")
        house.shut()
        house.life.expect_sent(UP_DONE, DOWN_DONE, why="however the loading ended")
        house.life.finish(why="ASGI Lifespan: after shutdown it returns")


def check_shutdown(learner: Learner) -> None:
    """Shutdown waits for the loading, which nobody can cancel."""
    with Stage(learner) as stage:
        house = House(stage)
        house.shut()
        house.life.expect_sent(
            UP_DONE, why="the thread still loads: a thread cannot be cancelled",
            nudge="Await what you have begun, before you say complete.",
        )  # fmt: skip
        house.loaded()
        house.life.expect_sent(UP_DONE, DOWN_DONE, why="ASGI Lifespan: shutdown.complete")
        house.life.finish(why="ASGI Lifespan: after shutdown it returns")


def check_model_raises(learner: Learner) -> None:
    """What the model raises goes on to the server; other scopes are refused."""
    with Stage(learner) as stage:
        house = House(stage)
        house.loaded()
        exchange = house.ask("/predict", b"x")
        house.room.release("predict x", ZeroDivisionError("x"))
        stage.run()
        raised = exchange.raised() if exchange.done else None
        if raised is None or raised.type_name != "ZeroDivisionError" or exchange.sent:
            exchange.fail(
                f"{raised or 'it did not raise'}; sent {len(exchange.sent)} messages",
                "ZeroDivisionError, and nothing sent",
                why="the server answers 500 and writes the traceback into its log",
            )  # fmt: skip
        house.told(house.ask("/ready"), 200, b"ready", "one bad request is no reason to close")
        other = house.begin(websocket_scope("/ws"), {"type": "websocket.connect"}, "websocket")
        refused = other.raised() if other.done else None
        if refused is None or refused.type_name != "ValueError":
            other.fail(
                f"{refused or 'it did not raise'}", "ValueError",
                why="ASGI: applications should reject what they do not understand by an exception",
            )  # fmt: skip
