"""Grader of uvicorn-bug-hunt: resources of ours, and one list of all that happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.grading import Learner, fail
from playground.grading.asgi import (
    RECEIVE,
    Exchange,
    Stage,
    body,
    http_scope,
    lifespan_scope,
    request,
    start,
    websocket_scope,
)

SPEC = "ASGI Lifespan"
UP, DOWN = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
MAKE = """
def make(make_app, kitchen, *parts):
    triples = [tuple(parts[i:i + 3]) for i in range(0, len(parts), 3)]
    return make_app(triples, kitchen)
"""


class House:
    """An application of the learner's with resources of ours."""

    def __init__(self, stage: Stage, names: str, *, no_open: str = "", no_close: str = "") -> None:
        self.stage, self.events = stage, list[str]()
        self.what = f"make_app([{', '.join(names.split())}], kitchen)"
        for name in no_open.split():
            self.what += f", {name} does not open"
        for name in no_close.split():
            self.what += f", {name} does not close"
        self.kitchen, self.play = stage.app(cooks)
        parts: list[Any] = []
        for name in names.split():
            opens, _ = stage.function(self.opener(name, name in no_open.split()))
            closes, _ = stage.function(self.closer(name, name in no_close.split()))
            parts += [name, opens, closes]
        make, learner = stage.learner.define(MAKE, "make"), stage.learner
        self.app = make(learner.name("make_app"), self.kitchen, *parts)
        self.values = 0

    def opener(self, name: str, broken: bool) -> Callable[[], Any]:
        """An open() that tells."""

        def opens() -> Any:
            self.events.append(f"open {name}")
            if broken:
                raise OSError(f"no {name}")
            self.values += 1
            return f"{name} {self.values}"
            yield

        return opens

    def closer(self, name: str, broken: bool) -> Callable[[Any], Any]:
        """A close(value) that tells."""

        def closes(value: Any) -> Any:
            self.events.append(f"close {value}")
            if broken:
                raise OSError(f"{name} is stuck")
            return
            yield

        return closes

    def live(self, shutdown: bool = True) -> Exchange:
        """One lifespan; its messages are in the events too."""
        exchange = self.stage.exchange(self.app, lifespan_scope(), UP, called=self.what)
        self.stage.run()
        self.note(exchange, 0)
        if shutdown and not exchange.done:
            seen = len(exchange.sent)
            self.stage.run()
            exchange.feed(DOWN)
            self.stage.run()
            self.note(exchange, seen)
        return exchange

    def note(self, exchange: Exchange, seen: int) -> None:
        """Write down the messages that were sent."""
        for message in exchange.sent[seen:]:
            told = message if isinstance(message, dict) else {"type": message}
            text = str(told.get("type")).removeprefix("lifespan.")
            self.events.append(f"{text} ({told['message']})" if told.get("message") else text)

    def happened(self, *events: str, why: str, nudge: str) -> None:
        """Fail unless exactly this has happened."""
        if self.events != list(events):
            fail(self.what, ", ".join(self.events) or "nothing", ", ".join(events), why=why,
                 nudge=nudge)  # fmt: skip


def cooks(scope: Any) -> Any:
    """Answers, or burns."""
    if scope.get("path") == "/burn":
        raise ValueError("burnt")
    if scope["type"] == "websocket":
        yield {"type": "websocket.close"}
    else:
        message = yield RECEIVE
        yield start(200)
        yield body(b"soup" + message["body"])


def check_one(learner: Learner) -> None:
    """Opens and closes one resource."""
    with Stage(learner) as stage:
        house = House(stage, "stove")
        exchange = house.live()
        exchange.finish(why=SPEC)
        nudge = "Open, complete, close, complete."
        house.happened("open stove", "startup.complete", "close stove 1", "shutdown.complete",
                       why=SPEC, nudge=nudge)  # fmt: skip
        state = exchange.scope()["state"]
        if state != {"stove": "stove 1"}:
            exchange.fail(f"state {state!r}", "state {'stove': 'stove 1'}",
                          why=f"{SPEC}, Lifespan State")  # fmt: skip


def check_answers_at_the_end(learner: Learner) -> None:
    """Answers the shutdown when all is closed, not before."""
    with Stage(learner) as stage:
        house = House(stage, "stove")
        exchange = stage.exchange(house.app, lifespan_scope(), UP, events=house.events,
                                  called=house.what)  # fmt: skip
        stage.run()
        exchange.feed(DOWN)
        stage.run()
        closed = next((n for n, event in enumerate(house.events) if "close" in event), -1)
        said = next((n for n, event in enumerate(house.events) if "shutdown.complete" in event), -1)
        if not 0 <= closed < said:
            exchange.fail("the answer, then the closing", "the closing, then the answer",
                          why=f"{SPEC}, Shutdown: after the answer the server may end the process",
                          nudge="What does complete mean?")  # fmt: skip


