"""Grader of wsgi-middleware: we are the server and the app, and look at what passes through."""

import sys
from collections.abc import Iterator
from typing import Any

from playground.grading import Blocks, Learner, Raised, Recorder, Remote, environ, fail, fresh

BOTH = "PEP 3333, Middleware: Components that Play Both Sides"
LAZY = "PEP 3333, Middleware Handling of Block Boundaries: hand on a block as soon as there is one"
CLOSE = "PEP 3333: what middleware returns has a close() that calls the app's"
TYPE = ("Content-Type", "text/plain")


class Exchange:
    """One request to the learner's app around ours; everybody's actions in one list."""

    def __init__(self, learner: Learner, app: Any, what: str, **headers: str) -> None:
        self.learner = learner
        self.called = f"metered(app, report, clock)(environ, start_response); app: {what}"
        self.start_response = Recorder()
        self.reports: list[tuple[Any, ...]] = []
        self.time = 100.0
        self.looks = 0  # at the clock
        self.environ = environ("GET", "/menu", headers=headers)
        self.events: list[str] = []
        self.middleware = learner.obtain("metered", app, self.report, self.clock)
        if not isinstance(self.middleware, Remote):
            why = "PEP 3333, The Application/Framework Side: an app is a callable"
            got, nudge = f"returned {self.middleware!r}", "Define the app inside, and return it."
            fail("metered(app, report, clock)", got, "a WSGI app", why=why, nudge=nudge)

    def report(self, *args: Any) -> None:
        """What the learner's code reports to."""
        self.events.append("report")
        self.reports.append(args)

    def clock(self) -> float:
        """Seconds; the grader turns the hands."""
        self.looks += 1
        return self.time

    def run(self) -> "Exchange":
        """Call the learner's app, as a server does."""
        self.result = self.middleware(self.environ, self.start_response)
        if not isinstance(self.result, Remote) or not self.result.has("close"):
            kind = (
                "an object without close()"
                if isinstance(self.result, Remote)
                else repr(self.result)
            )
            self.fail(
                f"returned {kind}",
                "an iterable with a close()",
                CLOSE,
                "An object of a class of yours can have __iter__ and close.",
            )
        return self

    def steps(self) -> Iterator[Any]:
        """Return an iterator over the body."""
        return iter(self.result)

    def close(self) -> None:
        """Close, as a server does."""
        self.events.append("server closes")
        self.result.call("close")

    def fail(self, got: str, expected: str, why: str, nudge: str) -> None:
        """Fail with what was called."""
        fail(self.called, got, expected, why=why, nudge=nudge)

    def reported(self, *expected: Any, nudge: str) -> None:
        """Fail unless there was one report, and this one."""
        if self.reports != [expected] or list(map(type, self.reports[0])) != list(
            map(type, expected)
        ):
            told = ", ".join(f"report{args!r}" for args in self.reports) or "no report"
            self.fail(
                told, f"report{expected!r}", "the docstring: path, status, size, seconds", nudge
            )


def app(body: Any, status: str = "200 OK", headers: Any = (TYPE,)) -> Any:
    """Return an app with this body."""

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response(status, list(headers))
        return body

    return application


def trouble() -> Any:
    """Return an exc_info."""
    try:
        raise RuntimeError("the soup is cold")
    except RuntimeError:
        return sys.exc_info()


def check_passes_through(learner: Learner) -> None:
    """Body, status and the app's headers arrive; the new header comes last."""
    headers = [("Set-Cookie", "a=1"), TYPE, ("Set-Cookie", "b=2")]
    for body in ([b"no ", b"", b"soup"], (), [b""]):
        exchange = Exchange(
            learner,
            app(body, "404 Not Found", headers),
            f"returns {body!r}",
            **{"X-Request-Id": "7"},
        ).run()
        got = list(exchange.steps())
        if got != list(body):
            nudge = "Every block is handed on, empty ones as well."
            exchange.fail(f"yielded {got!r}", f"yielded {list(body)!r}", BOTH, nudge)
        expected = [("404 Not Found", [*headers, ("X-Request-Id", "7")])]
        if exchange.start_response.calls != expected:
            nudge = "The app's list, in its order, and one tuple more."
            exchange.fail(
                f"the server's start_response got {exchange.start_response.calls!r}",
                f"got {expected!r}",
                BOTH,
                nudge,
            )


