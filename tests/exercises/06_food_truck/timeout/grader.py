"""Grader of truck-timeout: applications of ours behind the learner's middleware, and our clock."""

from collections.abc import Callable
from typing import Any

from playground.grading import Learner, Raised, Remote, fail
from playground.grading.asgi import (
    RECEIVE,
    Exchange,
    Play,
    Script,
    Stage,
    body,
    hold,
    http_scope,
    lifespan_scope,
    request,
    sleep,
    start,
    websocket_scope,
)

SECONDS = 2.0
LATE = (start(504, [(b"content-type", b"text/plain")]), body(b"504 Gateway Timeout\n"))
CLEAN = "who is cancelled cleans up, and that may take time: wait for the end of the app"
HEAD = "ASGI HTTP, Response Start: one head for each response; after it, a 504 comes too late"
OWN = "what the app raises goes on to the server"
OUTSIDE = "a cancellation from outside is not your time-out: it cancels the app, and goes on"


class Case:
    """One request through the learner's middleware, to an application of ours."""

    def __init__(self, stage: Stage, script: Callable[..., Script], what: str) -> None:
        self.stage = stage
        app, self.play = stage.app(script)
        timed = stage.learner.obtain("with_timeout", app, SECONDS)
        if not isinstance(timed, Remote):
            fail(f"with_timeout(app, {SECONDS})", f"returned {timed!r}", "an ASGI application")
        self.timed = timed
        self.called = f"with_timeout(app, {SECONDS}), then one request; app: {what}"

    def ask(self, window: int | None = None) -> Exchange:
        """Begin a request; it goes as far as it can, and no time passes."""
        exchange = self.stage.exchange(
            self.timed, http_scope("GET", "/menu"), request(), called=self.called, window=window
        )
        self.stage.run()
        return exchange


def cancelled(raised: Raised) -> None:
    """Pass unless this is something else than a cancellation."""
    if raised.type_name != "CancelledError":
        raise raised


def untouched(exchange: Exchange, play: Play, why: str, nudge: str) -> None:
    """Fail if the app was cancelled."""
    if "cancelled" in play.events:
        exchange.fail("the app was cancelled", "it goes on", why=why, nudge=nudge)


def patient(seconds: float, after: float = 0.0) -> tuple[list[Play], Callable[..., Script]]:
    """An app that begins its answer after `seconds`, ends it `after` that, and notes its end."""
    plays: list[Play] = []

    def app(scope: Any) -> Script:
        try:
            yield sleep(seconds)
            yield start(200, [])
            yield sleep(after)
        except Raised as raised:
            cancelled(raised)
            plays[0].events.append("cancelled")
            raise
        yield body(b"soup")

    return plays, app


def check_in_time(learner: Learner) -> None:
    """Lets an answer pass that comes in time."""

    def app(scope: Any) -> Script:
        message = yield RECEIVE
        yield sleep(1.5)
        yield start(200, [(b"x-dish", b"soup")])
        yield body(message["type"].encode())

    with Stage(learner) as stage:
        case = Case(stage, app, "takes 1.5 s")
        exchange = case.ask()
        exchange.finish(why="the app has answered", seconds=1.6)
        exchange.expect_sent(
            start(200, [(b"x-dish", b"soup")]), body(b"http.request"),
            why="scope, receive and send go to the app", nudge="Pass the messages on.",
        )  # fmt: skip
        if case.play.scopes[0] != http_scope("GET", "/menu"):
            exchange.fail(f"the app got {case.play.scopes[0]}", "the scope as it is", why="ASGI")


def check_late(learner: Learner) -> None:
    """Cancels the app when the time is over, and answers 504."""
    plays, app = patient(30.0)
    with Stage(learner) as stage:
        case = Case(stage, app, "would take 30 s")
        plays.append(case.play)
        exchange = case.ask()
        stage.run(1.9)
        exchange.expect_sent(why="1.9 s are less than 2 s")
        untouched(exchange, case.play, "1.9 s are less than 2 s", "Give it its time.")
        exchange.finish(why="2.1 s are over", nudge="asyncio.timeout", seconds=0.2)
        if "cancelled" not in case.play.events:
            got = "the app was not cancelled"
            exchange.fail(got, "CancelledError raised where it waits", why="nobody needs it now")
        exchange.expect_sent(*LATE, why="RFC 9110 §15.6.5", nudge="START, then BODY.")


