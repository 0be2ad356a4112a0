"""Grader of whiteboard-bucket: requests of several clients, at times that we choose."""

from __future__ import annotations

from typing import Any

from playground.grading import Learner, Raised
from playground.grading.asgi import (
    RECEIVE,
    Exchange,
    Stage,
    body,
    hold,
    http_scope,
    lifespan_scope,
    normal,
    request,
    show,
    start,
    websocket_scope,
)
from playground.grading.learner import Remote, same
from playground.grading.verdict import fail

BUCKET = "a bucket: `burst` tokens at first, `rate` more a second, never more than `burst`"
FIRST, SECOND = ("10.0.0.1", 50_000), ("10.0.0.2", 50_000)
OK = [start(200), body(b"soup")]
END = {"type": "http.response.body", "body": b"429 Too Many Requests\n"}


class House:
    """The learner's middleware around an application of ours."""

    def __init__(self, stage: Stage, rate: float, burst: int, script: Any = None) -> None:
        self.stage, self.time, self.looks = stage, 1000.0, 0
        app, self.play = stage.app(script or serves)
        self.said = f"app = limited(app, {rate}, {burst}, clock)"
        self.app = stage.learner.obtain("limited", app, rate, burst, self.clock)
        if not isinstance(self.app, Remote):
            fail(self.said, f"returned {self.app!r}", "an ASGI app",
                 nudge="Define the app inside, and return it.")  # fmt: skip

    def clock(self) -> float:
        """Seconds; the check turns the hands."""
        self.looks += 1
        return self.time

    def begin(self, client: Any = FIRST, **scope: Any) -> Exchange:
        """A request, as far as it gets."""
        who = client[0] if client else client
        self.said += f"; at {self.time - 1000:g} s a request of {who}"
        exchange = self.stage.exchange(
            self.app, http_scope("GET", "/menu", client=client, **scope), request(),
            called=self.said,
        )  # fmt: skip
        self.stage.run()
        return exchange

    def passes(self, times: int = 1, client: Any = FIRST, why: str = BUCKET) -> None:
        """Fail unless so many requests are handed on."""
        for _ in range(times):
            self.begin(client).expect_sent(*OK, why=why, nudge="How many tokens are there now?")

    def refuses(
        self, seconds: int, times: int = 1, client: Any = FIRST, why: str = BUCKET, nudge: str = ""
    ) -> None:
        """Fail unless so many requests get a 429 with these seconds."""
        for _ in range(times):
            calls = len(self.play.scopes)
            exchange = self.begin(client)
            expected = refusal(seconds)
            if not same(list(map(ordered, exchange.sent)), list(map(ordered, expected))):
                exchange.fail(f"sent {show(exchange.sent)}", f"sent {show(expected)}",
                              why=why, nudge=nudge or "How many tokens are there now?")  # fmt: skip
            exchange.finish(why="the answer is complete")
            if len(self.play.scopes) != calls:
                exchange.fail(
                    "the app was called as well", "only the 429", why="a refusal is cheap"
                )


def serves(scope: Any) -> Any:
    """An application."""
    yield from OK


def refusal(seconds: int) -> list[dict[str, Any]]:
    """What a client gets that has no token."""
    headers = [(b"content-type", b"text/plain"), (b"retry-after", b"%d" % seconds)]
    return [start(429, headers), END]


def ordered(message: Any) -> Any:
    """A message whose headers may stand in any order."""
    message = normal(message)
    if isinstance(message, dict) and isinstance(message.get("headers"), list):
        return {**message, "headers": sorted(message["headers"])}
    return message


def check_burst(learner: Learner) -> None:
    """A burst of three passes, the fourth gets 429."""
    with Stage(learner) as stage:
        house = House(stage, 1.0, 3)
        house.passes(3)
        house.refuses(1, times=2)
        if house.looks != 5:
            fail(house.said, f"clock() was called {house.looks} times", "5 times: once a request",
                 why="two looks see two different times")  # fmt: skip


def check_handed_on(learner: Learner) -> None:
    """The app gets the scope and the messages, and what it raises is raised."""

    def raises(scope: Any) -> Any:
        message = yield RECEIVE
        raise ValueError(message["body"].decode())

    with Stage(learner) as stage:
        house = House(stage, 1.0, 1, raises)
        scope = http_scope("POST", "/menu", client=list(FIRST))
        exchange = stage.exchange(house.app, scope, request(b"no soup"), called=house.said)
        stage.run()
        raised = exchange.raised() if exchange.done else None
        if raised is None or raised.sentence() != "ValueError: no soup" or exchange.sent:
            exchange.fail(f"{raised or 'it did not raise'}; sent {show(exchange.sent)}",
                          "ValueError: no soup, and nothing sent",
                          why="what the app raises is for the server", stacks=True)  # fmt: skip
        if house.play.scopes != [scope]:
            exchange.fail(f"the app got {house.play.scopes!r}", "the scope, once", why="handed on")


