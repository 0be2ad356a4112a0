"""Grader of asgi-send: one message after the other, and exactly the bytes that may leave."""

from typing import Any

from playground.grading import Failed, Learner, Raised, Remote, fail, short
from playground.grading.asgi import ORDER, TYPES, body, start

LAST = b"0\r\n\r\n"
CLOSE, CHUNKED = b"connection: close\r\n", b"transfer-encoding: chunked\r\n"
FRAMING = "RFC 9112 §6.3: what is in the head tells the client where the body ends"
CHANGE = "Check the whole message first; remember something of it afterwards."


class App:
    """The learner's object, and the messages that it was given."""

    def __init__(self, learner: Learner, method: str = "GET", minor: int = 1) -> None:
        self.learner = learner
        self.called = f"Response({method!r}, {minor})"
        self.remote = learner.obtain("Response", method, minor)
        if not isinstance(self.remote, Remote):
            fail(self.called, short(self.remote), "an object with the method send")

    def send(self, message: dict[str, Any]) -> Any:
        """Give it a message; what comes back, unchecked."""
        self.called += f"; send({short(message, 160)})"
        try:
            return self.remote.call("send", message)
        except Raised as raised:
            raised.called = self.called
            raise
        except Failed as failed:
            failed.message.called = self.called
            raise

    def gives(self, message: dict[str, Any], expected: bytes, *, why: str, nudge: str) -> None:
        """Fail unless exactly these bytes leave now."""
        outcome = self.learner.outcome(lambda: self.send(message), "send", (message,), {})
        outcome.called = self.called
        outcome.returns(expected, why=why, nudge=nudge)

    def starts(self, status: int = 200, *fields: tuple[bytes, bytes], why: str = "") -> None:
        """Send a start, of which nothing leaves."""
        self.gives(
            start(status, list(fields)), b"", why=why or f"{ORDER}; the head leaves with a body",
            nudge="Keep the head: an app that fails now can still be answered with a 500.",
        )  # fmt: skip

    def refuses(self, message: dict[str, Any], error: str, *, why: str, nudge: str) -> None:
        """Fail unless it raises."""
        outcome = self.learner.outcome(lambda: self.send(message), "send", (message,), {})
        outcome.called = self.called
        outcome.raises(error, why=why, nudge=nudge)


def head(*lines: bytes, status: bytes = b"200 OK") -> bytes:
    """The head, as it must leave."""
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(lines) + b"\r\n"


def check_whole(learner: Learner) -> None:
    """Sends a body that is one message, with its length."""
    for data in (b"soup", b"", b"x" * 300):
        for minor in (1, 0):
            app = App(learner, "GET", minor)
            app.starts()
            app.gives(
                body(data), head(b"content-length: %d\r\n" % len(data)) + data, why=FRAMING,
                nudge="The first body is the last one: its length is the length.",
            )  # fmt: skip


def check_head(learner: Learner) -> None:
    """Writes status and fields as they are."""
    fields = ((b"x-b", b"1"), (b"X-A", b""), (b"x-b", b" caf\xe9"))
    lines = (b"x-b: 1\r\n", b"X-A: \r\n", b"x-b:  caf\xe9\r\n", b"content-length: 0\r\n")
    plain = "No field is sorted, joined or stripped."
    nameless = "A status that HTTPStatus does not know has no phrase; the space before it stays."
    for status, text, nudge in (
        (404, b"404 Not Found", plain), (200, b"200 OK", plain),
        (299, b"299 ", nameless), (599, b"599 ", nameless),
    ):  # fmt: skip
        app = App(learner)
        app.starts(status, *fields)
        app.gives(body(), head(*lines, status=text), why="RFC 9112 §4 and §5", nudge=nudge)


def check_defaults(learner: Learner) -> None:
    """Knows the defaults of the messages."""
    app, why = App(learner), "ASGI HTTP: headers, body and more_body may be missing"
    app.gives({"type": "http.response.start", "status": 200}, b"", why=why, nudge="get(…)")
    app.gives({"type": "http.response.body"}, head(b"content-length: 0\r\n"), why=why,
              nudge="b'' and False.")  # fmt: skip


