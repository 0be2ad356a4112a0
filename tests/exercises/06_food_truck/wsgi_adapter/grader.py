"""Grader of truck-wsgi-adapter: WSGI apps of ours on one side, a server of ours on the other."""

from typing import Any

from playground.grading import Learner, Remote, fail
from playground.grading.asgi import (
    DISCONNECT,
    Exchange,
    Stage,
    body,
    http_scope,
    lifespan_scope,
    request,
    start,
)

ABSENT = object()  # a key that the scope has not
HEAD = start(200, [(b"content-type", b"text/plain")])
ENVIRON = "PEP 3333, environ Variables"
NATIVE = "PEP 3333, Unicode Issues: native strings, one character for each byte"
HEAD_WAITS = "PEP 3333: the head is not sent before the first non-empty block, or the end"
LAZY = "PEP 3333, Buffering and Streaming: a block is sent before the next one is asked for"
CLOSE = "PEP 3333: close() is called once, whatever ended the request"
TWICE = "PEP 3333, The start_response() Callable: exc_info"
LOOP = "a blocking call on the loop's thread stops everybody"

# It runs in the learner's process: every part of it blocks, and the room tells on which thread.
BLOCKING = """
class Blocking:
    def __init__(self, room):
        self.room = room

    def __call__(self, environ, start_response):
        name = environ["PATH_INFO"][1:]
        self.room("call " + name)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Blocks(self.room, name)

class Blocks:
    def __init__(self, room, name):
        self.room, self.name, self.left = room, name, [b"soup"]

    def __iter__(self):
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        self.room("next " + self.name)
        return self.left.pop()

    def close(self):
        self.room("close " + self.name)
"""

# Apps that run there as well: what they do in one thread may wait for the loop in another.
APPS = """
import sys

HEADERS = [("Content-Type", "text/plain")]

class Counted:
    def __init__(self, tell, blocks, error):
        self.tell, self.blocks, self.error, self.number = tell, list(blocks), error, 0

    def __iter__(self):
        return self

    def __next__(self):
        if not self.blocks:
            if self.error:
                raise KeyError("oven")
            raise StopIteration
        self.tell(f"next {self.number}")
        self.number += 1
        return self.blocks.pop(0)

    def close(self):
        self.tell("close")

def answering(tell, blocks, status="200 OK", headers=HEADERS, written=(), error=False):
    def app(environ, start_response):
        write = start_response(status, list(headers))
        for block in written:
            write(block)
        return Counted(tell, blocks, error)
    return app

def silent(blocks):
    return lambda environ, start_response: blocks

def late(environ, start_response):
    start_response("200 OK", HEADERS)
    yield b"soup"

def again(after_a_block, told):
    def app(environ, start_response):
        start_response("200 OK", HEADERS)
        if after_a_block:
            yield b"soup"
        try:
            raise KeyError("burnt")
        except KeyError:
            start_response("500 Oops", [], sys.exc_info() if told else None)
        yield b"sorry"
    return app

def raising(environ, start_response):
    raise KeyError("oven")
"""


class Case:
    """One request to the learner's adapter, with an app of ours behind it."""

    def __init__(self, stage: Stage, app: Any, what: str, **scope: Any) -> None:
        self.stage = stage
        self.events: list[str] = []  # of the app and of send
        if isinstance(app, dict):  # the arguments of an answering app
            app = stage.learner.define(APPS, "answering")(self.events.append, **app)
        self.adapted = adapted(stage.learner, app)
        self.called = f"adapt(app), then one request; app: {what}"
        self.scope = http_scope(**{"method": "GET", "path": "/menu", **scope})

    def ask(self, *messages: dict[str, Any], window: int | None = None) -> Exchange:
        """Begin the request; it goes as far as it can."""
        exchange = self.stage.exchange(
            self.adapted, self.scope, *(messages or (request(),)),
            called=self.called, events=self.events, window=window,
        )  # fmt: skip
        self.stage.run()
        return exchange

    @property
    def taken(self) -> int:
        """How many blocks of the app's were asked for."""
        return sum(event.startswith("next") for event in self.events)

    def closed_once(self, exchange: Exchange) -> None:
        """Fail unless close() was called exactly once."""
        count = self.events.count("close")
        if count != 1:
            got = f"close() was called {count} times ({', '.join(self.events)})"
            exchange.fail(got, "exactly once", why=CLOSE, nudge="try … finally")


