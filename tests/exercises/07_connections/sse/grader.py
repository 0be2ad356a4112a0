"""Grader of stay-sse: the format of the WHATWG, then an application between two waits."""

from typing import Any

from playground.grading import Learner
from playground.grading.asgi import (
    DISCONNECT,
    Script,
    Stage,
    body,
    hold,
    http_scope,
    request,
    start,
)

HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
NEVER = "an event that never comes"
STREAM = "WHATWG HTML 9.2.5: an event is lines that end with LF, and an empty line ends the event"


def check_event(learner: Learner) -> None:
    """Encodes data, with and without a name and an id."""
    for arguments, wire in (
        (("soup",), b"data: soup\n\n"), (("soup", "menu"), b"event: menu\ndata: soup\n\n"),
        (("caf\xe9", "", "7"), b"id: 7\ndata: caf\xc3\xa9\n\n"),
        (("x", "menu", "7"), b"event: menu\nid: 7\ndata: x\n\n"),
        (("x", "", ""), b"id: \ndata: x\n\n"),
    ):  # fmt: skip
        nudge = "event, id, data, each on a line of its own, then an empty line."
        learner.expect("encode_event", *arguments).returns(wire, why=STREAM, nudge=nudge)


def check_lines(learner: Learner) -> None:
    """Gives every line of the data a field of its own."""
    for data, lines in (
        ("a\nb", (b"a", b"b")), ("a\r\nb\rc", (b"a", b"b", b"c")), ("", (b"",)),
        ("a\n", (b"a", b"")),
        ("\n\n", (b"", b"", b"")), ("a\n\rb", (b"a", b"", b"b")), (" a ", (b" a ",)),
        ("\r\n", (b"", b"")), ("aX", (b"aX",)),
        ("a\x0b\x0c\x1c\x85b\u2028c", ("a\x0b\x0c\x1c\x85b\u2028c".encode(),)),
    ):  # fmt: skip
        learner.expect("encode_event", data).returns(
            b"".join(b"data: " + line + b"\n" for line in lines) + b"\n",
            why="WHATWG HTML 9.2.5: CRLF, LF or CR end a line; data fields are joined by LF again",
            nudge="An empty line in the data ends the event. splitlines() knows too many ends.",
        )


def check_injection(learner: Learner) -> None:
    """Refuses a name or an id that would become another field."""
    for arguments in (("x", "a\nb"), ("x", "a\r"), ("x", "", "1\n"), ("x", "", "1\rdata: y"),
                      ("x", "", "1\0"), ("x", "\n", "1")):  # fmt: skip
        learner.expect("encode_event", *arguments).raises(
            "ValueError", why="WHATWG HTML 9.2.6: a line is a field; an id with NUL is ignored",
            nudge="Whoever chooses the name could write fields of their own.",
        )  # fmt: skip
    learner.expect("encode_event", "a\0b").returns(
        b"data: a\0b\n\n", why=STREAM, nudge="Only an id must not have NUL."
    )


def events(*given: dict[str, str] | str | None) -> Any:
    """Return a next_event: a text is a label to wait at."""
    left = list(given)

    def next_event() -> Script:
        while isinstance(left[0], str):
            yield hold(left.pop(0))
        return left.pop(0)

    return next_event


def check_stream(learner: Learner) -> None:
    """Sends each event as soon as it is there, and ends with the events."""
    why = "ASGI HTTP, Response Start and Response Body: more_body says that the response goes on"
    with Stage(learner) as stage:
        source, _ = stage.function(
            events(
                "one",
                {"data": "soup"},
                "two",
                {"data": "x", "event": "menu", "id": "7"},
                "end",
                None,
            )
        )
        app = learner.obtain("event_app", source)
        exchange = stage.exchange(app, http_scope("GET", "/events"), request()).run()
        sent = [start(200, HEADERS)]
        nudge = "Start before the first event is there, then one body for each event."
        exchange.expect_sent(*sent, why=why, nudge=nudge)
        for label, block in (
            ("one", b"data: soup\n\n"),
            ("two", b"event: menu\nid: 7\ndata: x\n\n"),
        ):
            stage.release(label)
            sent.append(body(block, True))
            exchange.run().expect_sent(*sent, why=why, nudge=nudge)
        stage.release("end")
        exchange.finish(why=why, nudge="None ends it: who waits for the disconnect then?")
        exchange.expect_sent(*sent, body(), why=why, nudge="The last body has more_body False.")


def check_disconnect(learner: Learner) -> None:
    """Ends when the client has gone, and leaves nothing behind."""
    why = "ASGI HTTP, Disconnect: receive() gives http.disconnect when the client has gone"
    for before in ([], [request(b"x", True), request()]):
        for first in ((), ({"data": "soup"},)):
            with Stage(learner) as stage:
                source, _ = stage.function(events(*first, NEVER, {"data": "late"}, None))
                app = learner.obtain("event_app", source)
                exchange = stage.exchange(app, http_scope("GET", "/events"), *before).run()
                sent = [start(200, HEADERS), *[body(b"data: soup\n\n", True) for _ in first]]
                exchange.expect_sent(*sent, why=why, nudge="Do not wait for receive() to begin.")
                exchange.feed(DISCONNECT)
                nudge = "Wait for the disconnect while you wait for an event; cancel what is left."
                exchange.finish(why=why, nudge=nudge)
                exchange.expect_sent(*sent, why=why, nudge="Nobody is there to read any more.")
                if stage.release(NEVER):
                    exchange.fail(
                        "next_event() still waits", "it is cancelled", why=why, nudge=nudge
                    )


def check_nothing_left(learner: Learner) -> None:
    """Leaves no task, however it ends: a slow source, a send that raises, a source that raises."""
    why = "the docstring: when it returns, whatever the reason, no task of it is left"

    def slow_to_end() -> Script:
        try:
            yield hold(NEVER)
        finally:
            yield hold("tidying up")

    with Stage(learner) as stage:
        source, _ = stage.function(slow_to_end)
        app = learner.obtain("event_app", source)
        exchange = stage.exchange(app, http_scope("GET", "/events")).run()
        exchange.feed(DISCONNECT)
        stage.run()
        if exchange.done:
            exchange.fail(
                "it returned while next_event() was still tidying up", "it waits for that",
                why=why, nudge="cancel() only asks. Who wants to be sure waits for the end.",
            )  # fmt: skip
        stage.release("tidying up")
        exchange.finish(why=why, nudge="Now nothing is left to wait for.")
    nudge = "The two waits end together, also when one of them raises: finally."
    with Stage(learner) as stage:
        source, _ = stage.function(events("one", {"data": "soup"}, NEVER))
        exchange = stage.exchange(learner.obtain("event_app", source), http_scope()).run()
        exchange.error = OSError("the client has gone")
        stage.release("one")
        exchange.ends(why=why, nudge=nudge)
    with Stage(learner) as stage:
        source, _ = stage.function(fails)
        exchange = stage.exchange(learner.obtain("event_app", source), http_scope())
        exchange.ends(why=why, nudge=nudge)


def fails() -> Script:
    """A next_event that raises."""
    yield from ()
    raise ValueError("no more soup")
