"""Grader of uvicorn-readiness: we are the server, the platform, and the kitchen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.grading import Learner, Raised, fail
from playground.grading.asgi import (
    RECEIVE,
    Exchange,
    Stage,
    body,
    hold,
    http_scope,
    lifespan_scope,
    request,
    start,
    websocket_scope,
)

LIFESPAN = "ASGI Lifespan"
UP, DOWN = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
COMPLETE = {"type": "lifespan.startup.complete"}
OVER = {"type": "lifespan.shutdown.complete"}
MAKE = """
def make(kind, app, load, limit):
    ready = kind(app, load, limit=limit)
    async def wrapped(scope, receive, send):
        await ready(scope, receive, send)
    return wrapped
"""


class Truck:
    """The learner's wrapper around a kitchen and a load of ours."""

    def __init__(
        self, stage: Stage, load: Callable[[], Any], limit: int = 2, kitchen: Any = None
    ) -> None:
        self.stage = stage
        self.inner, self.play = stage.app(kitchen or cooks)
        loader, self.loads = stage.function(load)
        learner = stage.learner
        self.app = learner.define(MAKE, "make")(learner.name("Ready"), self.inner, loader, limit)
        self.limit = limit
        self.story: list[str] = []
        self.lifespan: Exchange = stage.exchange(
            self.app, lifespan_scope(), called="the lifespan of Ready(kitchen, load, "
            f"limit={limit})",
        )  # fmt: skip

    def begin(self) -> Truck:
        """Start up; the answer must be there at once."""
        self.lifespan.feed(UP).run()
        self.lifespan.expect_sent(
            COMPLETE, why="the docstring: answer at once, and load beside everything else",
            nudge="Which task awaits load()?",
        )  # fmt: skip
        self.story.append("startup")
        return self

    def opens(self, label: str) -> Truck:
        """Let load() or a kitchen go on."""
        self.stage.release(label)
        self.stage.run()
        self.story.append(f"{label} ends")
        return self

    def guest(self, path: str) -> Exchange:
        """Somebody comes and stays."""
        self.story.append(f"GET {path}")
        scope = http_scope("GET", path)
        exchange = self.stage.exchange(self.app, scope, request(), called=self.told())
        self.stage.run()
        return exchange

    def told(self) -> str:
        """What has happened, in words."""
        return f"limit={self.limit}: " + ", ".join(self.story)

    def says(self, path: str, status: int, word: bytes, *, why: str, nudge: str = "") -> None:
        """Fail unless it answers so, and at once."""
        exchange = self.guest(path)
        expected = f"{status} with {word!r}"
        if not exchange.done:
            exchange.fail("no answer yet", expected, why=why, nudge=nudge, stacks=True)
        found = exchange.response(why=why, nudge=nudge)
        if (found.status, found.body) != (status, word):
            exchange.fail(f"{found.status} with {found.body!r}", expected, why=why, nudge=nudge)
        self.story.pop()


def cooks(scope: Any) -> Any:
    """A kitchen: who orders /stay stays; who orders /burn gets an exception."""
    path = scope.get("path", "")
    if path.startswith("/stay"):
        yield hold(path)
    if path == "/burn":
        raise ValueError("burnt")
    if scope["type"] == "websocket":
        yield {"type": "websocket.close"}
    else:
        message = yield RECEIVE
        yield start(200)
        yield body(b"soup" + message["body"])


def loads() -> Any:
    """Takes its time."""
    yield hold("load")


def breaks() -> Any:
    """Takes its time, and fails."""
    yield hold("load")
    raise OSError("no model")


def check_loading(learner: Learner) -> None:
    """Answers both questions while it loads."""
    with Stage(learner) as stage:
        truck = Truck(stage, loads).begin()
        truck.says("/live", 200, b"alive", why="a restart would not help: it would load again")
        truck.says("/ready", 503, b"loading", why="nobody can be served yet",
                   nudge="The state before load() has returned.")  # fmt: skip
        truck.says("/soup", 503, b"loading", why="not loaded: 503, with the word of /ready")
        if truck.play.scopes:
            fail(truck.told(), "the inner application was called", "it is not, before it is loaded")


def check_ready(learner: Learner) -> None:
    """Is ready when load() has returned, and hands guests on."""
    with Stage(learner) as stage:
        truck = Truck(stage, loads).begin().opens("load")
        truck.says("/ready", 200, b"ready", why="load() has returned")
        truck.says("/live", 200, b"alive", why="it is alive")
        truck.says("/soup", 200, b"soup", why="everything else is the inner application's")
        types = [scope["type"] for scope in truck.play.scopes]
        if types != ["http"] or truck.play.scopes[0]["path"] != "/soup":
            fail(truck.told(), f"the inner application got {types}", "only the GET of /soup",
                 why="questions and lifespan are answered by the wrapper")  # fmt: skip
        if len(truck.loads.scopes) != 1:
            fail(truck.told(), f"load() was called {len(truck.loads.scopes)} times", "once")