def check_order(learner: Learner) -> None:
    """Closes the last one first."""
    with Stage(learner) as stage:
        house = House(stage, "gas stove oven")
        house.live().finish(why=SPEC)
        house.happened(
            "open gas", "open stove", "open oven", "startup.complete",
            "close oven 3", "close stove 2", "close gas 1", "shutdown.complete",
            why="what was opened later may need what was there before",
            nudge="In which order do you undress?",
        )  # fmt: skip


def check_failed_start(learner: Learner) -> None:
    """Says that the start has failed, and closes what is open."""
    with Stage(learner) as stage:
        house = House(stage, "gas stove oven lamp", no_open="oven")
        exchange = house.live()
        raised = exchange.raised() if exchange.done else None
        if raised is not None:
            exchange.fail(
                f"raised {raised.sentence()}", "lifespan.startup.failed is sent",
                why=f"{SPEC}, Scope: an exception means that it does not know the lifespan",
                nudge="Uvicorn would serve all the same.",
            )  # fmt: skip
        house.happened(
            "open gas", "open stove", "open oven", "close stove 2", "close gas 1",
            "startup.failed (oven: no oven)", why="what is open is closed, the last one first",
            nudge="What is open at that moment?",
        )  # fmt: skip
        exchange.finish(why=f"{SPEC}, Startup Failed", nudge="After it, the call returns.")


def check_failed_end(learner: Learner) -> None:
    """Closes the others when one does not close."""
    with Stage(learner) as stage:
        house = House(stage, "gas stove oven", no_close="stove oven")
        exchange = house.live()
        raised = exchange.raised() if exchange.done else None
        why = f"{SPEC}, Shutdown Failed"
        nudge = "One try around all, or one around each?"
        if raised is not None:
            exchange.fail(
                f"raised {raised.sentence()}", "lifespan.shutdown.failed is sent",
                why=why, nudge=nudge,
            )  # fmt: skip
        house.happened(
            "open gas", "open stove", "open oven", "startup.complete", "close oven 3",
            "close stove 2", "close gas 1", "shutdown.failed (oven: oven is stuck)", why=why,
            nudge=nudge,
        )  # fmt: skip
        house = House(stage, "gas stove oven", no_open="oven", no_close="stove")
        exchange = house.live()
        house.happened(
            "open gas", "open stove", "open oven", "close stove 2", "close gas 1",
            "startup.failed (oven: no oven)", why="the message is that of the open()",
            nudge=nudge,
        )  # fmt: skip
        exchange.finish(why=why, nudge=nudge)


def check_twice(learner: Learner) -> None:
    """Starts twice, and each lifespan closes its own."""
    with Stage(learner) as stage:
        house = House(stage, "gas")
        for _ in range(2):
            house.live().finish(why=SPEC)
        house.what += ", two lifespans one after the other"
        house.happened(
            "open gas", "startup.complete", "close gas 1", "shutdown.complete",
            "open gas", "startup.complete", "close gas 2", "shutdown.complete",
            why="each lifespan opens, and closes, its own",
            nudge="Where does the list live?",
        )  # fmt: skip


def check_scopes(learner: Learner) -> None:
    """Hands http and websocket on, and refuses what it does not know."""
    with Stage(learner) as stage:
        house = House(stage, "gas")
        exchange = stage.exchange(house.app, http_scope("GET", "/"), request())
        exchange.finish()
        exchange.expect_sent(start(200), body(b"soup"))
        talk = stage.exchange(house.app, websocket_scope("/"))
        talk.finish()
        talk.expect_sent({"type": "websocket.close"}, why="a WebSocket is the kitchen's")
        burnt = stage.exchange(house.app, http_scope("GET", "/burn"), request())
        raised = burnt.ends().raised()
        if raised is None or raised.sentence() != "ValueError: burnt":
            burnt.fail(raised.sentence() if raised else "no exception", "ValueError: burnt")
        strange = stage.exchange(house.app, {"type": "teleport", "asgi": {"version": "3.0"}},
                                 request(), called="app({'type': 'teleport', …})")  # fmt: skip
        raised = strange.ends().raised()
        if raised is None or not raised.sentence().startswith("RuntimeError"):
            strange.fail(
                raised.sentence() if raised else f"sent {strange.sent}", "RuntimeError",
                why="ASGI specification: actively reject any protocol that you do not understand",
                nudge="What is left when it is none of the three?",
            )  # fmt: skip