def check_environ(learner: Learner) -> None:
    """The app gets the environ as it is."""
    seen: list[Any] = []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        seen.append(environ)
        return []

    exchange = Exchange(learner, application, "keeps its environ").run()
    if len(seen) != 1:
        exchange.fail(
            f"the app was called {len(seen)} times",
            "once, at once",
            BOTH,
            "A generator function runs only when its first block is asked for.",
        )
    if seen[0] != exchange.environ:
        exchange.fail(f"the app got {seen[0]!r}", "the server's environ", BOTH, "Hand it on.")


def check_no_identity(learner: Learner) -> None:
    """Without a request id, the header says none."""
    exchange = Exchange(learner, app([]), "returns []").run()
    if exchange.start_response.headers != [TYPE, ("X-Request-Id", "none")]:
        exchange.fail(
            f"headers {exchange.start_response.headers!r}",
            f"headers {[TYPE, ('X-Request-Id', 'none')]!r}",
            "the docstring",
            "environ.get has a default.",
        )


def check_report(learner: Learner) -> None:
    """close() reports path, status, bytes and seconds."""
    exchange = Exchange(
        learner, app([b"no ", b"", b"soup"], "404 Not Found"), "yields 7 bytes"
    ).run()
    exchange.time += 0.125
    list(exchange.steps())
    if exchange.reports:
        exchange.fail(
            "reported at the end of the body",
            "a report in close()",
            CLOSE,
            "The server may still be sending; close() is the end.",
        )
    exchange.time += 0.125
    exchange.close()
    nudge = "The clock is read when the app is called and in close()."
    exchange.reported("/menu", "404 Not Found", 7, 0.25, nudge=nudge)
    if exchange.looks != 2:
        exchange.fail(
            f"clock() was called {exchange.looks} times", "2 times", "the docstring", nudge
        )


def check_clock_starts_first(learner: Learner) -> None:
    """Time counts from the call, before the app does anything."""

    def slow(environ: dict[str, Any], start_response: Any) -> Any:
        exchange.time += 2.0
        start_response("200 OK", [])
        return [b"a"]

    exchange = Exchange(learner, slow, "works for 2 seconds before it returns")
    exchange.run().close()
    exchange.reported("/menu", "200 OK", 0, 2.0, nudge="Look at the clock before you call the app.")


def check_two_requests(learner: Learner) -> None:
    """Two requests at the same time do not mix."""
    first, second = Blocks([b"one"]), Blocks([b"three", b"four"])
    bodies = iter((first, second))

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response(environ["QUERY_STRING"], [])
        return next(bodies)

    exchange = Exchange(learner, application, "two requests, one inside the other")
    results = []
    for status in ("200 One", "201 Two"):
        exchange.environ["QUERY_STRING"] = status
        results.append(exchange.run().result)
    for result in results:
        list(result)
    for result in reversed(results):
        result.call("close")
    expected = [("/menu", "201 Two", 9, 0.0), ("/menu", "200 One", 3, 0.0)]
    if exchange.reports != expected:
        exchange.fail(
            f"reports {exchange.reports!r}",
            f"reports {expected!r}",
            BOTH,
            "What belongs to one request may not live in metered() itself.",
        )


def check_lazy(learner: Learner) -> None:
    """No block is asked for before the server asks."""
    blocks = Blocks([b"one", b"two", b"three"])
    exchange = Exchange(learner, app(blocks), "yields three blocks").run()
    if blocks.taken:
        exchange.fail(
            f"took {blocks.taken} blocks before the server asked",
            "none",
            LAZY,
            "Return an object that is iterated later.",
        )
    for number, block in enumerate(exchange.steps(), 1):
        if blocks.taken != number:
            exchange.fail(
                f"took {blocks.taken} blocks to hand on block {number}, {block!r}",
                f"took {number}",
                LAZY,
                "A for loop that yields, no list().",
            )


def check_app_list_unchanged(learner: Learner) -> None:
    """The app's own list of headers stays as it is."""
    source = """
HEADERS = [("Content-Type", "text/plain")]

def app(environ, start_response):
    start_response("200 OK", HEADERS)
    return [b"%d" % len(HEADERS)]
"""
    shared = learner.define(source, "app")
    for _ in range(2):
        exchange = Exchange(learner, shared, "uses one global list of headers").run()
        body = b"".join(exchange.steps())
        if body != b"1":
            exchange.fail(
                f"the app's list has {int(body)} headers now",
                "1, as before",
                BOTH,
                "Make a new list; append() and += change the app's.",
            )


