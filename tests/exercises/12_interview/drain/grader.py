"""Grader of whiteboard-drain: guests that stay until we let them go, and a clock that we turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.grading import Learner, Raised
from playground.grading.asgi import (
    RECEIVE,
    Call,
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

OK = [start(200), body(b"soup")]
REFUSED = [
    start(503, [(b"content-type", b"text/plain"), (b"connection", b"close")]),
    body(b"503 Service Unavailable\n"),
]
INSIDE = "who is inside is served to the end"
NOBODY_NEW = "RFC 9110 §15.6.4: who comes now shall go to another process"
LATE_S = 30.0


class House:
    """The learner's middleware around an application of ours."""

    def __init__(self, stage: Stage, script: Callable[[Any], Any] | None = None) -> None:
        self.stage = stage
        app, self.play = stage.app(script or stays)
        self.app = stage.learner.obtain("Drain", app)
        self.said = "app = Drain(app)"

    def comes(self, path: str, **scope: Any) -> Exchange:
        """A request, as far as it gets."""
        self.said += f", GET {path}"
        exchange = self.stage.exchange(
            self.app, http_scope("GET", path, **scope), request(b"x"), called=self.said
        )
        self.stage.run()
        return exchange

    def drains(self, seconds: float = LATE_S) -> Call:
        """Begin to drain."""
        self.said += f", drain({seconds:g})"
        call = self.stage.start(self.app.get("drain"), seconds, called=self.said)
        self.stage.run()
        return call

    def later(self, seconds: float) -> None:
        """Let the clock advance."""
        self.said += f", {seconds:g} s pass"
        self.stage.run(seconds)

    def leaves(self, path: str) -> None:
        """Let a guest go."""
        self.said += f", {path} is served"
        self.stage.release(path)
        self.stage.run()

    def waits(self, call: Call, why: str, nudge: str = "") -> None:
        """Fail if the drain is over."""
        call.called = self.said
        if call.done:
            call.fail(f"it was over: {outcome(call)}", "drain waits", why=why, nudge=nudge)

    def drained(self, call: Call, expected: int, why: str, nudge: str = "") -> None:
        """Fail unless it is over with this number, and no task is left."""
        call.called = self.said
        if not call.done:
            call.fail("drain waits", f"drain returned {expected}", why=why, nudge=nudge,
                      stacks=True)  # fmt: skip
        call.ends(why="the docstring: you leave no task behind")
        found = outcome(call)
        if found != f"returned {expected!r}":
            call.fail(f"drain {found}", f"drain returned {expected!r}", why=why, nudge=nudge)

    def refuses(self, path: str) -> None:
        """Fail unless this request is refused."""
        calls = len(self.play.scopes)
        exchange = self.comes(path)
        exchange.expect_sent(*REFUSED, why=NOBODY_NEW, nudge="From the call of drain on.")
        if not exchange.done:
            exchange.fail("the call goes on", "it is over", why="the refusal is complete",
                          stacks=True)  # fmt: skip
        exchange.result()
        if len(self.play.scopes) != calls:
            exchange.fail("the app was called as well", "only START and BODY", why=NOBODY_NEW)


def outcome(call: Call) -> str:
    """What became of a call that is over."""
    try:
        return f"returned {call.result()!r}"
    except Raised as raised:
        return f"raised {raised.sentence()}"


def stays(scope: Any) -> Any:
    """An application: a guest stays until the check says otherwise."""
    yield hold(scope["path"])
    yield from OK


def stubborn(scope: Any) -> Any:
    """An application that takes its time to clean up."""
    try:
        yield hold(scope["path"])
    except Raised:
        yield hold(f"{scope['path']} cleans up")
        raise


def check_hands_on(learner: Learner) -> None:
    """Before the drain: everything is handed on, also what the app raises."""

    def app(scope: Any) -> Any:
        message = yield RECEIVE
        yield start(200)
        raise KeyError(message["body"].decode())

    with Stage(learner) as stage:
        house = House(stage, app)
        exchange = house.comes("/soup")
        raised = exchange.raised() if exchange.done else None
        if raised is None or raised.sentence() != "KeyError: 'x'":
            exchange.fail(f"{raised or 'no exception'}", "KeyError: 'x' raised",
                          why="what the app raises is for the server", stacks=True)  # fmt: skip
        exchange.expect_sent(start(200), why="what the app sends goes on")
        if house.play.scopes != [exchange.scope()]:
            exchange.fail(f"the app got {house.play.scopes!r}", "the scope, once", why="handed on")
        house.drained(house.drains(), 0, why="who raised is not inside any more",
                      nudge="try … finally")  # fmt: skip


def check_nobody_inside(learner: Learner) -> None:
    """With nobody inside the drain is over at once; who comes then is refused."""
    with Stage(learner) as stage:
        house = House(stage)
        guest = house.comes("/soup")
        house.leaves("/soup")
        guest.expect_sent(*OK, why="before the drain")
        house.drained(house.drains(), 0, why="nobody is inside: nobody to wait for")
        house.refuses("/late")