def adapted(learner: Learner, app: Any) -> Remote:
    """The learner's ASGI application."""
    found = learner.obtain("adapt", app)
    if not isinstance(found, Remote):
        fail("adapt(app)", f"returned {found!r}", "an ASGI application: an async function")
    return found


def trouble(exchange: Exchange, wanted: str, why: str, nudge: str = "") -> None:
    """Fail unless the call ended with this exception."""
    raised = exchange.ends(why=why, nudge=nudge).raised()
    if raised is None or wanted not in raised.sentence():
        got = "returned" if raised is None else f"raised {raised.sentence()}"
        exchange.fail(got, f"raised {wanted}", why=why, nudge=nudge)


def check_answer(learner: Learner) -> None:
    """Serves an app that returns a list of one block."""
    with Stage(learner) as stage:
        exchange = Case(stage, {"blocks": [b"soup"]}, "one block, b'soup'").ask()
        exchange.finish(why="the app has returned", nudge="Await the thread, and nothing else.")
        exchange.expect_sent(
            HEAD, body(b"soup", True), body(), why="ASGI HTTP: a head, blocks, and an end",
            nudge="One message for each block, and an empty one at the end.",
        )  # fmt: skip
        headers = [("Set-Cookie", "a=1"), ("X-Dish", "caf\xe9"), ("Set-Cookie", "b=2")]
        app = {"blocks": [], "status": "404 Not Found", "headers": headers}
        case = Case(stage, app, "404, three headers, no block")
        exchange = case.ask()
        exchange.finish(why="the app has returned")
        fields = [(b"set-cookie", b"a=1"), (b"x-dish", b"caf\xe9"), (b"set-cookie", b"b=2")]
        exchange.expect_sent(
            start(404, fields), body(), why="ASGI HTTP, Response Start: an int; lower-case names",
            nudge="No block at all: the head and the end are sent all the same.",
        )  # fmt: skip


def check_head_waits(learner: Learner) -> None:
    """Keeps the head back until the first block that is not empty."""
    with Stage(learner) as stage:
        blocks = [b"", b"soup", b"", b"bread"]
        exchange = Case(stage, {"blocks": blocks}, "blocks b'', b'soup', b'', b'bread'").ask()
        exchange.finish(why="the app has returned")
        exchange.expect_sent(
            HEAD, body(b"soup", True), body(b"bread", True), body(),
            why="an empty block is nothing to send", nudge="`if block:`",
        )  # fmt: skip
        order = exchange.events
        if order.index("send http.response.start") < order.index("next 1"):
            got = ", ".join(order)
            exchange.fail(got, "the head after `next 1`", why=HEAD_WAITS, nudge="`if block:`")


def check_late_start(learner: Learner) -> None:
    """Takes a start_response that is called with the first block."""
    with Stage(learner) as stage:
        app = learner.define(APPS, "late")
        exchange = Case(stage, app, "a generator, which calls start_response when asked").ask()
        exchange.finish(why="PEP 3333: before the first block is yielded, that is early enough")
        exchange.expect_sent(HEAD, body(b"soup", True), body(), why=HEAD_WAITS)


def check_other_scopes(learner: Learner) -> None:
    """Refuses every other type of scope."""
    with Stage(learner) as stage:
        case = Case(stage, {"blocks": []}, "any; but the scope is that of a lifespan")
        case.scope = lifespan_scope()
        exchange = case.ask({"type": "lifespan.startup"})
        why = "ASGI: an app raises for a type it does not know; a server then goes on without"
        trouble(exchange, "ValueError", why, 'Look at scope["type"] first.')


