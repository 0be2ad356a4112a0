"""Grader of asgi-middleware: we are the server and the app, and look at what passes through."""

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
    sleep,
    start,
    websocket_scope,
)

THROUGH = "ASGI, Middleware: it is both server and application, and keeps the promises of both"
START = "ASGI HTTP, Response Start"
TYPE = (b"content-type", b"text/plain")


class Around:
    """The learner's middleware around an app of ours."""

    def __init__(self, stage: Stage, script: Any) -> None:
        self.stage = stage
        self.time, self.looks = 100.0, 0
        app, self.play = stage.app(script)
        self.app = stage.learner.obtain("timed", app, self.clock)

    def clock(self) -> float:
        """Seconds; the grader turns the hands."""
        self.looks += 1
        return self.time

    def exchange(self, scope: Any = None, *messages: Any, window: int | None = None) -> Exchange:
        """One request."""
        return self.stage.exchange(
            self.app, scope or http_scope(), *messages,
            called="await timed(app, clock)(scope, receive, send)", window=window,
        )  # fmt: skip


def timing(milliseconds: bytes) -> tuple[bytes, bytes]:
    """The header."""
    return (b"server-timing", b"app;dur=" + milliseconds)


def check_header(learner: Learner) -> None:
    """Adds the header after the app's own, and hands the body on."""
    with Stage(learner) as stage:

        def app(scope: Any) -> Any:
            around.time += 0.25
            yield start(404, [(b"set-cookie", b"a"), TYPE, (b"set-cookie", b"b")])
            around.time += 1.0
            yield body(b"no ", True)
            yield body(b"soup")

        around = Around(stage, app)
        exchange = around.exchange()
        exchange.finish(why=THROUGH)
        headers = [(b"set-cookie", b"a"), TYPE, (b"set-cookie", b"b"), timing(b"250.0")]
        exchange.expect_sent(
            start(404, headers), body(b"no ", True), body(b"soup"), why=START,
            nudge="Bytes, milliseconds, one decimal: b'%.1f'.",
        )  # fmt: skip
        if around.looks != 2:
            got, nudge = f"the clock was read {around.looks} times", "At the call, at the start."
            exchange.fail(got, "2 times", why="the docstring", nudge=nudge)


def check_no_headers(learner: Learner) -> None:
    """Takes a start without headers, and keeps what else is in the message."""
    with Stage(learner) as stage:

        def app(scope: Any) -> Any:
            yield {"type": "http.response.start", "status": 200, "trailers": True}
            yield body()

        exchange = Around(stage, app).exchange()
        exchange.finish(why=START, nudge="headers has a default: message.get.")
        exchange.expect_sent(
            {**start(200, [timing(b"0.0")]), "trailers": True}, body(), why=START,
            nudge="Copy the message and replace its headers.",
        )  # fmt: skip


def check_unchanged(learner: Learner) -> None:
    """Leaves the app's message and its headers as they are."""
    with Stage(learner) as stage:
        shared = learner.define(_SHARED, "app")
        app = learner.obtain("timed", shared, lambda: 1.0)
        for _ in range(2):
            exchange = stage.exchange(app, http_scope(), called="timed(app, clock), twice")
            exchange.finish(why=THROUGH)
            found = exchange.response().body
            if found != b"1 1":
                exchange.fail(
                    f"the app's own headers: {found.split()[0].decode()},"
                    f" its message's: {found.split()[1].decode()}", "1 and 1, as before",
                    why=THROUGH, nudge="A new list, in a new dictionary.",
                )  # fmt: skip


def check_iterable(learner: Learner) -> None:
    """Takes headers that are an iterator of lists."""
    with Stage(learner) as stage:
        app = learner.obtain("timed", learner.define(_ITERATOR, "app"), lambda: 1.0)
        exchange = stage.exchange(app, http_scope(), called="timed(app, clock); headers: iter(…)")
        exchange.finish(why=START, nudge="[*headers, one_more] takes any iterable.")
        exchange.expect_sent(start(200, [TYPE, timing(b"0.0")]), body(), why=START)


