"""Grader of asgi-lifespan: our apps, our serve, and the order of all that happens."""

from collections.abc import Callable
from typing import Any

from playground.grading import Learner, fail
from playground.grading.asgi import RECEIVE, Call, Stage, hold, sleep

SPEC = "ASGI Lifespan"
SCOPE = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
UP, DOWN = {"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}


class House:
    """An app, a serve, and one list of events."""

    def __init__(self, stage: Stage, what: str, script: Callable[["House"], Any]) -> None:
        self.stage, self.script, self.events = stage, script, list[str]()
        app, self.play = stage.app(self.app)
        serve, self.served = stage.function(self.serve)
        self.error: Exception | None = None
        called = f"await run_lifespan(app, serve); app: {what}"
        self.call: Call = stage.start("run_lifespan", app, serve, called=called).run()

    def app(self, scope: Any) -> Any:
        """What the check wants it to do."""
        yield from self.script(self)

    def receive(self) -> Any:
        """Receive, and note it."""
        message = yield RECEIVE
        self.events.append(str(message["type"]).removeprefix("lifespan."))

    def serve(self, state: Any) -> Any:
        """Serve until the check closes."""
        self.events.append("serve")
        yield hold("closing time")
        self.events.append("closed")
        if self.error is not None:
            raise self.error

    def close(self) -> "House":
        """End serve."""
        self.stage.release("closing time")
        self.stage.run()
        return self

    def ends(self, result: str, *events: str, why: str, nudge: str) -> None:
        """Fail unless it returns `result`, after these events."""
        found = self.call.finish(why=why, nudge=nudge)
        if type(found) is not str or found != result:
            self.call.fail(f"returned {found!r}", f"returned {result!r}", why=why, nudge=nudge)
        self.happened(*events, why=why, nudge=nudge)

    def happened(self, *events: str, why: str, nudge: str) -> None:
        """Fail unless exactly this has happened."""
        if self.events != list(events):
            self.call.fail(", ".join(self.events) or "nothing", ", ".join(events), why=why,
                           nudge=nudge, stacks=not self.call.done)  # fmt: skip


def good(house: House) -> Any:
    """An app that does all as it should."""
    yield from house.receive()
    yield UP
    yield from house.receive()
    yield DOWN


def check_complete(learner: Learner) -> None:
    """Starts, serves, ends: in this order, and nothing early."""
    with Stage(learner) as stage:
        house = House(stage, "startup.complete, shutdown.complete", good)
        nudge = "serve runs between the two; the shutdown comes after it."
        house.happened("startup", "serve", why=SPEC, nudge=nudge)
        if house.play.scopes != [SCOPE] or house.served.scopes != [{}]:
            fail("run_lifespan", f"app: {house.play.scopes!r}, serve: {house.served.scopes!r}",
                 f"{[SCOPE]!r} and [{{}}]", why=f"{SPEC}, Scope")  # fmt: skip
        house.close().ends("complete", "startup", "serve", "closed", "shutdown",
                           why=f"{SPEC}, Shutdown", nudge=nudge)  # fmt: skip


def check_waits_for_startup(learner: Learner) -> None:
    """Does not serve before the app is ready."""

    def slow(house: House) -> Any:
        yield from house.receive()
        yield hold("the database")
        yield UP
        yield from house.receive()
        yield hold("the goodbye")
        yield DOWN

    with Stage(learner) as stage:
        house = House(stage, "takes its time", slow)
        why = f"{SPEC}, Startup: the server waits for the answer before it serves"
        house.happened("startup", why=why, nudge="Await the answer.")
        stage.release("the database")
        stage.run()
        house.happened("startup", "serve", why=why, nudge="Now it is ready.")
        house.close()
        if house.call.done:
            house.call.fail("returned", "it waits for shutdown.complete", why=f"{SPEC}, Shutdown")
        stage.release("the goodbye")
        house.ends("complete", "startup", "serve", "closed", "shutdown", why=SPEC, nudge="Wait.")


def check_state(learner: Learner) -> None:
    """Hands the state on that the app has filled."""
    with Stage(learner) as stage:
        got: list[Any] = []

        def serve(state: Any) -> Any:
            got.append(state)
            yield sleep(0.0)

        function, _ = stage.function(serve)
        app = learner.define(_FILLS, "app")
        call = stage.start("run_lifespan", app, function, called="await run_lifespan(app, serve);"
                           " app: scope['state']['db'] = 7")  # fmt: skip
        call.finish(why=SPEC)
        if got != [{"db": 7}]:
            call.fail(f"serve got {got!r}", "serve got {'db': 7}", why=f"{SPEC}, Lifespan State",
                      nudge="The dictionary of the scope.")  # fmt: skip


def check_failed(learner: Learner) -> None:
    """Reports a failed startup and a failed shutdown."""
    for more, text in (({"message": "no oven"}, "no oven"), ({}, "")):

        def startup(house: House, more: Any = more) -> Any:
            yield from house.receive()
            yield {"type": "lifespan.startup.failed", **more}

        def shutdown(house: House, more: Any = more) -> Any:
            yield from house.receive()
            yield UP
            yield from house.receive()
            yield {"type": "lifespan.shutdown.failed", **more}

        with Stage(learner) as stage:
            house = House(stage, f"startup.failed {more}", startup)
            house.ends(f"startup failed: {text}", "startup", why=f"{SPEC}, Startup Failed",
                       nudge="Nobody may be served by an app that is not ready.")  # fmt: skip
            house = House(stage, f"shutdown.failed {more}", shutdown).close()
            house.ends(f"shutdown failed: {text}", "startup", "serve", "closed", "shutdown",
                       why=f"{SPEC}, Shutdown Failed", nudge="message has a default.")  # fmt: skip


def check_waits_for_the_end(learner: Learner) -> None:
    """Is over when the app is, not when it has answered."""

    def refuses(house: House) -> Any:
        yield from house.receive()
        yield {"type": "lifespan.startup.failed"}
        yield hold("the lights")
        house.events.append("dark")

    def tidies(house: House) -> Any:
        yield from good(house)
        yield hold("the lights")
        house.events.append("dark")

    after = ("startup", "serve", "closed", "shutdown")
    for script, what, result, events in (
        (refuses, "startup.failed, then it tidies up", "startup failed: ", ("startup",)),
        (tidies, "shutdown.complete, then it tidies up", "complete", after),
    ):
        with Stage(learner) as stage:
            house = House(stage, what, script)
            if script is tidies:
                house.close()
            why = "the docstring: when you have the answer, wait for the end of the app"
            nudge = "The answer is a message; the end of the app is the end of its task."
            if house.call.done:
                house.call.fail("ended, and the app still runs", "it waits for the end of the app",
                                why=why, nudge=nudge)  # fmt: skip
            stage.release("the lights")
            stage.run()
            house.ends(result, *events, "dark", why=why, nudge=nudge)


def check_unsupported(learner: Learner) -> None:
    """Serves all the same if the app does not know the lifespan."""

    def raises(house: House) -> Any:
        raise AssertionError("http only")
        yield

    def returns(house: House) -> Any:
        yield from house.receive()

    for what, script, events in (("raises", raises, ()), ("returns", returns, ("startup",))):
        with Stage(learner) as stage:
            house = House(stage, f"{what} at once", script)
            nudge = "An app that ends will never answer: wait for its end as well."
            why = f"{SPEC}, Scope: after an exception, the server goes on without lifespan"
            house.happened(*events, "serve", why=why, nudge=nudge)
            if house.served.scopes != [{}]:
                fail("run_lifespan", f"serve was called with {house.served.scopes!r}", "[{}]",
                     why=why, nudge="There is no state.")  # fmt: skip
            house.close().ends("unsupported", *events, "serve", "closed", why=why, nudge=nudge)


def check_ends_early(learner: Learner) -> None:
    """Serves on when the app ends after its startup."""

    def early(house: House) -> Any:
        yield from house.receive()
        yield UP
        raise ValueError("gone")

    with Stage(learner) as stage:
        house = House(stage, "raises after startup.complete", early)
        house.happened("startup", "serve", why=SPEC, nudge="serve goes on.")
        house.close().ends("complete", "startup", "serve", "closed", why=SPEC,
                           nudge="Who has ended does not answer the shutdown.")  # fmt: skip


def check_serve_raises(learner: Learner) -> None:
    """Ends the app when serve raises, then raises that."""
    with Stage(learner) as stage:
        house = House(stage, "as it should be; serve raises OSError", good)
        house.error = OSError("port in use")
        raised = house.close().call.ends(why=SPEC).raised()
        if raised is None or raised.sentence() != "OSError: port in use":
            house.call.fail("no OSError", "raised OSError: port in use", why="the docstring")
        house.happened("startup", "serve", "closed", "shutdown", why=SPEC, nudge="try … finally")


_FILLS = """
async def app(scope, receive, send):
    await receive()
    scope["state"]["db"] = 7
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
"""
