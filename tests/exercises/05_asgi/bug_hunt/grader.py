"""Grader of asgi-bug-hunt: an app and a client of ours, and the learner's server in between."""

from collections.abc import Callable
from typing import Any, NoReturn

import h11

from playground.grading import Failed, Learner, Message, Raised, short
from playground.grading.asgi import (
    ORDER,
    RECEIVE,
    Stage,
    body,
    hold,
    normal,
    request,
    start,
)
from playground.grading.verdict import Wire

SCOPE = "ASGI HTTP, HTTP Connection Scope"
REQUEST = "ASGI HTTP, Request: more_body is true until the last part of the body"
GONE = "ASGI HTTP, Disconnect: when the client has gone, or the response is complete"
HEAD = "ASGI HTTP, Response Start: it waits for the first body, so that an error can be answered"
CHUNKS = "RFC 9112 §7.1: a chunk of size 0 is the last one"
SLOW = "ASGI HTTP, Response Body: send returns when the server can take more"
LEFT = "ASGI HTTP, Disconnected Client: send raises an OSError (since 2.4)"
ERRORS = "RFC 9112 §8: before the head an error can be said; after it, only a missing end shows it"
GET = b"GET /menu HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /order HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
DISCONNECT = {"type": "http.disconnect"}
MANY = 400  # blocks of 64 KiB: 25 MiB
FEW = 100  # of them in buffers somewhere: 6 MiB

TOGETHER = """
import asyncio


def make(release, note):
    async def app(scope, receive, send):
        async def listen():
            note((await receive())["type"])

        await receive()
        task = asyncio.create_task(listen())
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"soup"})
        await asyncio.sleep(0)
        await release()
        task.cancel()
        await asyncio.wait([task])

    return app
"""


IMPATIENT = """
import asyncio


async def app(scope, receive, send):
    await receive()
    listening = asyncio.create_task(receive())
    await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200})
    block = {"type": "http.response.body", "body": bytes(9_437_184), "more_body": True}
    try:
        await asyncio.wait_for(send(block), 1)
    finally:
        listening.cancel()
        await asyncio.wait([listening])
"""