def check_chunked(learner: Learner) -> None:
    """Sends several bodies as chunks, each at once."""
    app, why = App(learner), "RFC 9112 §7.1: size in hexadecimal, CRLF, data, CRLF; size 0 ends"
    nudge = "Each block by itself; more_body says whether the end follows."
    app.starts()
    app.gives(body(b"one", True), head(CHUNKED) + b"3\r\none\r\n", why=why, nudge=nudge)
    app.gives(body(b"x" * 26, True), b"1a\r\n" + b"x" * 26 + b"\r\n", why=why, nudge=nudge)
    app.gives(body(b"end"), b"3\r\nend\r\n" + LAST, why=why, nudge=nudge)


def check_empty_blocks(learner: Learner) -> None:
    """Does not end the response with an empty block."""
    app, why = App(learner), "RFC 9112 §7.1: a chunk of size 0 is the last one"
    nudge = "An empty block is no chunk, but it lets the head go."
    app.starts()
    app.gives(body(b"", True), head(CHUNKED), why=why, nudge=nudge)
    app.gives(body(b"a", True), b"1\r\na\r\n", why=why, nudge=nudge)
    app.gives(body(b"", True), b"", why=why, nudge=nudge)
    app.gives(body(b""), LAST, why=why, nudge="Now it is the end.")


def check_old(learner: Learner) -> None:
    """Ends a stream for HTTP/1.0 with the connection."""
    app, why = App(learner, "GET", 0), "RFC 9112 §6.1: HTTP/1.0 does not know chunks"
    nudge = "The body as it is, and connection: close."
    app.starts()
    app.gives(body(b"one", True), head(CLOSE) + b"one", why=why, nudge=nudge)
    app.gives(body(b"", True), b"", why=why, nudge=nudge)
    app.gives(body(b"two"), b"two", why=why, nudge=nudge)


def check_length(learner: Learner) -> None:
    """Leaves the framing to the app's content-length."""
    for name in (b"content-length", b"Content-Length"):
        for minor in (1, 0):
            app = App(learner, "GET", minor)
            app.starts(200, (name, b"5"), (b"x", b"y"))
            lines, nudge = head(name + b": 5\r\n", b"x: y\r\n"), "The length is known: no chunks."
            app.gives(body(b"soup", True), lines + b"soup", why=FRAMING, nudge=nudge)
            app.gives(body(b"s", True), b"s", why=FRAMING, nudge=nudge)
            app.gives(body(b""), b"", why=FRAMING, nudge=nudge)


def check_wrong_length(learner: Learner) -> None:
    """Refuses a body that is longer or shorter than its content-length."""
    why = "RFC 9112 §6.3: more would be read as the next response, for less the client waits"
    for data, more in ((b"soups", False), (b"soups", True), (b"sou", False)):
        app, nudge = App(learner), "Count the bytes; at the end the sum must be the length."
        app.starts(200, (b"content-length", b"4"))
        app.refuses(body(data, more), "RuntimeError", why=why, nudge=nudge)
        app.gives(body(b"so", True), head(b"content-length: 4\r\n") + b"so", why=why, nudge=CHANGE)
        app.refuses(body(b"ups", True), "RuntimeError", why=why, nudge=nudge)
        app.refuses(body(b"u"), "RuntimeError", why=why, nudge=nudge)
        app.gives(body(b"up"), b"up", why=why, nudge=CHANGE)


def check_transfer_encoding(learner: Learner) -> None:
    """Leaves out a transfer-encoding of the app."""
    why = "ASGI HTTP, Response Start: a transfer-encoding of the app is ignored"
    for name in (b"transfer-encoding", b"Transfer-Encoding"):
        app, nudge = App(learner), "The server frames the body, and nobody else."
        app.starts(200, (name, b"chunked"), (b"x", b"y"))
        app.gives(body(b"a"), head(b"x: y\r\n", b"content-length: 1\r\n") + b"a", why=why,
                  nudge=nudge)  # fmt: skip