def check_failed(learner: Learner) -> None:
    """Says so when load() has failed, to both questions."""
    with Stage(learner) as stage:
        truck = Truck(stage, breaks).begin().opens("load")
        why = "load() has raised, and is not tried again in this process"
        truck.says(
            "/ready", 503, b"failed", why=why, nudge="What becomes of an exception in a task?"
        )
        truck.says("/live", 503, b"failed", why=why + ": here a restart helps")
        truck.says("/soup", 503, b"failed", why=why)
        end(truck)


def check_busy(learner: Learner) -> None:
    """Is busy with `limit` under way, and serves all the same."""
    with Stage(learner) as stage:
        truck = Truck(stage, loads).begin().opens("load")
        first = truck.guest("/stay/1")
        truck.says("/ready", 200, b"ready", why="one is under way, the limit is two")
        second = truck.guest("/stay/2")
        why = "two are under way: guests shall be sent elsewhere"
        truck.says("/ready", 503, b"busy", why=why, nudge="Count who is inside the inner call.")
        truck.says("/live", 200, b"alive", why="a restart would throw both of them out")
        truck.says("/soup", 200, b"soup", why="who comes is served: the platform decides")
        truck.opens("/stay/1")
        first.finish()
        truck.says("/ready", 200, b"ready", why="one of them has left")
        third = truck.guest("/stay/3")
        truck.says("/ready", 503, b"busy", why="two are under way again")
        truck.opens("/stay/2").opens("/stay/3")
        second.finish()
        third.finish()


def check_failing_guests(learner: Learner) -> None:
    """Counts guests whose call raises, or is cancelled, as gone."""
    with Stage(learner) as stage:
        truck = Truck(stage, loads, limit=1).begin().opens("load")
        raised = truck.guest("/burn").ends().raised()
        if raised is None or raised.sentence() != "ValueError: burnt":
            fail(truck.told(), f"{raised.sentence() if raised else 'no exception'}",
                 "ValueError: burnt", why="the server must learn of it")  # fmt: skip
        why = "the call is over, however it ended"
        truck.says("/ready", 200, b"ready", why=why, nudge="What runs in any case?")
        truck.guest("/stay/1").cancel().ends()
        truck.story.append("cancelled")
        truck.says("/ready", 200, b"ready", why=why, nudge="What runs in any case?")


def check_websocket(learner: Learner) -> None:
    """Hands a WebSocket on, but not before it is loaded."""
    with Stage(learner) as stage:
        truck = Truck(stage, loads, limit=1).begin()
        early = stage.exchange(
            truck.app, websocket_scope("/ws"), called="a WebSocket while it loads"
        )
        stage.run()
        raised = early.raised() if early.done else None
        if raised is None or not raised.sentence().startswith("RuntimeError"):
            early.fail(raised.sentence() if raised else f"sent {early.sent}", "RuntimeError",
                       why="the docstring: not loaded, and no http")  # fmt: skip
        truck.opens("load")
        talk = stage.exchange(truck.app, websocket_scope("/stay/ws"), called="a WebSocket")
        stage.run()
        truck.story.append("a WebSocket")
        truck.says("/ready", 503, b"busy", why="a WebSocket is under way as well")
        truck.opens("/stay/ws")
        talk.finish()
        talk.expect_sent({"type": "websocket.close"}, why="it is the inner application's")


def check_shutdown(learner: Learner) -> None:
    """Ends: after a load, and in the middle of one."""
    with Stage(learner) as stage:
        truck = Truck(stage, loads).begin().opens("load")
        end(truck)
    with Stage(learner) as stage:
        events: list[str] = []

        def stubborn() -> Any:
            try:
                yield hold("load")
            except Raised:
                events.append("cancelled")
                yield hold("tidy")
                events.append("tidied")
                raise

        truck = Truck(stage, stubborn).begin()
        truck.lifespan.feed(DOWN).run()
        truck.story.append("shutdown while it loads")
        nudge = "cancel() only asks. Who waits for the end?"
        if events != ["cancelled"] or truck.lifespan.done:
            fail(truck.told(), f"load(): {', '.join(events) or 'goes on'}; lifespan "
                 f"{'is over' if truck.lifespan.done else 'waits'}",
                 "load() is cancelled, and the lifespan waits for its end",
                 nudge=nudge)  # fmt: skip
        truck.lifespan.expect_sent(COMPLETE, why="complete means that all has ended", nudge=nudge)
        truck.opens("tidy")
        truck.lifespan.finish(why=f"{LIFESPAN}, Shutdown", nudge=nudge)
        truck.lifespan.expect_sent(COMPLETE, OVER, why=f"{LIFESPAN}, Shutdown")


def end(truck: Truck) -> None:
    """Shut down; no task may be left."""
    truck.lifespan.feed(DOWN).run()
    truck.lifespan.finish(why=f"{LIFESPAN}, Shutdown", nudge="After the second receive() it ends.")
    truck.lifespan.expect_sent(COMPLETE, OVER, why=f"{LIFESPAN}, Shutdown")