def check_clean_up(learner: Learner) -> None:
    """Waits until the app has cleaned up, and answers then."""

    def app(scope: Any) -> Script:
        try:
            yield hold("for ever")
        except Raised as raised:
            cancelled(raised)
            yield sleep(5.0)  # gives its table back
            case.play.events.append("clean")
            raise

    with Stage(learner) as stage:
        case = Case(stage, app, "waits for ever; to clean up takes 5 s")
        exchange = case.ask()
        stage.run(6.9)
        nudge = "Leave the `async with`, or await the task, before you answer."
        if exchange.done or exchange.sent:
            got = f"after 6.9 s: sent {len(exchange.sent)} messages"
            exchange.fail(got, "nothing before the app has ended (7 s)", why=CLEAN, nudge=nudge)
        if stage.next_timer() is None:
            exchange.fail("the clean-up was stopped", "it takes its 5 s", why=CLEAN, nudge=nudge)
        exchange.finish(why="the app has ended", seconds=0.2)
        exchange.expect_sent(*LATE, why="RFC 9110 §15.6.5")


def check_head_has_left(learner: Learner) -> None:
    """Lets a stream take as long as it likes, once its head has left."""
    plays, app = patient(1.0, 30.0)
    with Stage(learner) as stage:
        case = Case(stage, app, "sends its head after 1 s, its body after 31 s")
        plays.append(case.play)
        exchange = case.ask()
        stage.run(30.9)
        nudge = "What stops the clock when the head leaves?"
        exchange.expect_sent(start(200, []), why=HEAD, nudge=nudge)
        untouched(exchange, case.play, "the docstring: from then on there is no time-out", nudge)
        exchange.finish(why="the app has ended", seconds=0.2)
        exchange.expect_sent(start(200, []), body(b"soup"), why=HEAD)


def check_head_waits(learner: Learner) -> None:
    """Takes the head for sent when send is called, though send has to wait."""
    plays, app = patient(1.0)
    with Stage(learner) as stage:
        case = Case(stage, app, "sends its head after 1 s; the client reads slowly: send waits")
        plays.append(case.play)
        exchange = case.ask(window=0)
        stage.run(30.0)
        nudge = "Note the head before you await send."
        untouched(exchange, case.play, HEAD, nudge)
        exchange.expect_sent(start(200, []), why=HEAD, nudge=nudge)
        exchange.let_send(2).finish(why="send has come back")
        exchange.expect_sent(start(200, []), body(b"soup"), why=HEAD)


def check_answers_itself(learner: Learner) -> None:
    """Keeps silent when the app answers while it cleans up."""

    def answers(goes_on: bool) -> Callable[..., Script]:
        def app(scope: Any) -> Script:
            try:
                yield hold("for ever")
            except Raised as raised:
                cancelled(raised)
                yield start(503, [])
                yield body(b"busy")
                if goes_on:
                    raise

        return app

    for goes_on, then in ((False, "returns"), (True, "raises the cancellation again")):
        with Stage(learner) as stage:
            what = f"when it is cancelled, it answers 503 and {then}"
            exchange = Case(stage, answers(goes_on), what).ask()
            exchange.finish(why="the app has ended", seconds=2.1)
            nudge = "clock.reschedule raises when the clock has struck: look at clock.expired()."
            exchange.expect_sent(start(503, []), body(b"busy"), why=HEAD, nudge=nudge)


def check_swallowed(learner: Learner) -> None:
    """Answers 504 also for an app that swallows the cancellation."""

    def app(scope: Any) -> Script:
        try:
            yield hold("for ever")
        except Raised as raised:
            cancelled(raised)

    with Stage(learner) as stage:
        exchange = Case(stage, app, "catches the cancellation and returns").ask()
        exchange.finish(why="the app has ended", seconds=2.1)
        nudge = "Then there is no TimeoutError either. What tells you that the clock has struck?"
        exchange.expect_sent(*LATE, why="the client needs an answer", nudge=nudge)


def check_own_error(learner: Learner) -> None:
    """Hands on what the app raises, also a TimeoutError."""

    def raising(error: Exception, *before: Any) -> Callable[..., Script]:
        def app(scope: Any) -> Script:
            yield from before
            raise error

        return app

    cases: tuple[tuple[Exception, tuple[Any, ...]], ...] = (
        (KeyError("oven"), ()),
        (TimeoutError("the database"), ()),
        (TimeoutError("the database"), (start(200, []), sleep(5.0))),
    )
    for error, before in cases:
        with Stage(learner) as stage:
            when = "after its head and 5 s" if before else "at once"
            what = f"raises {type(error).__name__} of its own, {when}"
            exchange = Case(stage, raising(error, *before), what).ask()
            raised = exchange.ends(why="the app has ended", seconds=5.1).raised()
            if raised is None or raised.type_name != type(error).__name__:
                got = "returned" if raised is None else f"raised {raised.sentence()}"
                nudge = "Not every TimeoutError is yours: clock.expired()."
                exchange.fail(got, f"raised {type(error).__name__}", why=OWN, nudge=nudge)
            exchange.expect_sent(*before[:1], why="the server answers 500, or cuts the connection")