def check_late(learner: Learner) -> None:
    """start_response may be called with the first block."""

    class Late(Blocks):
        start: Any = None

        def __next__(self) -> bytes:
            if not self.taken:
                self.start("201 Created", [TYPE])
            return super().__next__()

    blocks = Late([b"soup"])

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        blocks.start = start_response
        return blocks

    exchange = Exchange(learner, application, "calls start_response with its first block").run()
    list(exchange.steps())
    exchange.close()
    expected = [("201 Created", [TYPE, ("X-Request-Id", "none")])]
    if exchange.start_response.calls != expected:
        exchange.fail(
            f"the server's start_response got {exchange.start_response.calls!r}",
            f"got {expected!r}",
            BOTH,
            "The header comes with the call, whenever it is.",
        )
    exchange.reported("/menu", "201 Created", 4, 0.0, nudge="Remember the status when it is said.")


def check_exc_info(learner: Learner) -> None:
    """exc_info is handed on, and so is what the server raises."""
    why = "PEP 3333, Error Handling: middleware passes exc_info on, and catches nothing of it"

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [TYPE])
        start_response("500 Oops", [], trouble())
        return [b"sorry"]

    exchange = Exchange(learner, application, "calls start_response again with exc_info").run()
    calls = exchange.start_response.calls
    expected = [2, 3]
    if list(map(len, calls)) != expected or calls[1][:2] != (
        "500 Oops",
        [("X-Request-Id", "none")],
    ):
        exchange.fail(
            f"the server's start_response got {calls!r}",
            "('200 OK', …), then ('500 Oops', [('X-Request-Id', 'none')], exc_info)",
            why,
            "Take *exc_info, and hand it on as it came.",
        )
    exchange.close()
    exchange.reported("/menu", "500 Oops", 0, 0.0, nudge="The last status counts.")

    class Late(Recorder):
        def __call__(self, status: Any, headers: Any, exc_info: Any = None) -> Any:
            if exc_info:
                raise RuntimeError("the soup is cold")
            return super().__call__(status, headers)

    exchange = Exchange(learner, application, "the same, after the head was sent")
    exchange.start_response = Late()
    try:
        exchange.run()
    except Raised as raised:
        if raised.type_name == "RuntimeError":
            return
        raise
    exchange.fail(
        "nothing raised",
        "the RuntimeError that the server's start_response raised",
        why,
        "Do not catch what is not yours.",
    )


def check_arguments(learner: Learner) -> None:
    """Without exc_info, the server's start_response gets two arguments."""
    source = """
def app_with_none(environ, start_response):
    start_response("200 OK", [])
    return [b"soup"]

def serve(middleware, environ):
    got = []
    def start_response(*args):
        got.append(len(args))
        return lambda block: None
    for block in middleware(environ, start_response):
        pass
    return got
"""
    inner = learner.define(source, "app_with_none")
    exchange = Exchange(learner, inner, "calls start_response(status, headers)")
    got = learner.define(source, "serve")(exchange.middleware, exchange.environ)
    if got != [2]:
        exchange.fail(
            f"the server's start_response got {got} arguments",
            "[2] arguments",
            BOTH,
            "start_response(status, headers, None) is not what the app said.",
        )


def check_write(learner: Learner) -> None:
    """write() goes on at once, and counts."""
    exchange: Exchange

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        write = start_response("200 OK", [TYPE])
        write(b"soup")
        seen.append(list(exchange.start_response.written))
        write(b" and")
        return [b" tea"]

    seen: list[Any] = []
    exchange = Exchange(learner, application, "write(b'soup'), write(b' and'), returns [b' tea']")
    exchange.run()
    list(exchange.steps())
    exchange.close()
    why = "PEP 3333, The write() Callable: imperative apps need it, so middleware hands it on"
    if seen != [[b"soup"]] or exchange.start_response.written != [b"soup", b" and"]:
        exchange.fail(
            f"the server's write got {exchange.start_response.written!r}, first {seen!r}",
            "b'soup' at once, then b' and'",
            why,
            "Return a function that calls write.",
        )
    exchange.reported("/menu", "200 OK", 12, 0.0, nudge="Written bytes count as well.")


def check_close(learner: Learner) -> None:
    """close() closes the app's iterable once, then reports; whatever was read."""
    for read in (0, 1, 9):
        events: list[str] = []
        blocks = Blocks([b"one", b"two"], events=events)
        exchange = Exchange(
            learner, app(blocks), f"yields 2 blocks; {min(read, 2)} of them are read"
        )
        exchange.events = events
        exchange.run()
        for _, _ in zip(range(read), exchange.steps(), strict=False):
            pass
        exchange.close()
        tail = events[events.index("server closes") :]
        if events.count("close") != 1 or tail != ["server closes", "close", "report"]:
            exchange.fail(
                "; ".join(events),
                "server closes; close; report",
                CLOSE,
                "close() of a generator that never began runs none of its lines.",
            )
        if exchange.reports[0][2] != min(read, 2) * 3:
            exchange.fail(
                f"reported {exchange.reports[0][2]} bytes",
                f"{min(read, 2) * 3}",
                "the docstring: the bytes handed on",
                "Count while you hand on.",
            )