class Visit:
    """One client, the learner's server, and an app of ours."""

    def __init__(self, stage: Stage, what: str, app: Callable[[Any], Any] | None = None) -> None:
        self.stage, self.what = stage, what
        self.reader, self.writer, self.client = stage.visit()
        if app is not None:
            remote, self.play = stage.app(app)
            self.serve(remote)

    def serve(self, app: Any) -> None:
        """Begin to serve."""
        called = f"await serve(app, reader, writer); the app {self.what}"
        self.call = self.stage.start("serve", app, self.reader, self.writer, called=called)

    def send(self, data: bytes) -> "Visit":
        """The client sends, and all goes on."""
        self.client.send(data)
        self.go_on()
        return self

    def go_on(self) -> None:
        """Whatever can happen happens."""
        self.stage.run()
        if self.call.done:
            self.call.result()
        self.client.read()

    def fail(self, got: str, expected: str, *, why: str, nudge: str) -> NoReturn:
        """Fail with what the app does, the bytes, and where every task stands."""
        sent, received = self.client.sent, self.client.received
        message = Message(self.call.called, got, expected, why, nudge)
        shown = sent if len(sent) < 2000 else b""
        message.wire = Wire(shown, received[:2000])  # no port is open to repeat it
        message.stacks = () if self.call.done else self.stage.stacks()
        raise Failed(message)

    def check(self, right: bool, got: str, expected: str, *, why: str, nudge: str) -> None:
        """Fail unless it is right."""
        if not right:
            self.fail(got, expected, why=why, nudge=nudge)

    def received(self, expected: bytes, *, why: str, nudge: str) -> None:
        """Fail unless exactly this has arrived of the body, after one head."""
        head, _, data = self.client.received.partition(b"\r\n\r\n")
        self.check(data == expected and head.startswith(b"HTTP/1.1 200 "),
                   f"the client has got {short(self.client.received, 300)}",
                   f"a head with status 200, then {expected!r}", why=why, nudge=nudge)  # fmt: skip

    def is_silent(self, *, why: str, nudge: str) -> None:
        """Fail if anything was sent, or the connection was closed."""
        got = short(self.client.received, 300) + (", and the end" if self.client.ended else "")
        silent = not self.client.received and not self.client.ended
        self.check(silent, f"the client has got {got}", "nothing yet", why=why, nudge=nudge)

    def ends(self, *, why: str, nudge: str) -> None:
        """Fail unless serve returns, without a task, and the connection is closed."""
        self.call.finish(why=why, nudge=nudge)
        self.client.read()
        self.check(self.client.ended, "serve returned, and the connection is still open",
                   "the connection is closed", why=why, nudge=nudge)  # fmt: skip

    def response(
        self, status: int, expected: bytes | None, *, why: str, nudge: str
    ) -> list[tuple[bytes, bytes]]:
        """Fail unless this whole response has come, and the end; return its fields."""
        self.ends(why=why, nudge=nudge)
        wanted = f"status {status}" + ("" if expected is None else f", body {expected!r}")
        self.check(self.client.received != b"", "no response at all", wanted, why=why, nudge=nudge)
        parser = h11.Connection(h11.CLIENT)
        method, target = self.client.sent.split(b" ")[:2]
        parser.send(h11.Request(method=method, target=target, headers=[(b"host", b"a")]))
        data, found = b"", None
        try:
            parser.receive_data(self.client.received)
            parser.receive_data(b"")
            while (event := parser.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                found = event if isinstance(event, h11.Response) else found
                data += bytes(event.data) if isinstance(event, h11.Data) else b""
                if isinstance(event, h11.EndOfMessage):
                    break
        except h11.RemoteProtocolError as error:
            self.fail(f"no whole response: {error}", wanted, why=why, nudge=nudge)
        if found is None or (found.status_code, data) != (
            status,
            data if expected is None else expected,
        ):
            got = (
                "no response"
                if found is None
                else f"status {found.status_code}, body {short(data)}"
            )
            self.fail(got, wanted, why=why, nudge=nudge)
        return list(found.headers)

    def breaks_off(self, data: bytes, *, why: str, nudge: str) -> None:
        """Fail unless the connection ended after this data, and without a last chunk."""
        self.ends(why=why, nudge=nudge)
        self.received(data, why=why, nudge=nudge)


def answer(data: bytes = b"soup") -> Any:
    """A whole response, as part of a script."""
    yield start()
    yield body(data)


def check_answers(learner: Learner) -> None:
    """Answers a GET, and closes."""
    fields = [(b"x-soup", b"tomato"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]

    def app(_scope: Any) -> Any:
        yield start(404, fields)
        yield body(b"no ", True)
        yield body(b"soup", False)

    with Stage(learner) as stage:
        visit = Visit(stage, "answers 404", app).send(GET)
        nudge = "One head, the chunks, the end."
        headers = visit.response(404, b"no soup", why="RFC 9112", nudge=nudge)
        whole = [*fields, (b"transfer-encoding", b"chunked"), (b"connection", b"close")]
        visit.check(headers == whole, f"headers {headers}", f"headers {whole}",
                    why="ASGI HTTP, Response Start", nudge="As they are, then yours.")  # fmt: skip


def check_defaults(learner: Learner) -> None:
    """Knows what a message may leave out."""

    def app(_scope: Any) -> Any:
        yield {"type": "http.response.start", "status": 200}
        yield {"type": "http.response.body", "body": b"soup", "more_body": True}
        yield {"type": "http.response.body"}

    with Stage(learner) as stage:
        visit = Visit(stage, "leaves out headers, body, more_body", app).send(GET)
        visit.response(200, b"soup", why="ASGI HTTP: no headers, body b'', more_body False",
                       nudge="get(…) with the default of the specification.")  # fmt: skip


def check_scope(learner: Learner) -> None:
    """Builds the scope: path, raw_path, query, repeated headers."""
    line = b"GET /caf%C3%A9%3Fa/b?c=%20&d?e HTTP/1.1\r\n"
    fields = b"Host: a\r\nCookie: a=1\r\nX: \t Xa:\xe9X \r\nCookie: b=2\r\nY: \xa0\r\n\r\n"
    expected = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "scheme": "http",
        "http_version": "1.1", "method": "GET", "path": "/café?a/b",
        "raw_path": b"/caf%C3%A9%3Fa/b", "query_string": b"c=%20&d?e",
        "headers": [(b"host", b"a"), (b"cookie", b"a=1"), (b"x", b"Xa:\xe9X"),
                    (b"cookie", b"b=2"), (b"y", b"\xa0")],
    }  # fmt: skip

    def app(_scope: Any) -> Any:
        yield from answer()

    with Stage(learner) as stage:
        visit = Visit(stage, "answers", app).send(line + fields)
        visit.response(200, b"soup", why=SCOPE, nudge="It was a good request.")
        scope = visit.play.scopes[0]
        visit.check(isinstance(scope, dict), f"the scope is {scope!r}", "a dictionary", why=SCOPE,
                    nudge="The first argument of the app.")  # fmt: skip
        for key, value in expected.items():
            found = scope.get(key)
            if isinstance(found, list):
                found = [tuple(pair) for pair in found]
            visit.check(found == value, f"scope[{key!r}] is {found!r}", repr(value), why=SCOPE,
                        nudge="What is decoded first, and what is cut first? And what does a"
                              " dictionary do with a second cookie?")  # fmt: skip


def listener(heard: list[Any]) -> Callable[[Any], Any]:
    """An app that listens, and writes down what it gets, until the client has gone."""

    def app(_scope: Any) -> Any:
        while not heard or heard[-1] != DISCONNECT:
            heard.append(normal((yield RECEIVE)))
        yield from answer()

    return app


def heard_is(visit: Visit, heard: list[Any], *expected: Any, why: str, nudge: str) -> None:
    """Fail unless receive gave exactly this so far."""
    got = ", ".join(map(told, heard)) or "nothing"
    wanted = ", ".join(map(told, expected)) or "nothing"
    visit.check(heard == list(expected), f"receive gave {got}", f"receive gave {wanted}", why=why,
                nudge=nudge)  # fmt: skip


def told(message: Any) -> str:
    """A message in few words."""
    if message.get("type") != "http.request":
        return str(message.get("type", message))
    more = ", more to come" if message["more_body"] else ", the last"
    return f"http.request {short(message['body'], 60)}{more}"


def check_body(learner: Learner) -> None:
    """Gives the body as it comes, and knows where it ends."""
    with Stage(learner) as stage:
        heard: list[Any] = []
        visit, nudge = Visit(stage, "listens", listener(heard)), "No body: nothing to wait for."
        visit.send(GET)
        heard_is(visit, heard, request(), why=REQUEST, nudge=nudge)
    with Stage(learner) as stage:
        heard = []
        visit, nudge = Visit(stage, "listens", listener(heard)), "Count down from Content-Length."
        visit.send(POST % 10 + b"toma")
        heard_is(visit, heard, request(b"toma", True), why=REQUEST, nudge=nudge)
        visit.send(b"to so")
        heard_is(visit, heard, request(b"toma", True), request(b"to so", True), why=REQUEST,
                 nudge=nudge)  # fmt: skip
        visit.send(b"u")
        last = [request(b"toma", True), request(b"to so", True), request(b"u")]
        heard_is(visit, heard, *last, why=REQUEST, nudge=nudge)


def check_disconnect(learner: Learner) -> None:
    """Says http.disconnect when the client has gone, and not before."""
    nudge = "The body is over. The client is still there, and waits for its answer."
    with Stage(learner) as stage:
        heard: list[Any] = []
        visit = Visit(stage, "listens until http.disconnect, then answers", listener(heard))
        visit.send(POST % 4 + b"soup")
        heard_is(visit, heard, request(b"soup"), why=GONE, nudge=nudge)
        visit.client.shutdown()
        visit.go_on()
        heard_is(visit, heard, request(b"soup"), DISCONNECT, why=GONE,
                 nudge="The end of what it sends: read(1) gives b''.")  # fmt: skip
        visit.response(200, b"soup", why="the docstring: it still gets its response",
                       nudge="It can say nothing more, and still listen.")  # fmt: skip
    whole, half = (POST % 4 + b"soup", request(b"soup")), (POST % 9 + b"so", request(b"so", True))
    for sent, first in (whole, half):
        with Stage(learner) as stage:
            heard = []
            visit = Visit(stage, "listens until http.disconnect, then answers", listener(heard))
            visit.send(sent).client.close()
            stage.run()
            heard_is(visit, heard, first, DISCONNECT, why=GONE,
                     nudge="The b'' that read gives at the end is no part of a body.")  # fmt: skip
            visit.call.finish(why=LEFT, nudge="Nobody is there: that is no reason to raise.")


def check_reset(learner: Learner) -> None:
    """Says http.disconnect when the connection is reset."""
    heard: list[Any] = []

    def app(_scope: Any) -> Any:
        yield start()
        yield body(b"welcome", True)
        heard.append((yield RECEIVE))
        heard.append((yield RECEIVE))

    whole, half = (POST % 4 + b"soup", request(b"soup")), (POST % 9 + b"so", request(b"so", True))
    for sent, first in (whole, half):
        with Stage(learner) as stage:
            heard.clear()
            visit = Visit(stage, "welcomes, and listens twice", app)
            visit.client.send(sent)
            stage.run()
            visit.client.close()  # and has not read the welcome: a reset
            stage.run()
            heard_is(visit, heard, first, DISCONNECT, why=GONE,
                     nudge="Then read() does not return b'': it raises an OSError.")  # fmt: skip
            visit.call.finish(why=LEFT, nudge="Nobody is there: that is no reason to raise.")


def check_disconnect_after_response(learner: Learner) -> None:
    """Says http.disconnect when the response is complete."""
    nudge = "Two things end the waiting: the client goes, or the last message is sent."
    after: list[Any] = []

    def app(_scope: Any) -> Any:
        yield from answer()
        after.append((yield RECEIVE))
        after.append((yield RECEIVE))

    for sent in (GET, POST % 9 + b"so"):
        with Stage(learner) as stage:
            after.clear()
            visit = Visit(stage, "answers, then listens", app).send(sent)
            heard_is(visit, after, DISCONNECT, DISCONNECT, why=GONE, nudge=nudge)
            visit.response(200, b"soup", why=GONE, nudge=nudge)
    with Stage(learner) as stage:
        heard: list[str] = []
        release, _ = stage.function(lambda: (yield hold("work")))
        visit = Visit(stage, "waits in receive in a second task, and answers in the first")
        visit.serve(learner.define(TOGETHER, "make")(release, heard.append))
        visit.send(GET)
        visit.check(heard == ["http.disconnect"], f"receive gave {heard or 'nothing'}",
                    "receive gave http.disconnect", why=GONE, nudge=nudge)  # fmt: skip
        stage.release("work")
        visit.response(200, b"soup", why=GONE, nudge=nudge)


def check_order(learner: Learner) -> None:
    """Raises RuntimeError into an app that breaks the order, and goes on."""
    raised: list[str] = []

    def tries(*messages: Any) -> Any:
        for message in messages:
            try:
                yield message
            except Raised as error:
                raised.append(error.type_name)
            else:
                raised.append("nothing")

    def app(_scope: Any) -> Any:
        yield from tries(body(b"HTTP/1.1 200 OK"), {"type": "http.response.push"})
        yield start(200)
        yield from tries(start(500), {"type": "http.response.push"})
        yield body(b"so", True)
        yield from tries(start(500))
        yield body(b"up")
        yield from tries(body(b"more"), body(b"more", True), start(500))

    with Stage(learner) as stage:
        what = "also sends: body before start, start twice, an unknown type, bodies after the end"
        visit, nudge = Visit(stage, what, app).send(GET), "Remember which type may come next."
        expected = ["RuntimeError"] * 8
        visit.check(raised == expected, f"raised: {', '.join(raised)}",
                    f"raised: {', '.join(expected)}", why=ORDER, nudge=nudge)  # fmt: skip
        visit.response(200, b"soup", why=ORDER, nudge="A refused message changes nothing.")


def check_head_waits(learner: Learner) -> None:
    """Keeps the head until the first body, and then sends at once."""

    def app(_scope: Any) -> Any:
        yield start()
        yield hold("first")
        yield body(b"", True)
        yield hold("second")
        yield body(b"soup", True)
        yield hold("third")
        yield body(b"", True)
        yield body(b"and bread", True)
        yield hold("fourth")
        yield body(b"")
        yield hold("the dishes")

    with Stage(learner) as stage:
        what = "pauses after its start, and between its bodies, of which some are empty"
        visit = Visit(stage, what, app).send(GET)
        visit.is_silent(why=HEAD, nudge="Keep it: who knows whether the app gets any further?")
        empty = "What does a chunk of size 0 say? An empty body still lets the head go."
        steps = (
            ("first", b"", empty),
            ("second", b"4\r\nsoup\r\n", "Each block leaves when it is there."),
            ("third", b"4\r\nsoup\r\n9\r\nand bread\r\n", empty),
            ("fourth", b"4\r\nsoup\r\n9\r\nand bread\r\n0\r\n\r\n",
             "The response ends with its last message, and not when the app has done the dishes."),
        )  # fmt: skip
        for door, data, nudge in steps:
            stage.release(door)
            visit.go_on()
            visit.received(data, why=CHUNKS, nudge=nudge)
        stage.release("the dishes")
        visit.ends(why=CHUNKS, nudge="Now the app is done.")


def check_backpressure_out(learner: Learner) -> None:
    """Lets the app wait while the client reads nothing."""
    made = [0]

    def app(_scope: Any) -> Any:
        yield start()
        for number in range(MANY):
            made[0] += 1
            yield body(b"x" * 65_536, number + 1 < MANY)

    with Stage(learner) as stage:
        visit = Visit(stage, f"sends {MANY} blocks of 64 KiB", app)
        visit.client.send(GET)
        stage.run()
        nudge = "write() takes everything. Which call of a StreamWriter waits?"
        visit.check(made[0] < FEW and not visit.call.done,
                    f"{made[0]} blocks were made while the client read nothing",
                    f"a few: fewer than {FEW}", why=SLOW, nudge=nudge)  # fmt: skip
        while (before := len(visit.client.received)) < MANY * 65_536 and not visit.client.ended:
            visit.go_on()
            if len(visit.client.received) == before:
                break
        visit.response(200, b"x" * 65_536 * MANY, why=SLOW, nudge="It reads again: go on.")


def check_backpressure_in(learner: Learner) -> None:
    """Does not read a body into memory that the app does not ask for."""
    size = MANY * 65_536

    def app(_scope: Any) -> Any:
        yield RECEIVE
        yield hold("lunch")
        yield from answer()

    with Stage(learner) as stage:
        visit = Visit(stage, "asks for one piece of the body, then works", app).send(POST % size)
        before = -1
        while before != len(visit.client.sent) and len(visit.client.sent) < size:
            before = len(visit.client.sent)
            visit.client.send(bytes(size - before))
            stage.run()
        visit.check(len(visit.client.sent) < FEW * 65_536,
                    f"{len(visit.client.sent)} bytes have left the client",
                    "less than 6 MiB, which are in buffers somewhere",
                    why="the docstring: what the app does not ask for is not read without a limit",
                    nudge="read(n) when receive is called, and at no other time.")  # fmt: skip
        stage.release("lunch")
        visit.go_on()
        visit.response(200, b"soup", why=GONE, nudge="It has answered.")


def check_client_gone(learner: Learner) -> None:
    """Raises an OSError into an app whose client has gone."""
    for catches in (True, False):
        raised: list[str] = []

        def app(_scope: Any, catches: bool = catches, raised: list[str] = raised) -> Any:
            yield start()
            yield body(b"soup", True)
            yield hold("the salad")
            for _ in range(MANY):
                try:
                    yield body(b"salad", True)
                except Raised as error:
                    raised.extend(name.rpartition(".")[2] for name in error.mro)
                    if catches:
                        return
                    raise

        with Stage(learner) as stage:
            what = (
                "sends, and " + ("catches" if catches else "does not catch") + " what send raises"
            )
            visit = Visit(stage, what, app).send(GET)
            visit.client.close()
            stage.release("the salad")
            stage.run()
            visit.check("OSError" in raised, f"send has raised {raised[:1] or 'nothing'}",
                        "send raises an OSError", why=LEFT,
                        nudge="Whoever waits for the client to take more also hears that it has"
                              " gone.")  # fmt: skip
            visit.call.finish(why=LEFT, nudge="That clients leave is daily business.")


def check_trouble_early(learner: Learner) -> None:
    """Answers 500 when the app fails before the head has left."""

    def raises(_scope: Any) -> Any:
        yield RECEIVE
        raise ValueError("no soup")

    def raises_after_start(_scope: Any) -> Any:
        yield start(200, [(b"x-soup", b"tomato")])
        raise OSError("no soup, and the disk is full")

    def returns(_scope: Any) -> Any:
        yield RECEIVE

    def returns_after_start(_scope: Any) -> Any:
        yield start()

    for app in (raises, raises_after_start, returns, returns_after_start):
        with Stage(learner) as stage:
            what = app.__name__.replace("_", " ")
            visit = Visit(stage, what, app).send(GET)
            nudge = "Has the head left? Then a 500 is too late. Else it is due, whatever happened."
            headers = visit.response(500, None, why=ERRORS, nudge=nudge)
            visit.check(b"x-soup" not in dict(headers), f"headers {headers}",
                        "no header of the app's", why=ERRORS, nudge="Forget its head.")  # fmt: skip


def check_trouble_late(learner: Learner) -> None:
    """Breaks off visibly when the app fails in the middle, and lets a whole response be."""

    def raises(_scope: Any) -> Any:
        yield start()
        yield body(b"so", True)
        raise ValueError("no soup")

    def returns(_scope: Any) -> Any:
        yield start()
        yield body(b"so", True)

    def raises_after_the_end(_scope: Any) -> Any:
        yield from answer()
        raise ValueError("the dishes")

    nudge = "Whose word is it that a response is complete? The app's, with its last message."
    for app in (raises, returns):
        with Stage(learner) as stage:
            visit = Visit(stage, f"sends the half of it and {app.__name__}", app).send(GET)
            visit.breaks_off(b"2\r\nso\r\n", why=ERRORS, nudge=nudge)
    with Stage(learner) as stage:
        visit = Visit(stage, "raises after the end", raises_after_the_end).send(GET)
        visit.response(200, b"soup", why=ERRORS, nudge="It was complete before.")


def check_gives_up(learner: Learner) -> None:
    """Leaves no task behind when the app gives up on a client that reads nothing."""
    with Stage(learner) as stage:
        visit = Visit(stage, "listens, sends 9 MiB, and gives up after a second")
        visit.serve(learner.define(IMPATIENT, "app"))
        visit.client.send(GET)
        stage.run(2.0)
        why = "the docstring: in the end no task is left"
        visit.call.finish(
            why=why, nudge="A task that you started waits for a client that may stay."
        )


def check_no_request(learner: Learner) -> None:
    """Does not call the app for half a head."""
    nudge = "What does readuntil raise, and who catches it?"

    def app(_scope: Any) -> Any:
        yield from answer()

    for data in (b"", b"GET /me", GET[:-2]):
        with Stage(learner) as stage:
            visit = Visit(stage, "answers", app).send(data)
            visit.client.shutdown()
            visit.ends(why="the docstring, Trouble", nudge=nudge)
            calls = len(visit.play.scopes)
            visit.check(not calls and not visit.client.received,
                        f"app called {calls} times, received {visit.client.received!r}",
                        "no call, and no answer", why="the docstring", nudge=nudge)  # fmt: skip


def check_cancelled(learner: Learner) -> None:
    """When it is cancelled: cancels the app, closes, and says so."""
    seen: list[str] = []

    def listens(_scope: Any) -> Any:
        try:
            yield RECEIVE
            yield RECEIVE
        except Raised as error:
            seen.append(error.type_name)
            raise

    def works(_scope: Any) -> Any:
        try:
            yield start()
            yield body(b"so", True)
            yield hold("oven")
        except Raised as error:
            seen.append(error.type_name)
            raise

    why = "asyncio, Task Cancellation: clean up, and let the CancelledError go on"
    for app, data in ((listens, GET), (works, GET), (None, b"GET /me")):
        with Stage(learner) as stage:
            seen.clear()
            what = f"{app.__name__}, serve is cancelled" if app else "is not called yet"
            visit = Visit(stage, what, app or works).send(data)
            visit.call.cancel().ends(why=why, nudge="finally.")
            raised = visit.call.raised()
            visit.client.read()
            found = [*seen, raised.type_name if raised else "nothing"]
            expected = ["CancelledError"] * (2 if app else 1)
            visit.check(found == expected and visit.client.ended,
                        f"raised, in the app and by serve: {', '.join(found)}; the connection is"
                        f" {'closed' if visit.client.ended else 'open'}",
                        f"{', '.join(expected)}; closed", why=why,
                        nudge="Who catches everything, or forgets the finally?")  # fmt: skip