def check_cancelled(learner: Learner) -> None:
    """Passes a cancellation from outside on, with no 504."""

    def app(scope: Any) -> Script:
        try:
            yield hold("for ever")
        except Raised as raised:
            cancelled(raised)
            yield sleep(0.5)
            case.play.events.append("clean")
            raise

    with Stage(learner) as stage:
        case = Case(stage, app, "waits for ever; after 1 s the server cancels the request")
        exchange = case.ask()
        stage.run(1.0)
        exchange.cancel()
        stage.run(0.2)
        if exchange.done:
            exchange.fail("it ended before the app did", "it waits for the app", why=CLEAN)
        goes_on(exchange, 5.0)
        if case.play.events != ["clean"]:
            exchange.fail("the clean-up was stopped", "the app cleans up", why=CLEAN)

    with Stage(learner) as stage:
        case = Case(stage, app, "waits for ever; the server cancels it during the clean-up")
        exchange = case.ask()
        stage.run(2.2)
        exchange.cancel()
        goes_on(exchange, 5.0)


def goes_on(exchange: Exchange, seconds: float) -> None:
    """Fail unless it ends now with CancelledError, and nothing was sent."""
    raised = exchange.ends(why="the app has ended", seconds=seconds).raised()
    exchange.expect_sent(why=OUTSIDE, nudge="A 504 is for your own clock.")
    if raised is None or raised.type_name != "CancelledError":
        got = "returned" if raised is None else f"raised {raised.sentence()}"
        nudge = "asyncio.current_task().cancelling() > 0: somebody else wants the end."
        exchange.fail(got, "raised CancelledError", why=OUTSIDE, nudge=nudge)


def check_two(learner: Learner) -> None:
    """Gives each request a clock of its own."""
    plays, app = patient(1.5, 10.0)
    with Stage(learner) as stage:
        case = Case(stage, app, "takes 1.5 s to its head; a second request comes 1 s later")
        plays.append(case.play)
        first = case.ask()
        stage.run(1.0)
        second = case.ask()
        stage.run(0.9)
        first.expect_sent(start(200, []), why=HEAD)
        second.expect_sent(why="its 1.5 s are not over")
        stage.run(0.9)
        untouched(second, case.play, "each call has its own time", "A clock for each request.")
        for exchange in (first, second):
            exchange.finish(why="the app has ended", seconds=10.0)
            exchange.expect_sent(start(200, []), body(b"soup"), why="each call has its own state")


def check_two_late(learner: Learner) -> None:
    """Answers 504 to the second request, though the first one has been answered."""

    def app(scope: Any) -> Script:
        if len(case.play.scopes) == 1:
            yield start(200, [])
            yield body(b"soup")
        yield hold("for ever")

    with Stage(learner) as stage:
        case = Case(stage, app, "answers the first request, but not the second one")
        case.ask()
        second = case.ask()
        stage.run(2.1)
        nudge = "State that belongs to one request is made where the request begins."
        second.expect_sent(*LATE, why="each call has its own state", nudge=nudge)


def check_other_scopes(learner: Learner) -> None:
    """Leaves WebSockets and lifespan alone."""

    def app(scope: Any) -> Script:
        yield RECEIVE
        try:
            yield sleep(30.0)
        except Raised as raised:
            case.play.events.append("cancelled")
            raise raised
        yield {"type": f"{scope['type']}.done"}

    for scope in (websocket_scope("/ws"), lifespan_scope()):
        with Stage(learner) as stage:
            case = Case(stage, app, f"waits 30 s; the scope is that of a {scope['type']}")
            exchange = stage.exchange(case.timed, scope, {"type": "first"}, called=case.called)
            stage.run(29.0)
            why = "a WebSocket lasts, and so does the lifespan"
            untouched(exchange, case.play, why, 'scope["type"]')
            exchange.finish(why="the app has ended", seconds=2.0)
            exchange.expect_sent({"type": f"{scope['type']}.done"}, why=why)