def check_no_close(learner: Learner) -> None:
    """An iterable without close() is fine."""
    exchange = Exchange(learner, app([b"soup"]), "returns a list, which has no close()").run()
    exchange.close()
    exchange.reported("/menu", "200 OK", 0, 0.0, nudge="Nothing was read: 0 bytes were handed on.")


def check_close_raises(learner: Learner) -> None:
    """If the app's close() raises, there is a report, and the error goes on."""

    class Cross(Blocks):
        def close(self) -> None:
            raise RuntimeError("close() is cross")

    exchange = Exchange(learner, app(Cross([b"soup"])), "its close() raises RuntimeError").run()
    raised = ""
    try:
        exchange.close()
    except Raised as error:
        raised = error.type_name
    exchange.reported("/menu", "200 OK", 0, 0.0, nudge="try … finally.")
    if raised != "RuntimeError":
        exchange.fail(
            f"close() raised {raised or 'nothing'}",
            "the app's RuntimeError",
            BOTH,
            "The error is not yours: the server wants to log it.",
        )


def check_app_raises(learner: Learner) -> None:
    """What the app raises goes on, from the call and from the body."""

    def raises(environ: dict[str, Any], start_response: Any) -> Any:
        raise LookupError("no soup")

    exchange = Exchange(learner, raises, "raises LookupError when it is called")
    try:
        exchange.run()
    except Raised as raised:
        if raised.type_name != "LookupError":
            raise
    else:
        exchange.fail("nothing raised", "the app's LookupError", BOTH, "Do not catch it.")
    if exchange.reports:
        exchange.fail(
            f"report{exchange.reports[0]!r}",
            "no report",
            "the docstring",
            "No iterable, no close(), no report.",
        )
    blocks = Blocks([b"soup"], error=LookupError("no more soup"))
    exchange = Exchange(learner, app(blocks), "yields b'soup', then raises LookupError").run()
    steps = exchange.steps()
    next(steps)
    try:
        next(steps, None)
    except Raised as raised:
        if raised.type_name != "LookupError":
            raise
    else:
        exchange.fail(
            "the body just ended",
            "the app's LookupError",
            BOTH,
            "A body that breaks off must not look like a whole one.",
        )
    exchange.close()
    exchange.reported("/menu", "200 OK", 4, 0.0, nudge="close() comes after an error, too.")


def check_path(learner: Learner) -> None:
    """The path is the one of the request, though the app changes its environ."""
    source = """
def app(environ, start_response):
    environ["PATH_INFO"] = "/changed"
    environ["HTTP_X_REQUEST_ID"] = "changed"
    return []

def serve(middleware, environ, start_response):
    middleware(environ, start_response).close()
"""
    exchange = Exchange(
        learner, learner.define(source, "app"), "changes PATH_INFO, announces nothing"
    )
    learner.define(source, "serve")(exchange.middleware, exchange.environ, exchange.start_response)
    nudge = "Frameworks cut PATH_INFO down as they find their way: read it first."
    exchange.reported("/menu", "", 0, 0.0, nudge=nudge)


@fresh
def check_validator(learner: Learner) -> None:
    """wsgiref.validate finds nothing wrong, on either side."""
    complaint = learner.define(VALIDATE, "validate")(learner.name("metered"))
    if complaint:
        fail(
            "validator(metered(validator(app), report, clock)), read to the end and closed",
            complaint,
            "no complaint of wsgiref.validate",
            why=BOTH,
            nudge="The last line of the complaint names the rule.",
        )


VALIDATE = """
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"soup"
    yield b"tea"

def validate(metered):
    environ = {"QUERY_STRING": ""}
    setup_testing_defaults(environ)
    middleware = validator(metered(validator(app), lambda *args: None, lambda: 0.0))
    try:
        result = middleware(environ, lambda status, headers, exc_info=None: (lambda block: None))
        body = b"".join(result)
        result.close()
        return "" if body == b"souptea" else f"the body was {body!r}"
    except AssertionError as error:
        return f"AssertionError: {error}"
"""