def check_waits(learner: Learner) -> None:
    """Waits for the last one inside, and refuses who comes meanwhile."""
    with Stage(learner) as stage:
        house = House(stage)
        guests = [house.comes("/soup"), house.comes("/fish")]
        call = house.drains()
        house.waits(call, why=INSIDE)
        house.refuses("/late")
        house.leaves("/fish")
        house.waits(call, why="one is still inside", nudge="Wait for the last one.")
        house.refuses("/later")
        house.leaves("/soup")
        house.drained(call, 0, why="the last one has left", nudge="Who wakes the drain up?")
        for guest in guests:
            guest.expect_sent(*OK, why=INSIDE)
            guest.finish(why=INSIDE)
        house.refuses("/latest")


def check_emptied_before(learner: Learner) -> None:
    """A house that was empty before, and is not now, is waited for."""
    with Stage(learner) as stage:
        house = House(stage)
        for path in ("/soup", "/fish"):
            house.comes(path)
            house.leaves(path)
        house.comes("/cake")
        call = house.drains()
        house.waits(call, why=INSIDE, nudge="An event that was set once stays set.")
        house.leaves("/cake")
        house.drained(call, 0, why="the last one has left")


def check_cancels(learner: Learner) -> None:
    """Cancels who is late, when the time is over, and counts only those."""
    with Stage(learner) as stage:
        house = House(stage)
        quick, slow, slower = (house.comes(path) for path in ("/soup", "/fish", "/cake"))
        call = house.drains()
        house.later(LATE_S - 1)
        house.leaves("/soup")
        house.waits(call, why="there is a second left")
        house.later(1)
        house.drained(call, 2, why="the time is over: two are cancelled")
        quick.expect_sent(*OK, why=INSIDE)
        for guest in (slow, slower):
            guest.called = house.said
            guest.expect_sent(why="the client of a cancelled call gets nothing from you")
            raised = guest.raised() if guest.done else None
            if raised is None or raised.type_name != "CancelledError":
                guest.fail(f"{raised or 'the call ended as if it were well'}", "CancelledError",
                           why="the cancellation goes on to the server")  # fmt: skip
            guest.ends(why="the call is over")
        house.refuses("/late")


def check_cleans_up(learner: Learner) -> None:
    """Waits until the cancelled ones have cleaned up, however long that takes."""
    with Stage(learner) as stage:
        house = House(stage, stubborn)
        guests = [house.comes("/soup"), house.comes("/fish")]
        call = house.drains(1.0)
        house.later(1.0)
        why = "a cancelled call is not over: its finally may write to a database"
        house.waits(call, why=why, nudge="After cancel(), wait again.")
        house.leaves("/soup cleans up")
        house.waits(call, why=why)
        house.refuses("/late")
        house.later(1000.0)
        house.waits(call, why=why, nudge="This wait has no end of its own.")
        house.leaves("/fish cleans up")
        house.drained(call, 2, why="both were cancelled, and both are over")
        for guest in guests:
            guest.ends(why="the call is over")


def check_one_task(learner: Learner) -> None:
    """A server's task that lives on after its call is nobody to wait for, or to cancel."""
    with Stage(learner) as stage:
        house = House(stage)
        keep, _ = stage.function(lambda: (yield hold("the connection")))
        serve = learner.define(CONNECTION, "serve")
        scopes = [http_scope("GET", "/soup"), http_scope("GET", "/fish")]
        said = "app = Drain(app), a connection with two requests in one task, /soup is served"
        connection = stage.start(serve, house.app, scopes, keep, called=said)
        stage.run()
        stage.release("/soup")
        stage.run()
        house.said = said
        call = house.drains()
        house.waits(call, why="the second request is inside")
        house.leaves("/fish")
        house.drained(call, 0, why="the calls are over; the task waits for the next request",
                      nudge="Wait for the calls, not for the tasks in which they run.")  # fmt: skip
        if connection.done:
            connection.fail(f"the server's task {outcome(connection)}", "it lives on",
                            why="it is not yours, once its call is over")  # fmt: skip
        stage.release("the connection")
        connection.finish(why="it was not cancelled")


def check_other_scopes(learner: Learner) -> None:
    """Lifespan and WebSocket are handed on at all times, and do not count."""

    def app(scope: Any) -> Any:
        yield RECEIVE
        yield {"type": f"{scope['type']}.hello"}
        yield hold("the end")

    with Stage(learner) as stage:
        house = House(stage, app)
        for moment in ("before the drain", "after it"):
            for scope in (lifespan_scope(), websocket_scope("/ws")):
                said = f"{house.said}, {scope['type']}"
                exchange = stage.exchange(house.app, scope, request(), called=said).run()
                exchange.expect_sent({"type": f"{scope['type']}.hello"}, why=f"handed on, {moment}")
            if moment == "before the drain":
                house.drained(house.drains(), 0, why="only requests count: the lifespan ends last",
                              nudge="Look at the type of the scope first.")  # fmt: skip


CONNECTION = """
async def serve(app, scopes, keep):
    async def receive():
        return {"type": "http.request"}
    async def send(message):
        pass
    for scope in scopes:
        await app(scope, receive, send)
    await keep()
"""