def check_bodyless(learner: Learner) -> None:
    """Sends no body for HEAD and for 204."""
    why = "RFC 9110 §9.3.2: the fields that GET would get, and no content"
    nudge = "One flag for the whole response: nothing of the body leaves."
    app = App(learner, "HEAD")
    app.starts()
    app.gives(body(b"soup"), head(b"content-length: 4\r\n"), why=why, nudge=nudge)
    app = App(learner, "HEAD")
    app.starts()
    app.gives(body(b"soup", True), head(CHUNKED), why=why, nudge=nudge)
    app.gives(body(b"of", True), b"", why=why, nudge=nudge)
    app.gives(body(b"the day"), b"", why=why, nudge=nudge)
    for data in (b"", b"longer than that"):
        app = App(learner, "HEAD")
        app.starts(200, (b"content-length", b"4"))
        app.gives(body(data), head(b"content-length: 4\r\n"), why=why, nudge=nudge)
    why = "RFC 9110 §8.6, §15.3.5: 204 has no content, and no Content-Length"
    for more in (False, True):
        for minor in (1, 0):
            app = App(learner, "GET", minor)
            app.starts(204, (b"Content-Length", b"4"), (b"x", b"y"))
            lines = head(b"x: y\r\n", status=b"204 No Content")
            app.gives(body(b"soup", more), lines, why=why, nudge=nudge)
    app = App(learner, "GET", 0)
    app.starts(204)
    app.gives(body(b"a", True), head(status=b"204 No Content"), why=why, nudge=nudge)
    app.gives(body(b"b"), b"", why=why, nudge=nudge)


def check_order(learner: Learner) -> None:
    """Refuses what comes at the wrong time, and goes on."""
    nudge = "Three states: before the start, before the end, after it."
    unknown = {"type": "http.response.push"}
    app = App(learner)
    for message in (body(b"a"), unknown, {"type": "http.request"}):
        app.refuses(message, "RuntimeError", why=ORDER, nudge=nudge)
    app.starts(404)
    for message in (start(500), unknown):
        app.refuses(message, "RuntimeError", why=ORDER, nudge=nudge)
    lines = head(CHUNKED, status=b"404 Not Found")
    app.gives(body(b"a", True), lines + b"1\r\na\r\n", why=ORDER, nudge=CHANGE)
    app.refuses(start(), "RuntimeError", why=ORDER, nudge=nudge)
    app.gives(body(b""), LAST, why=ORDER, nudge=CHANGE)
    for message in (body(b""), start(), body(b"a", True)):
        app.refuses(message, "RuntimeError", why=ORDER, nudge="It has ended.")


def check_malformed(learner: Learner) -> None:
    """Refuses messages that would break the head, and forgets them."""
    app, own = App(learner), [(b"x", b"y")]
    for status in ("200", 200.0, None):
        message = {**start(), "status": status}
        app.refuses(message, "TypeError", why=TYPES, nudge="Only an int is a status.")
    for status in (199, 600, 100, 0):
        app.refuses(start(status), "ValueError", why="the docstring: 200 to 599", nudge="A range.")
    for field in (("x", b"y"), (b"x", "y"), (b"x", 1)):
        message = {**start(), "headers": [*own, field]}
        app.refuses(message, "TypeError", why=TYPES, nudge="Text would need an encoding.")
    for name, value in (
        (b"a", b"b\r\nset-cookie: c"), (b"a\r\nb", b"c"), (b"a", b"b\n"), (b"a\r", b"b"),
        (b"a", b"\r"), (b"a\nb", b"c"),
    ):  # fmt: skip
        app.refuses(start(200, [*own, (name, value)]), "ValueError",
                    why="RFC 9112 §11.1: response splitting", nudge="CR or LF: no.")  # fmt: skip
    length = (b"content-length", b"4")
    for fields in (
        [(b"Content-Length", b"four")], [(b"content-length", b"")], [(b"content-length", b"-1")],
        [(b"content-length", b" 4")], [length, (b"Content-Length", b"4")],
    ):  # fmt: skip
        app.refuses(start(200, fields), "ValueError", why="RFC 9110 §8.6: one number in digits",
                    nudge="int() takes more than digits.")  # fmt: skip
    app.starts(500, *own, why=CHANGE)
    for data in ("soup", None, 7):
        message = {**body(), "body": data}
        app.refuses(message, "TypeError", why="ASGI HTTP, Response Body", nudge="Bytes only.")
    lines = head(b"x: y\r\n", b"content-length: 1\r\n", status=b"500 Internal Server Error")
    app.gives(body(b"a"), lines + b"a", why="nothing of a refused message stays", nudge=CHANGE)