def check_streams(learner: Learner) -> None:
    """Hands on each message at once, and waits as the server's send waits."""
    with Stage(learner) as stage:

        def app(scope: Any) -> Any:
            yield start()
            yield body(b"one", True)
            yield hold("the second block")
            yield body(b"two")

        exchange = Around(stage, app).exchange(window=1).run()
        nudge = "await send(message): the app waits there for as long as the server does."
        exchange.expect_sent(start(200, [timing(b"0.0")]), body(b"one", True), why=THROUGH,
                             nudge=nudge)  # fmt: skip
        if stage.release("the second block"):
            exchange.fail("the app went on while the server's send waited", "it waits",
                          why=THROUGH, nudge=nudge)  # fmt: skip
        exchange.let_send(9).run()
        stage.release("the second block")
        exchange.finish(why=THROUGH)
        exchange.expect_sent(
            start(200, [timing(b"0.0")]), body(b"one", True), body(b"two"), why=THROUGH
        )


def check_receive_and_scope(learner: Learner) -> None:
    """Gives the app the scope, and what receive gives."""
    got: list[Any] = []
    with Stage(learner) as stage:

        def app(scope: Any) -> Any:
            got.append((yield RECEIVE))
            yield start()
            yield body()

        around = Around(stage, app)
        scope = http_scope("POST", "/order", extra=1)
        around.exchange(scope, request(b"soup")).finish(why=THROUGH)
        if got != [request(b"soup")] or around.play.scopes != [scope]:
            got_text = f"the app got {got!r} and the scope {around.play.scopes!r}"
            fail("timed(app, clock)", got_text, f"{[request(b'soup')]!r} and {scope!r}",
                 why=THROUGH, nudge="Hand on scope and receive as they are.")  # fmt: skip


def check_other_scopes(learner: Learner) -> None:
    """Does nothing to websocket, lifespan, or a scope that nobody knows yet."""
    for scope in (websocket_scope("/ws"), lifespan_scope(), {"type": "http3.tunnel"}):
        with Stage(learner) as stage:

            def app(scope: Any) -> Any:
                yield RECEIVE
                yield start()  # a wrong message here, and none of the middleware's business

            around = Around(stage, app)
            exchange = around.exchange(scope, {"type": "something"})
            exchange.finish(why="ASGI, Connection Scope: others may come",
                            nudge="Look at scope['type'] before anything else.")  # fmt: skip
            exchange.expect_sent(
                start(), why="ASGI, Connection Scope",
                nudge="If scope['type'] is not 'http': await app(scope, receive, send).",
            )  # fmt: skip
            if around.play.scopes != [scope]:
                exchange.fail(f"the app got {around.play.scopes!r}", f"{[scope]!r}", why=THROUGH)
            if around.looks:
                exchange.fail("the clock was read", "not for this scope", why="the docstring")


def check_errors(learner: Learner) -> None:
    """Lets through what the app raises, and what the server's send raises."""
    seen: list[str] = []
    with Stage(learner) as stage:

        def app(scope: Any) -> Any:
            yield start()
            exchange.error = OSError("the client has gone")
            try:
                yield body(b"one")
            except Raised as raised:
                seen.append(raised.sentence())
            raise ValueError("no soup")

        exchange = Around(stage, app).exchange()
        raised = exchange.ends(why=THROUGH).raised()
        ended = raised.sentence() if raised else "nothing"
        if (seen, ended) != (["OSError: the client has gone"], "ValueError: no soup"):
            got = f"the app saw {seen}, the server {ended}"
            expected = "the app sees OSError, the server ValueError: no soup"
            exchange.fail(got, expected, why=THROUGH, nudge="Catch nothing.")


def check_two_requests(learner: Learner) -> None:
    """Keeps two requests at the same time apart."""
    with Stage(learner) as stage:

        def app(scope: Any) -> Any:
            yield hold(scope["path"])
            yield start()
            yield sleep(0.0)
            yield body()

        around = Around(stage, app)
        first = around.exchange(http_scope(path="/a")).run()
        around.time += 1.0
        second = around.exchange(http_scope(path="/b")).run()
        around.time += 0.5
        for path in ("/b", "/a"):
            stage.release(path)
            stage.run()
        nudge = "What belongs to one request lives inside the inner function."
        for exchange, duration in ((first, b"1500.0"), (second, b"500.0")):
            exchange.finish(why=THROUGH)
            exchange.expect_sent(
                start(200, [timing(duration)]), body(), why="two requests at once", nudge=nudge
            )


_SHARED = """
HEADERS = [(b"content-type", b"text/plain")]
MESSAGE = {"type": "http.response.start", "status": 200, "headers": HEADERS}

async def app(scope, receive, send):
    await send(MESSAGE)
    text = b"%d %d" % (len(HEADERS), len(MESSAGE["headers"]))
    await send({"type": "http.response.body", "body": text})
"""

_ITERATOR = """
async def app(scope, receive, send):
    headers = iter([[b"content-type", b"text/plain"]])
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body"})
"""
