"""Grader of wsgi-respond: apps of every kind, and a client that writes down what it gets."""

import itertools
import socket
from collections.abc import Callable, Iterable
from typing import Any

import h11

from playground.grading import Blocks, Learner, environ, fail, fresh

LAZY = "PEP 3333, Buffering and Streaming: a block is sent before the next one is asked for"
FRAMING = "RFC 9112 §6.3: how a client finds the end of the body"
HEAD_WAITS = "PEP 3333: headers are not sent before the first non-empty block, or the end"
CLOSE = "PEP 3333, The Server/Gateway Side: close() is called, whatever ended the request"
BROKEN = "PEP 3333, Error Handling; RFC 9112 §8: an incomplete body must be seen to be incomplete"
TYPE = ("Content-Type", "text/plain")


class Client:
    """What the client got, and when."""

    def __init__(
        self,
        learner: Learner,
        method: str = "GET",
        protocol: str = "HTTP/1.1",
        gone_after: int = 99,
    ) -> None:
        self.learner = learner
        self.method = method
        self.environ = environ(method, "/menu", SERVER_PROTOCOL=protocol)
        self.protocol = protocol
        self.gone_after = gone_after  # calls of send that work
        self.calls = 0
        self.sent = b""
        self.events: list[str] = []
        self.called = ""
        self.kept: object = None

    def send(self, data: bytes) -> None:
        """The server's way to the client."""
        if not isinstance(data, bytes):
            self.fail(f"send() got a {type(data).__name__}", "bytes", "", "")
        self.calls += 1
        self.events.append(f"send {data!r}")
        if self.calls > self.gone_after:
            raise BrokenPipeError("the client is gone")
        self.sent += data

    def ask(self, app: Any, what: str) -> "Client":
        """Let the learner's respond serve `app`, described by `what`."""
        self.called = f"respond(app, environ, send), {self.method}, {self.protocol}; app: {what}"
        outcome = self.learner.expect("respond", app, self.environ, self.send)
        if outcome.raised:
            outcome.raised.called = self.called
            raise outcome.raised
        self.kept = outcome.value
        return self

    def fail(self, got: str, expected: str, why: str, nudge: str) -> None:
        """Fail with what was called."""
        fail(self.called, got, expected, why=why, nudge=nudge)

    def said(self) -> str:
        """Return what was sent, in words."""
        return f"sent {self.sent!r}" if self.sent else "sent nothing"

    def keeps(self, expected: bool, why: str, nudge: str) -> None:
        """Fail unless respond returned `expected`."""
        if self.kept is not expected:
            got = f"returned {self.kept!r} after it {self.said()}"
            self.fail(got, f"returned {expected}", why, nudge)

    def response(self, why: str, nudge: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of one whole response, or fail."""
        parser = h11.Connection(h11.CLIENT)
        parser.send(h11.Request(method=self.method, target="/", headers=[("Host", "a")]))
        parser.send(h11.EndOfMessage())
        status, fields, body = 0, {}, b""
        try:
            parser.receive_data(self.sent)
            if self.kept is False:
                parser.receive_data(b"")  # the connection ends
            while not isinstance(event := parser.next_event(), h11.EndOfMessage):
                if isinstance(event, h11.Response):
                    status = event.status_code
                    fields = {k.decode(): v.decode("latin-1") for k, v in event.headers}
                elif isinstance(event, h11.Data):
                    body += event.data
                else:
                    self.fail(f"{self.said()}, and then?", "a whole response", why, nudge)
        except h11.RemoteProtocolError as error:
            self.fail(f"{self.said()}, which is no response: {error}", "a response", why, nudge)
        if rest := parser.trailing_data[0]:
            self.fail(f"sent {rest!r} after the end of the response", "nothing more", why, nudge)
        return status, fields, body

    def want(
        self, body: bytes, field: tuple[str, str] | None, *, status: int = 200, why: str = FRAMING,
        nudge: str = "",
    ) -> None:  # fmt: skip
        """Fail unless it was this response, with this framing field and no other."""
        got_status, fields, got_body = self.response(why, nudge)
        if (got_status, got_body) != (status, body):
            got = f"status {got_status}, body {got_body!r} ({self.said()})"
            self.fail(got, f"status {status}, body {body!r}", why, nudge)
        head = self.sent.partition(b"\r\n\r\n")[0].lower()
        if head.count(b"content-length:") > 1:
            nudge = "Field names have no case: look for content-length in lower case."
            self.fail(self.said(), "one Content-Length", "RFC 9110 §8.6", nudge)
        framing = [
            (k, v) for k, v in fields.items() if k in ("content-length", "transfer-encoding")
        ]
        if framing != ([field] if field else []):
            shown = ", ".join(": ".join(each) for each in framing) or "neither length nor coding"
            expected = ": ".join(field) if field else "no field for the framing"
            self.fail(f"{shown} ({self.said()})", expected, why, nudge)


def app(body: Any, status: str = "200 OK", headers: Iterable[tuple[str, str]] = (TYPE,)) -> Any:
    """Return an app with this body."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        start_response(status, list(headers))
        return body

    return application


def closed_once(client: Client, blocks: Blocks) -> None:
    """Fail unless close() was called exactly once, and nothing was taken after it."""
    if blocks.closed != 1:
        times = f"close() was called {blocks.closed} times ({client.said()})"
        client.fail(times, "exactly once", CLOSE, "try … finally reaches every way out.")
    if any(event.startswith("next") for event in blocks.events[blocks.events.index("close") :]):
        client.fail("took another block after close()", "close() last", CLOSE, "Close at the end.")


def check_list(learner: Learner) -> None:
    """A list: its length is known."""
    for body in ([b"soup"], [b"so", b"", b"up"], (b"soup",)):
        client = Client(learner).ask(app(body), f"returns {body!r}")
        client.want(b"soup", ("content-length", "4"), nudge="Add up the lengths of the blocks.")
        client.keeps(True, FRAMING, "The client sees the end, so the connection can go on.")
    for empty in ([], [b""], ()):
        client = Client(learner).ask(app(empty), f"returns {empty!r}")
        client.want(b"", ("content-length", "0"), nudge="No block, but a head all the same.")
        client.keeps(True, FRAMING, "A body of 0 bytes ends where it begins.")


def check_environ(learner: Learner) -> None:
    """The app gets the environ."""
    seen: list[Any] = []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        seen.append(environ)
        start_response("200 OK", [TYPE])
        return [b"soup"]

    client = Client(learner).ask(application, "keeps its environ")
    if seen != [client.environ]:
        why = "PEP 3333, The Server/Gateway Side: the app is called once for each request"
        client.fail(
            f"the app was called with {seen!r}", "called once, with environ", why, "Hand it on."
        )


def check_head(learner: Learner) -> None:
    """Status and headers go out as the app gave them."""
    headers = [("Set-Cookie", "a=1"), TYPE, ("set-cookie", "b=\xe9")]
    client = Client(learner).ask(
        app([b"x"], "404 Not Found", headers), "answers 404, three headers"
    )
    fields = b"Set-Cookie: a=1\r\nContent-Type: text/plain\r\nset-cookie: b=\xe9\r\n"
    start = b"HTTP/1.1 404 Not Found\r\n" + fields
    if not client.sent.startswith(start):
        nudge = "latin-1, the app's order, no dict: two headers may have one name."
        client.fail(
            client.said(), f"a response that begins with {start!r}", "RFC 9112 §4, §5", nudge
        )
    client.want(b"x", ("content-length", "1"), status=404)


def check_generator(learner: Learner) -> None:
    """An iterator over HTTP/1.1: one chunk for each block."""
    blocks = Blocks([b"soup", b"", b"a longer block", b""])
    client = Client(learner).ask(app(blocks), "yields b'soup', b'', b'a longer block', b''")
    client.want(
        b"soupa longer block",
        ("transfer-encoding", "chunked"),
        nudge="An empty chunk is the last chunk, so empty blocks are left out.",
    )
    chunks = b"\r\n\r\n4\r\nsoup\r\ne\r\na longer block\r\n0\r\n\r\n"
    if not client.sent.endswith(chunks):
        nudge = "The size is hexadecimal; every chunk ends with CR LF."
        client.fail(client.said(), f"a body {chunks[4:]!r}", "RFC 9112 §7.1", nudge)
    client.keeps(True, FRAMING, "The last chunk is the end of the body.")
    client = Client(learner).ask(app(Blocks([])), "an iterator that yields nothing")
    client.want(b"", ("transfer-encoding", "chunked"), nudge="Head, then the last chunk.")
    client.keeps(True, FRAMING, "The last chunk is the end of the body.")


def check_lazy(learner: Learner) -> None:
    """Each block is sent before the next is asked for; the head waits for the first."""
    client = Client(learner)
    blocks = Blocks([b"", b"one", b"two"], events=client.events)
    client.ask(app(blocks), "yields b'', b'one', b'two'")
    shown = "; ".join(client.events)

    def before(event: str) -> str:
        return "".join(client.events[: client.events.index(event)])

    if "send" in before("next 1"):
        nudge = "Wait for a block with a byte in it."
        client.fail(shown, "nothing sent before b'one' was there", HEAD_WAITS, nudge)
    for event, block in (("next 2", "one"), ("end", "two")):
        if block not in before(event):
            client.fail(shown, f"{block!r} sent before {event!r}", LAZY, "Send inside the loop.")


def check_given_length(learner: Learner) -> None:
    """The app's own Content-Length is the framing."""
    headers = [TYPE, ("CONTENT-length", "7")]
    for protocol in ("HTTP/1.1", "HTTP/1.0"):
        client = Client(learner, protocol=protocol)
        client.ask(
            app(Blocks([b"soup", b"tea"]), headers=headers), "Content-Length 7, yields 4 + 3"
        )
        nudge = "Look for Content-Length in any case; then send the blocks as they are."
        client.want(b"souptea", ("content-length", "7"), nudge=nudge)
        client.keeps(True, FRAMING, "Exactly 7 bytes were promised and sent.")
    client = Client(learner).ask(app([b"soup", b"tea"], headers=headers), "the same, as a list")
    client.want(b"souptea", ("content-length", "7"), nudge="One Content-Length is enough.")


def check_too_long(learner: Learner) -> None:
    """A body that is longer than promised is cut."""
    for body in ([b"soup", b"salad"], [b"soup sal", b"ad"], [b"soup s", b"", b"a", b"lad"]):
        headers = [TYPE, ("Content-Length", "6")]
        blocks = Blocks(body)
        client = Client(learner).ask(
            app(blocks, headers=headers), f"Content-Length 6, yields {body}"
        )
        nudge = "What goes beyond would be read as the next response: response splitting."
        expected = b"".join(body)[:6]
        client.want(expected, ("content-length", "6"), nudge=nudge)
        client.keeps(True, FRAMING, "The client got what was promised.")
        closed_once(client, blocks)


def check_too_short(learner: Learner) -> None:
    """A body that is shorter than promised ends the connection."""
    headers = [TYPE, ("Content-Length", "9")]
    for body in (Blocks([b"soup"]), [b"soup"], []):
        client = Client(learner).ask(app(body, headers=headers), "Content-Length 9, yields less")
        client.keeps(False, BROKEN, "The client waits for 9 bytes: only the end can tell it.")
        if not client.sent.endswith(b"\r\n\r\nsoup" if body else b"\r\n\r\n"):
            client.fail(client.said(), "the head and what there is", BROKEN, "Do not fill it up.")


def check_http_1_0(learner: Learner) -> None:
    """HTTP/1.0 knows no chunks."""
    client = Client(learner, protocol="HTTP/1.0").ask(app(Blocks([b"soup", b"tea"])), "an iterator")
    client.keeps(False, FRAMING, "The end of the connection is the end of the body.")
    client.want(b"souptea", None, nudge="SERVER_PROTOCOL says whom you are talking to.")
    client = Client(learner, protocol="HTTP/1.0").ask(app([b"soup"]), "returns [b'soup']")
    client.want(b"soup", ("content-length", "4"), nudge="A known length is good in 1.0 as well.")
    client.keeps(True, FRAMING, "With a length, another response may follow.")


def check_no_body(learner: Learner) -> None:
    """HEAD, 204 and 304 have a head and nothing else."""
    why = "RFC 9110 §9.3.2, §15.3.5, §15.4.5; RFC 9112 §6.3: the response ends after the head"
    nudge = "Not one byte of body, and no chunk either, not even the last."
    bodies: tuple[Callable[[], Any], ...] = (
        lambda: Blocks([b"soup", b"tea"]), lambda: [b"soup"], list, lambda: Blocks([]),
    )  # fmt: skip
    answers = (("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified"))
    for protocol in ("HTTP/1.1", "HTTP/1.0"):
        for (method, status), body in itertools.product(answers, bodies):
            client = Client(learner, method, protocol).ask(app(body(), status), f"says {status}")
            client.want(b"", None, status=int(status[:3]), why=why, nudge=nudge)
            client.keeps(True, why, "The end is where the head ends.")
    headers = [("Content-Length", "7")]
    client = Client(learner, "HEAD").ask(
        app(Blocks([b"soup"]), headers=headers), "Content-Length 7"
    )
    client.want(b"", ("content-length", "7"), why=why, nudge="The app's own header stays.")
    client.keeps(True, why, "Nothing was promised that is missing.")


def check_close(learner: Learner) -> None:
    """close() is called once when all goes well, and is not needed."""
    for method in ("GET", "HEAD"):
        client = Client(learner, method)
        blocks = Blocks([b"soup", b"tea"], events=client.events)
        closed_once(client.ask(app(blocks), "an iterator with close()"), blocks)
    client = Client(learner)

    class Cross(Blocks):
        def close(self) -> None:
            super().close()
            raise RuntimeError("close() is cross")

    blocks = Cross([b"soup"], events=client.events)
    client.ask(app(blocks), "an iterator whose close() raises")
    closed_once(client, blocks)
    client.want(b"soup", ("transfer-encoding", "chunked"), nudge="The response was sent already.")
    client.keeps(True, CLOSE, "An error of close() comes too late to change the response.")


def check_late_start(learner: Learner) -> None:
    """start_response may be called as late as with the first block."""

    class Late(Blocks):
        start: Any = None

        def __next__(self) -> bytes:
            if not self.taken:
                self.start("201 Created", [TYPE])
            return super().__next__()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        blocks.start = start_response
        return blocks

    for body in ([b"soup"], [b"", b"soup"]):
        blocks = Late(body)
        client = Client(learner).ask(application, "a generator that calls start_response itself")
        nudge = "Do not look for the status before you have a block to send."
        client.want(b"soup", ("transfer-encoding", "chunked"), status=201, nudge=nudge)


def check_write(learner: Learner) -> None:
    """write() sends at once, and what is returned follows."""
    why = "PEP 3333, The write() Callable: the block is sent before write() returns"
    client = Client(learner)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        write = start_response("200 OK", [TYPE])
        write(b"")
        write(b"soup")
        client.events.append("written")
        return [b" and", b" tea"]

    client.ask(application, "write(b'soup'), then returns [b' and', b' tea']")
    client.want(
        b"soup and tea",
        ("transfer-encoding", "chunked"),
        why=why,
        nudge="When the list comes, the head is gone: it is too late for a length.",
    )
    client.keeps(True, why, "The last chunk is the end of the body.")
    if "soup" not in "".join(client.events[: client.events.index("written")]):
        client.fail("; ".join(client.events), "b'soup' sent before write() returns", why, "")


def failing(learner: Learner) -> Iterable[tuple[Client, Any, str]]:
    """Yield apps that fail before anything was sent."""

    def raises(environ: dict[str, Any], start_response: Any) -> Any:
        raise ValueError("no soup")

    def raises_later(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [TYPE, ("Content-Length", "4")])
        raise ValueError("no soup")

    def forgets(body: Any) -> Any:
        return lambda environ, start_response: body

    error = ValueError("no soup")
    yield Client(learner), raises, "raises ValueError at once"
    yield Client(learner), raises_later, "raises ValueError after start_response"
    yield Client(learner), app(Blocks([], error=error)), "its iterator raises ValueError"
    yield Client(learner), app(Blocks([b""], error=error)), "yields b'', then raises ValueError"
    yield Client(learner), forgets([b"soup"]), "never calls start_response"
    yield Client(learner), forgets(Blocks([])), "never calls start_response, yields nothing"
    yield Client(learner), app(["soup"]), "returns ['soup'], a str"
    yield Client(learner), app(Blocks([bytearray(b"soup")])), "yields a bytearray"
    yield Client(learner), app(None), "returns None"
    yield Client(learner, "HEAD"), app([5]), "HEAD, and returns [5]"


def check_fails_before(learner: Learner) -> None:
    """Trouble before the head was sent is a 500."""
    for client, application, what in failing(learner):
        client.ask(application, what)
        nudge = "Nothing was sent: the client can still get an honest answer."
        client.keeps(False, BROKEN, "After trouble, the connection ends.")
        status, _, _ = client.response(BROKEN, nudge) if client.sent else (0, {}, b"")
        if status != 500:
            client.fail(client.said(), "a response with status 500", BROKEN, nudge)


def check_fails_after(learner: Learner) -> None:
    """Trouble after the head: nothing more, not even a last chunk."""
    error = ValueError("no soup")
    for headers in ([TYPE], [TYPE, ("Content-Length", "9")]):
        for rest in ([], ["tea"]):
            client = Client(learner)
            blocks = Blocks([b"soup", *rest], events=client.events, error=error)  # type: ignore[list-item]
            what = "yields b'soup', then 'tea' (a str)" if rest else "yields b'soup', then raises"
            client.ask(app(blocks, headers=headers), what)
            client.keeps(False, BROKEN, "The client must not take the half for the whole.")
            sends = [event for event in client.events if event.startswith("send")]
            if client.sent.count(b"HTTP/1.1 ") != 1 or not client.sent.rstrip().endswith(b"soup"):
                nudge = "A last chunk says: complete. A second head would be part of the body."
                client.fail("; ".join(sends), "the head and b'soup', nothing more", BROKEN, nudge)
            closed_once(client, blocks)


def check_closes_after_trouble(learner: Learner) -> None:
    """close() is called once, after trouble as well."""
    for body, error in (([], ValueError("no soup")), (["soup"], None), ([b"a"], ValueError("no"))):
        client = Client(learner)
        blocks = Blocks(body, events=client.events, error=error)  # type: ignore[arg-type]
        closed_once(client.ask(app(blocks), "an iterator that fails"), blocks)
    client = Client(learner)
    blocks = Blocks([b"a"], events=client.events)
    closed_once(client.ask(lambda env, start: blocks, "never calls start_response"), blocks)


def check_client_gone(learner: Learner) -> None:
    """A client that is gone: no more blocks, no more bytes, but close()."""
    why = "PEP 3333, The Server/Gateway Side: close() also when the client disconnects"
    for works in (0, 1):
        client = Client(learner, gone_after=works)
        blocks = Blocks([b"a", b"b", b"c", b"d", b"e"], events=client.events)
        client.ask(app(blocks), f"five blocks; send raises BrokenPipeError at call {works + 1}")
        client.keeps(False, why, "There is no connection left.")
        if client.calls > works + 1:
            nudge = "The client cannot hear a 500 either: mark the head as sent before you send it."
            client.fail("; ".join(client.events), "no send after the one that raised", why, nudge)
        if blocks.taken > works + 1:
            client.fail(
                "; ".join(client.events), "no more blocks asked for", why, "Leave the loop."
            )
        closed_once(client, blocks)
    client = Client(learner, gone_after=0)
    blocks = Blocks([], error=ValueError("no soup"), events=client.events)
    client.ask(app(blocks), "its iterator raises, and so does send")
    client.keeps(False, why, "Even sending the 500 may fail.")
    closed_once(client, blocks)


@fresh
def check_system_exit(learner: Learner) -> None:
    """An app that calls sys.exit() does not end the server."""
    exits = learner.define(
        "def exits(environ, start_response):\n    raise SystemExit(0)\n", "exits"
    )
    client = Client(learner).ask(exits, "calls sys.exit()")
    nudge = "SystemExit is no Exception: it is a BaseException."
    client.keeps(False, BROKEN, nudge)
    if not client.sent.startswith(b"HTTP/1.1 500 "):
        client.fail(client.said(), "a response with status 500", BROKEN, nudge)


def draw(file: Any) -> Any:
    """Draw the learner's respond at work: four streams of five blocks, one after the other."""
    from playground import burst, serve

    respond = file.function("respond")

    def one_by_one(listener: socket.socket, app: Any) -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                words, *lines = connection.recv(65536).decode("latin-1").split("\r\n")
                fields = [line.split(": ", 1) for line in lines if ": " in line]
                method, path, protocol = words.split(" ")
                keys = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields}
                more = {**keys, "SERVER_PROTOCOL": protocol}
                respond(app, environ(method, path, **more), connection.sendall)

    with serve(one_by_one, "stream") as server:
        return burst(server, 4, "/?s=0.05", show=False)