def check_refill(learner: Learner) -> None:
    """Tokens come back with time, in parts."""
    with Stage(learner) as stage:
        house = House(stage, 0.5, 2)
        house.passes(2)
        house.refuses(2, nudge="One token takes 2 seconds.")
        house.time += 0.5
        house.refuses(2, nudge="1.5 seconds are left; rounded up.")
        house.time += 0.75
        house.refuses(1, nudge="A refusal takes nothing, and half a token is not lost.")
        house.time += 0.75
        house.passes()
        house.refuses(2)
        house.time += 3.0
        house.passes(why=f"{BUCKET}: 1.5 tokens came, half a one is left")
        house.refuses(1)
        house.time += 1.0
        house.passes(why=f"{BUCKET}: the half one of before is a whole one now")


def check_never_more(learner: Learner) -> None:
    """A bucket that nobody uses does not grow beyond burst."""
    with Stage(learner) as stage:
        house = House(stage, 4.0, 2)
        house.passes()
        house.time += 3600.0
        house.passes(2)
        house.refuses(1, nudge="An hour is many tokens, but the bucket holds `burst`.")
        house.time += 0.125
        house.refuses(1)
        house.time += 0.125
        house.passes()


def check_clients(learner: Learner) -> None:
    """Each client has a bucket; the port does not make another one."""
    with Stage(learner) as stage:
        house = House(stage, 0.25, 1)
        house.passes(client=FIRST)
        house.time += 1.0
        house.passes(client=SECOND, why="one client must not use up what another one has")
        house.refuses(3, client=(FIRST[0], 50_001), why="a client is a host; each connection has"
                      " a port of its own", nudge="scope['client'] is [host, port].")  # fmt: skip
        house.refuses(4, client=SECOND)


def check_nameless(learner: Learner) -> None:
    """Clients without an address share a bucket."""
    with Stage(learner) as stage:
        house = House(stage, 1.0, 2)
        why = "ASGI HTTP, Connection Scope: client is optional, and may be None (a Unix socket)"
        house.passes(client=None, why=why)
        scope = http_scope("GET", "/menu")
        del scope["client"]
        house.said += "; a request whose scope has no client"
        exchange = stage.exchange(house.app, scope, request(), called=house.said)
        stage.run()
        try:
            exchange.expect_sent(*OK, why=why, nudge="`scope.get`")
        except Raised as raised:
            exchange.fail(f"raised {raised.sentence()}", "an answer", why=why)
        house.refuses(1, client=None, why="all of those are one client")


def check_together(learner: Learner) -> None:
    """Requests that come together cannot take the same token."""

    def slow(scope: Any) -> Any:
        yield hold("the kitchen")
        yield from OK

    with Stage(learner) as stage:
        house = House(stage, 1.0, 2, slow)
        inside = [house.begin(), house.begin()]
        house.refuses(1, why="the token is taken before the app runs",
                      nudge="Is there an await between the look and the taking?")  # fmt: skip
        stage.release("the kitchen")
        stage.run()
        for exchange in inside:
            exchange.expect_sent(*OK, why="they had a token")
        house.refuses(1, why="a token that was taken does not come back at the end")


def check_other_scopes(learner: Learner) -> None:
    """A lifespan or a WebSocket needs no token."""

    def plays(scope: Any) -> Any:
        yield RECEIVE
        yield {"type": f"{scope['type']}.hello"}

    with Stage(learner) as stage:
        house = House(stage, 1.0, 1, plays)
        for scope in (lifespan_scope(), websocket_scope("/ws"), websocket_scope("/ws")):
            called = f"{house.said}; {scope['type']}"
            exchange = stage.exchange(house.app, scope, request(), called=called).run()
            exchange.expect_sent({"type": f"{scope['type']}.hello"}, why="only http is limited")
        if house.looks:
            fail(house.said, "the clock was read", "not read", why="only http is limited")
        exchange = house.begin()
        exchange.expect_sent({"type": "http.hello"}, why="the others have taken no token")
        house.refuses(1)