def seen(stage: Stage, *messages: dict[str, Any], **scope: Any) -> tuple[Case, dict[str, Any]]:
    """What the app finds in its environ; the body under "body"."""
    found: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found.update(environ)
        stream = environ["wsgi.input"]
        found["body"] = stream.call("read") if isinstance(stream, Remote) else stream
        start_response("200 OK", [])
        return []

    case = Case(stage, app, "looks at its environ", **scope)
    case.scope = {key: value for key, value in case.scope.items() if value is not ABSENT}
    case.ask(*messages).finish(why="the app has returned")
    return case, found


def holds(found: dict[str, Any], wanted: dict[str, Any], called: str, why: str, nudge: str) -> None:
    """Fail unless these keys have these values, types as well; None: the key is not there."""
    for key, value in wanted.items():
        got = found.get(key)
        if got != value or type(got) is not type(value):
            shown = f"{key} is {got!r}" if key in found else f"there is no {key}"
            expected = f"{value!r}" if value is not None else f"no {key}"
            fail(called, shown, expected, why=why, nudge=nudge)


def check_environ(learner: Learner) -> None:
    """Builds the environ of a plain request."""
    with Stage(learner) as stage:
        scope = {"query": b"q=%C3%A9", "method": "PUT", "http_version": "1.0", "scheme": "https"}
        case, found = seen(stage, **scope, server=("kitchen", 8443), client=("10.0.0.7", 50_000))
        plain = {
            "REQUEST_METHOD": "PUT",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/menu",
            "QUERY_STRING": "q=%C3%A9",
            "SERVER_NAME": "kitchen",
            "SERVER_PORT": "8443",
            "SERVER_PROTOCOL": "HTTP/1.0",
            "REMOTE_ADDR": "10.0.0.7",
            "HTTP_HOST": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        called = f"{case.called}; scope: {scope}"
        holds(found, plain, called, ENVIRON, "Go through the list of the docstring.")
        if not isinstance(found.get("wsgi.errors"), Remote):
            fail(called, f"wsgi.errors is {found.get('wsgi.errors')!r}", "sys.stderr", why=ENVIRON)
        nameless = {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "REMOTE_ADDR": None}
        why, nudge = "ASGI HTTP, HTTP Connection Scope", "They are optional."
        case, found = seen(stage, server=None, client=None)
        called = f"{case.called}; server and client of the scope are None"
        holds(found, nameless, called, why, nudge)
        case, found = seen(stage, root_path=ABSENT, scheme=ABSENT)
        called = f"{case.called}; the scope has neither root_path nor scheme"
        holds(found, {"SCRIPT_NAME": "", "wsgi.url_scheme": "http"}, called, why, nudge)


def check_paths(learner: Learner) -> None:
    """Gives the path as a native string, without the root_path."""
    cases = (
        ("/caf\xe9", "", "", "/caf\xc3\xa9"), ("/app/menu", "/app", "/app", "/menu"),
        ("/\u20ac/\u20ac", "/\u20ac", "/\xe2\x82\xac", "/\xe2\x82\xac"),
        ("/app", "/app", "/app", ""), ("/a/a/b", "/a", "/a", "/a/b"),
    )  # fmt: skip
    with Stage(learner) as stage:
        for path, root, script, info in cases:
            case, found = seen(stage, path=path, root_path=root)
            called = f"{case.called}; path {path!r}, root_path {root!r}"
            wanted = {"SCRIPT_NAME": script, "PATH_INFO": info}
            nudge = "Encode it as UTF-8, and decode the bytes as latin-1."
            holds(found, wanted, called, NATIVE, nudge)


def check_headers(learner: Learner) -> None:
    """Gives the headers: joined, and without those that pose as others."""
    headers = [
        (b"content-type", b"text/plain"), (b"x-dish", b"caf\xe9"), (b"accept", b"a"),
        (b"cookie", b"a=1"), (b"accept", b"b"), (b"x_dish", b"rat"), (b"cookie", b"b=2"),
        (b"content_length", b"7"), (b"x-content-type", b"no"),
    ]  # fmt: skip
    wanted = {
        "CONTENT_TYPE": "text/plain",
        "HTTP_CONTENT_TYPE": None,
        "HTTP_X_DISH": "caf\xe9",
        "HTTP_ACCEPT": "a,b",
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_X_CONTENT_TYPE": "no",
        "HTTP_CONTENT_LENGTH": None,
    }
    with Stage(learner) as stage:
        case, found = seen(stage, headers=headers)
        why = f"{ENVIRON}; RFC 9110 §5.3: a list may be joined with a comma; RFC 6265 §5.4: Cookie"
        nudge = "x_dish would become HTTP_X_DISH as well: who sends it poses as x-dish."
        holds(found, wanted, f"{case.called}; headers {headers}", why, nudge)


def check_body(learner: Learner) -> None:
    """Reads the whole body first, and says how long it is."""
    with Stage(learner) as stage:
        parts = (request(b"two ", True), request(b"", True), request(b"soups"))
        case, found = seen(stage, *parts, method="POST")
        called = f"{case.called}; the body comes in three messages, without a Content-Length"
        wanted = {"body": b"two soups", "CONTENT_LENGTH": "9"}
        nudge = "Flask reads CONTENT_LENGTH bytes: without it, a chunked body is lost."
        holds(found, wanted, called, "the docstring: CONTENT_LENGTH is the length you read", nudge)
        bare: dict[str, Any] = {"type": "http.request"}
        case, found = seen(stage, bare, headers=[(b"content-length", b"9")])
        called = f"{case.called}; an http.request without body and more_body, Content-Length: 9"
        wanted = {"body": b"", "CONTENT_LENGTH": "0", "HTTP_CONTENT_LENGTH": None}
        holds(found, wanted, called, "ASGI HTTP, Request: both keys are optional", "message.get")


def check_disconnect(learner: Learner) -> None:
    """Does not call the app when the client goes before the end of its body."""
    called: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        called.append(environ)
        start_response("200 OK", [])
        return []

    with Stage(learner) as stage:
        case = Case(stage, app, "answers; but the client goes in the middle of its body")
        exchange = case.ask(request(b"half", True))
        if called:
            got = "the app was called before the body was there"
            exchange.fail(got, "the app is called when the body is complete", why="the docstring")
        exchange.feed(DISCONNECT).finish(why="nobody is there any more")
        if called or exchange.sent:
            got = "the app was called" if called else f"sent {exchange.sent}"
            exchange.fail(got, "neither a call nor a message", why="the docstring")


def check_off_the_loop(learner: Learner) -> None:
    """Blocks no one: the call, each block and close() happen in threads."""
    with Stage(learner) as stage:
        room = stage.room()
        app = learner.define(BLOCKING, "Blocking")(room.function)
        function = adapted(learner, app)
        exchanges = {}
        for name in ("a", "b"):
            called = f"adapt(app), then a request for /{name}; every part of the app blocks"
            exchanges[name] = stage.exchange(
                function, http_scope("GET", f"/{name}"), request(), called=called
            )
        stage.run()
        for part in ("call", "next", "close"):
            for name, exchange in exchanges.items():
                found = [entry for entry in room.log if entry.startswith(f"enter {part} {name}")]
                if found != [f"enter {part} {name}"]:
                    exchange.fail(
                        ", ".join(found) or f"no {part} (so far: {', '.join(room.log)})",
                        f"enter {part} {name}, in a thread", why=LOOP,
                        nudge="All of the app runs in a thread: the call, its blocks, close().",
                    )  # fmt: skip
            for name in exchanges:
                room.release(f"{part} {name}")
            stage.run()
        for exchange in exchanges.values():
            exchange.finish(why="both apps are done")
            exchange.expect_sent(HEAD, body(b"soup", True), body(), why=LAZY)


def check_lazy(learner: Learner) -> None:
    """Sends each block before it asks for the next one, and waits while send does."""
    with Stage(learner) as stage:
        case = Case(stage, {"blocks": [b"a", b"b"]}, "blocks b'a', b'b'; the client reads slowly")
        exchange = case.ask(window=1)  # the head; the first block waits
        nudge = "Wait until send has come back: `.result()`, or one thread for each block."
        for count in (1, 2):
            if case.taken != count:
                got = f"{', '.join(case.events)}: send waits, and {case.taken} blocks are taken"
                exchange.fail(got, f"{count} blocks taken", why=LAZY, nudge=nudge)
            exchange.let_send(1).run()
        exchange.let_send(2).finish(why="all has been sent")
        exchange.expect_sent(HEAD, body(b"a", True), body(b"b", True), body(), why=LAZY)
        case.closed_once(exchange)


def check_write(learner: Learner) -> None:
    """Sends what is written before the blocks that follow."""
    with Stage(learner) as stage:
        app = {"blocks": [b"three"], "written": (b"one", b"", b"two")}
        what = "write(b'one'), write(b''), write(b'two'), then one block, b'three'"
        exchange = Case(stage, app, what).ask()
        exchange.finish(why="the app has returned")
        got = exchange.response(why="PEP 3333, The write() Callable").body
        if got != b"onetwothree":
            why = "PEP 3333, The write() Callable: as if the iterable had yielded it"
            exchange.fail(f"body {got!r}", "body b'onetwothree'", why=why)


def check_second_start(learner: Learner) -> None:
    """Takes a second start_response only with exc_info, and only before the head has left."""
    with Stage(learner) as stage:
        again = learner.define(APPS, "again")
        what = "a second start_response, with exc_info"
        exchange = Case(stage, again(False, True), what).ask()
        exchange.finish(why=TWICE, nudge="Nothing has left yet: it replaces the first one.")
        exchange.expect_sent(start(500, []), body(b"sorry", True), body(), why=TWICE)
        what = "after a block, start_response with exc_info"
        exchange = Case(stage, again(True, True), what).ask()
        trouble(exchange, "KeyError", TWICE, "The head has left: raise exc_info[1].")
        exchange.expect_sent(HEAD, body(b"soup", True), why="the end would be a lie")
        what = "a second start_response, no exc_info"
        exchange = Case(stage, again(False, False), what).ask()
        trouble(exchange, "AssertionError", TWICE, "Without exc_info it is a bug of the app.")


def check_no_start(learner: Learner) -> None:
    """Raises when the app never calls start_response."""
    for blocks in ([b"soup"], []):
        with Stage(learner) as stage:
            app = learner.define(APPS, "silent")(blocks)
            exchange = Case(stage, app, f"returns {blocks!r}, never calls start_response").ask()
            why = "there is no status to send"
            trouble(exchange, "RuntimeError", why, "Look when the head has to leave.")
            exchange.expect_sent(why=why)


def check_error(learner: Learner) -> None:
    """Hands the app's exception on, and closes its iterable first."""
    with Stage(learner) as stage:
        exchange = Case(stage, learner.define(APPS, "raising"), "raises KeyError at once").ask()
        why = "a 500, or a connection that is cut, is the server's business"
        trouble(exchange, "KeyError", why)
        exchange.expect_sent(why=why)
        case = Case(stage, {"blocks": [b"soup"], "error": True}, "one block, then a KeyError")
        exchange = case.ask()
        trouble(exchange, "KeyError", why)
        nudge = "No end after an exception: the client must notice."
        exchange.expect_sent(HEAD, body(b"soup", True), why="the end would be a lie", nudge=nudge)
        case.closed_once(exchange)


def check_client_gone(learner: Learner) -> None:
    """Closes the iterable when send raises, and asks for no further block."""
    with Stage(learner) as stage:
        what = "50 blocks; send raises OSError after the second"
        case = Case(stage, {"blocks": [b"soup"] * 50}, what)
        exchange = case.ask(window=2)  # head and first block; the next one waits
        exchange.error = OSError("the client has gone")
        exchange.let_send(1)
        trouble(exchange, "OSError", "what send raises goes on to the server")
        if case.taken > 3:
            got = f"{case.taken} blocks were taken"
            exchange.fail(got, "no block after send has raised", why="nobody wants them")
        case.closed_once(exchange)
