"""Grader of asgi-streaming: we are the server and the source, and see who waits for what."""

from typing import Any

from playground.grading import Learner, Raised
from playground.grading.asgi import (
    DISCONNECT,
    Exchange,
    Stage,
    body,
    hold,
    http_scope,
    request,
    sleep,
    start,
)  # fmt: skip

START = start(200, [(b"content-type", b"text/plain")])
STREAM = "ASGI HTTP, Response Body: send returns when the server can take more"
GONE = "ASGI HTTP, Disconnect: receive gives http.disconnect when the client has gone"
RELEASE = "the docstring: release() exactly once, when no take() is running any more"


class Source:
    """take() and release(), and one list of all that happens."""

    def __init__(self, stage: Stage, *blocks: Any, window: int | None = None) -> None:
        self.stage = stage
        self.events: list[str] = []
        self.blocks = list(blocks)
        take, _ = stage.function(self.take)
        release, _ = stage.function(self.release)
        app = stage.learner.obtain("streaming", take, release)
        self.exchange: Exchange = stage.exchange(
            app, http_scope("GET", "/prices"), request(),
            called="await streaming(take, release)(scope, receive, send)",
            events=self.events, window=window,
        )  # fmt: skip

    def take(self) -> Any:
        """The next block; an exception is raised, None waits for ever."""
        self.events.append("take")
        block = self.blocks.pop(0) if self.blocks else None
        if isinstance(block, Exception):
            raise block
        try:
            if block is None:
                yield hold("the next block")
        except Raised:
            self.events.append("take cancelled")
            raise
        return block

    def release(self) -> Any:
        """Counted."""
        self.events.append("release")
        yield sleep(0.0)

    def steps(self) -> list[str]:
        """What happened, without what receive gave."""
        return [event for event in self.events if not event.startswith("receive")]

    def happened(self, *expected: str, why: str, nudge: str) -> None:
        """Fail unless exactly this has happened."""
        if self.steps() != list(expected):
            self.exchange.fail(
                ", ".join(self.steps()), ", ".join(expected), why=why, nudge=nudge,
                stacks=not self.exchange.done,
            )  # fmt: skip


SENT = ("send http.response.start", "take", "send http.response.body")


def check_streams(learner: Learner) -> None:
    """Sends the start, the blocks, and the end."""
    with Stage(learner) as stage:
        source = Source(stage, b"one", b"two", b"")
        nudge = "A block is sent with more_body True; b'' with more_body False is the end."
        result = source.exchange.finish(why=STREAM, nudge="Nobody waits when the stream is over.")
        source.exchange.expect_sent(
            START, body(b"one", True), body(b"two", True), body(), why=STREAM, nudge=nudge
        )
        if result is not None:
            source.exchange.fail(f"returned {result!r}", "returned None", why="the docstring")
        source.happened(
            *SENT, *SENT[1:], *SENT[1:], "release", why=RELEASE, nudge="Once, at the very end."
        )


def check_start_first(learner: Learner) -> None:
    """Sends the start before there is a block, and each block at once."""
    with Stage(learner) as stage:
        source = Source(stage, b"one")
        source.exchange.run()
        source.happened(
            *SENT, "take", why=STREAM, nudge="Send what there is; the next block may never come."
        )


def check_not_ahead(learner: Learner) -> None:
    """Takes the next block when the last one has been sent, not earlier."""
    with Stage(learner) as stage:
        source = Source(stage, b"one", b"two", b"", window=1)
        source.exchange.run()
        source.happened(*SENT, why=STREAM, nudge="await send(…), then take.")
        source.exchange.let_send().run()
        source.happened(*SENT, *SENT[1:], why=STREAM, nudge="await send(…), then take.")


def check_gone_while_taking(learner: Learner) -> None:
    """Stops when the client goes during a take()."""
    with Stage(learner) as stage:
        source = Source(stage, b"one")
        source.exchange.run()
        nudge = "While one task waits for take(), another one can wait for receive()."
        source.exchange.feed(DISCONNECT).finish(why=GONE, nudge=nudge)
        source.happened(
            *SENT, "take", "take cancelled", "release", why=RELEASE,
            nudge="Cancel the take, wait for its end, then release.",
        )  # fmt: skip


def check_gone_while_sending(learner: Learner) -> None:
    """Stops when the client goes during a send()."""
    with Stage(learner) as stage:
        source = Source(stage, b"one", window=1)
        source.exchange.run()
        source.exchange.feed(DISCONNECT).finish(why=GONE, nudge="send() may wait for ever, too.")
        source.happened(*SENT, "release", why=RELEASE, nudge="Nothing is sent after that.")


def check_other_messages(learner: Learner) -> None:
    """Goes on when receive gives the pieces of a request body."""
    with Stage(learner) as stage:
        source = Source(stage, b"one")
        source.exchange.feed(request(b"a", True), request(b"b")).run()
        if source.exchange.done:
            got, nudge = "it ended", "Look at the type of the message."
            source.exchange.fail(got, "it streams on", why=GONE, nudge=nudge)
        source.exchange.feed(DISCONNECT).finish(why=GONE, nudge="receive() until http.disconnect.")


def check_send_raises(learner: Learner) -> None:
    """Returns when send raises OSError."""
    with Stage(learner) as stage:
        source = Source(stage, b"one", b"two", window=1)
        source.exchange.run()
        source.exchange.error = OSError("the client has gone")
        raised = source.exchange.let_send().ends(why=GONE).raised()
        if raised is not None:
            source.exchange.fail(
                f"raised {raised.sentence()}", "returned None",
                why="ASGI HTTP, Disconnected Client: send raises OSError",
                nudge="That is no mistake of the app's: end in peace.",
            )  # fmt: skip
        source.happened(
            *SENT, "take", "refused http.response.body", "release", why=RELEASE, nudge="finally"
        )


def check_take_raises(learner: Learner) -> None:
    """Raises what take() raises, after the release."""
    with Stage(learner) as stage:
        source = Source(stage, b"one", ValueError("no price"))
        raised = source.exchange.ends(why=RELEASE).raised()
        if raised is None or raised.sentence() != "ValueError: no price":
            got = "returned" if raised is None else f"raised {raised.sentence()}"
            source.exchange.fail(
                got, "raised ValueError: no price", why="the docstring",
                nudge="The result of a task is its exception, too: who looks at it?",
            )  # fmt: skip
        source.happened(*SENT, "take", "release", why=RELEASE, nudge="try … finally")


def check_cancelled(learner: Learner) -> None:
    """Releases when the app is cancelled, and passes the cancellation on."""
    with Stage(learner) as stage:
        source = Source(stage, b"one")
        source.exchange.run()
        raised = source.exchange.cancel().ends(why=RELEASE).raised()
        if raised is None or raised.type_name != "CancelledError":
            got = "returned" if raised is None else f"raised {raised.sentence()}"
            nudge = "Who swallows it tells the server that all went well."
            source.exchange.fail(got, "raised CancelledError", why="the docstring", nudge=nudge)
        source.happened(
            *SENT, "take", "take cancelled", "release", why=RELEASE, nudge="try … finally"
        )
