"""Grader of wsgi-bug-hunt: talks to the server, from the simple to what goes wrong once a month."""

import socket
import struct
from ast import literal_eval
from typing import Any

from playground.grading import Client, Gate, Learner, Response, Server, fresh

UNICODE = "PEP 3333, Unicode Issues: a native string is a str in which a character is one byte"
LAZY = "PEP 3333, Buffering and Streaming: a block is sent before the next one is asked for"
START = "PEP 3333, The start_response() Callable"
ERRORS = "PEP 3333, Error Handling"
CLOSE = "PEP 3333, The Server/Gateway Side: close() is called, whatever ended the request"
ALIVE = "One request, one client, one app: none of them may end the server for all others"

APPS = r'''
import sys

EVENTS = []
TEXT = [("Content-Type", "text/plain")]


class Blocks:
    """Yields blocks, raises exceptions, calls functions; writes down its close()."""

    def __init__(self, *blocks):
        self.blocks = iter(blocks)

    def __iter__(self):
        return self

    def __next__(self):
        block = next(self.blocks)
        if isinstance(block, BaseException):
            EVENTS.append("raise")
            raise block
        if callable(block):
            block = block()
        EVENTS.append("block")
        return block

    def close(self):
        EVENTS.append("close")


class Cross(Blocks):
    def close(self):
        super().close()
        raise RuntimeError("close() is cross")


def trouble():
    try:
        raise RuntimeError("no soup")
    except RuntimeError:
        return sys.exc_info()


def make_app(hold=None):
    def app(environ, start_response):
        name = "do" + environ["PATH_INFO"].replace("/", "_")
        call = PAGES.get(name, show)
        return call(environ, start_response, hold)

    return app


def ok(start_response, body, status="200 OK", headers=TEXT):
    start_response(status, list(headers))
    return body


def show(environ, start_response, hold):
    """The environ, as far as it is text."""
    found = {key: value for key, value in environ.items() if isinstance(value, (str, bool, tuple))}
    found["wsgi.errors"] = hasattr(environ.get("wsgi.errors"), "flush") and "a file to write to"
    return ok(start_response, [repr(found).encode("ascii", "backslashreplace")])


def events(environ, start_response, hold):
    told = repr(EVENTS).encode()
    EVENTS.clear()
    return ok(start_response, [told])


def read_in_many_ways(environ, start_response, hold):
    body = environ["wsgi.input"]
    got = [body.read(2), body.readline(), body.read(0), *body, body.read(), body.read(9)]
    return ok(start_response, [repr(got).encode()])


def read_all(environ, start_response, hold):
    return ok(start_response, [environ["wsgi.input"].read()])


def late(environ, start_response, hold):
    yield start_response("201 Created", TEXT) and b""
    yield b"soup"


def written(environ, start_response, hold):
    write = start_response("200 OK", TEXT)
    write(b"soup")
    hold("written")
    return [b" and tea"]


def held(environ, start_response, hold):
    return ok(start_response, Blocks(b"", b"soup", lambda: hold("held") and b" and tea"))


def long(environ, start_response, hold):
    blocks = [b"x" * 1_000_000] * 40
    return ok(start_response, Blocks(b"soup", lambda: hold("long") and b"y", *blocks))


def held_and_raises(environ, start_response, hold):
    return ok(start_response, Blocks(lambda: hold("held") and b"", ValueError("no soup")))


def replaced(environ, start_response, hold):
    start_response("200 OK", [("X-First", "1")])
    start_response("503 Busy", [("X-Second", "2")], trouble())
    return Blocks(b"", b"sorry")


def replaced_late(environ, start_response, hold):
    start_response("200 OK", TEXT)
    yield b""
    start_response("503 Busy", [("X-Second", "2")], trouble())
    yield b"sorry"


def too_late(environ, start_response, hold):
    start_response("200 OK", TEXT)
    yield b"soup"
    try:
        start_response("503 Busy", TEXT, trouble())
    except RuntimeError as error:
        EVENTS.append(f"raised {error}")
        raise
    yield b"sorry"


def twice(environ, start_response, hold):
    start_response("200 OK", TEXT)
    try:
        start_response("503 Busy", TEXT)
    except AssertionError:
        return [b"refused"]
    return [b"not refused"]


def raises(environ, start_response, hold):
    raise ValueError("no soup")


def raises_announced(environ, start_response, hold):
    start_response("200 OK", [*TEXT, ("Content-Length", "4")])
    raise ValueError("no soup")


def exits(environ, start_response, hold):
    sys.exit("no soup")


def silent(environ, start_response, hold):
    return Blocks(b"soup")


def silent_and_empty(environ, start_response, hold):
    return Blocks()


PAGES = {
    "do_events": events, "do_many": read_in_many_ways, "do_all": read_all, "do_late": late,
    "do_written": written, "do_held": held, "do_long": long,
    "do_held_and_raises": held_and_raises, "do_replaced": replaced,
    "do_replaced_late": replaced_late, "do_too_late": too_late, "do_twice": twice,
    "do_raises": raises, "do_raises_announced": raises_announced, "do_exits": exits,
    "do_silent": silent, "do_silent_and_empty": silent_and_empty,
    "do_hello": lambda e, s, h: ok(s, [b"Hello, ", b"", b"world!"]),
    "do_tuple": lambda e, s, h: ok(s, (b"soup",)),
    "do_empty": lambda e, s, h: ok(s, []),
    "do_own_length": lambda e, s, h: ok(s, [b"soup"], headers=[("content-LENGTH", "4")]),
    "do_cookies": lambda e, s, h: ok(
        s, [b"soup"], headers=[("Set-Cookie", "a=1"), ("X-A", "\xe9\xff"), ("Set-Cookie", "b=2")]
    ),
    "do_204": lambda e, s, h: ok(s, [], "204 No Content"),
    "do_204_body": lambda e, s, h: ok(s, Blocks(b"soup"), "204 No Content"),
    "do_304": lambda e, s, h: ok(s, [b"soup"], "304 Not Modified"),
    "do_stream": lambda e, s, h: ok(s, Blocks(b"soup", b"", b" and tea")),
    "do_cross": lambda e, s, h: ok(s, Cross(b"soup")),
    "do_no_blocks": lambda e, s, h: ok(s, Blocks()),
    "do_breaks": lambda e, s, h: ok(s, Blocks(b"soup", ValueError("no tea"))),
    "do_breaks_first": lambda e, s, h: ok(s, Blocks(b"", ValueError("no soup"))),
    "do_exits_later": lambda e, s, h: ok(s, Blocks(b"soup", SystemExit("no tea"))),
    "do_str": lambda e, s, h: ok(s, Blocks("soup")),
    "do_none": lambda e, s, h: ok(s, None),
}
'''


class Hunt:
    """The learner's server, with our app behind it."""

    def __init__(self, learner: Learner, gate: Gate | None = None) -> None:
        make_app = learner.define(APPS, "make_app")
        self.server = Server(
            learner, "serve", make_app(gate.handler(learner)) if gate else make_app()
        )

    def send(
        self, path: str, method: str = "GET", fields: bytes = b"", body: bytes = b""
    ) -> Client:
        """Send one request."""
        line = f"{method} {path} HTTP/1.1\r\nHost: a\r\n".encode()
        return self.server.exchange(line + fields + b"\r\n" + body)

    def get(
        self, path: str, expected: bytes, why: str, nudge: str, *, status: int = 200,
        method: str = "GET", fields: bytes = b"", body: bytes = b"",
    ) -> Response:  # fmt: skip
        """Send one request; fail unless this is the answer, and then the connection ends."""
        with self.send(path, method, fields, body) as client:
            response = client.response(method)
            if (response.status, response.body) != (status, expected):
                got = f"status {response.status}, body {response.body!r}"
                client.fail(got, f"status {status}, body {expected!r}", why=why, nudge=nudge)
            self.ends(client, response, why, nudge)
            return response

    def ends(self, client: Client, response: Response, why: str, nudge: str) -> None:
        """Fail unless the server said that it closes, and did."""
        if (response.header("Connection") or "").lower() != "close":
            client.fail(
                f"Connection: {response.header('Connection')}", "Connection: close",
                why="RFC 9112 §9.6: a server that is going to close says so",
            )  # fmt: skip
        client.expect_closed(why=why, nudge=nudge)

    def environ(self, target: str, fields: bytes = b"") -> tuple[Client, dict[str, Any]]:
        """Send a request; return the environ that the app got."""
        client = self.send(target, fields=fields)
        response = client.response()
        client.close()
        return client, literal_eval(response.body.decode("ascii"))

    def events(self) -> list[str]:
        """Return what happened in the app since the last call."""
        with self.send("/events") as client:
            found: list[str] = literal_eval(client.response().body.decode())
            return found


def length_is(path: str, response: Response, expected: str | None, hunt: Hunt) -> None:
    """Fail unless Content-Length is as expected, and nothing is chunked."""
    found = response.header("Content-Length")
    if found != expected or response.header("Transfer-Encoding"):
        fields = ", ".join(f"{name}: {value}" for name, value in response.headers)
        hunt.server.fail(
            f"GET {path}", f"the fields {fields}",
            f"Content-Length: {expected}" if expected else "neither Content-Length nor chunks",
            why="PEP 3333, Handling the Content-Length Header: what you cannot know, you leave out",
            nudge="A list or a tuple is there in full. A generator is not.",
        )  # fmt: skip


@fresh
def check_hello(learner: Learner) -> None:
    """Serves a hello-world app, again and again."""
    hunt = Hunt(learner)
    nudge = "This worked before you began: look at your last change."
    for path, body in (("/hello", b"Hello, world!"), ("/tuple", b"soup"), ("/empty", b"")):
        response = hunt.get(path, body, "PEP 3333, The Server/Gateway Side", nudge)
        length_is(path, response, str(len(body)), hunt)


@fresh
def check_head(learner: Learner) -> None:
    """HEAD, 204 and 304 have no body."""
    hunt = Hunt(learner)
    why = "RFC 9110 §9.3.2, §15.3.5, §15.4.5: no body, whatever the app returned"
    nudge = "The client takes these bytes for the next response."
    for method, path, status in (
        ("HEAD", "/hello", 200), ("HEAD", "/stream", 200), ("HEAD", "/no_blocks", 200),
        ("GET", "/204", 204), ("GET", "/204_body", 204), ("GET", "/304", 304),
    ):  # fmt: skip
        response = hunt.get(path, b"", why, nudge, status=status, method=method)
        if status != 200:
            length_is(path, response, None, hunt)


@fresh
def check_headers(learner: Learner) -> None:
    """The app's headers arrive, all of them, in their order."""
    hunt = Hunt(learner)
    with hunt.send("/own_length") as client:
        found = client.receive_all().lower()
        if found.count(b"content-length:") != 1 or b"content-length: 4\r\n" not in found:
            client.fail(
                f"{client.received!r}", "one Content-Length, the app's",
                why="RFC 9110 §8.6: one Content-Length is sent, not two",
                nudge="Field names have no case: the app wrote content-LENGTH.",
            )  # fmt: skip
    with hunt.send("/cookies") as client:
        response = client.response()
        line = client.received.partition(b"\r\n")[0]
        if line != b"HTTP/1.1 200 OK":
            nudge = "The app's status goes out as it is."
            client.fail(f"{line!r}", "b'HTTP/1.1 200 OK'", why="RFC 9112 §4", nudge=nudge)
        found = [pair for pair in response.headers if pair[0] in ("set-cookie", "x-a")]
        expected = [("set-cookie", "a=1"), ("x-a", "\xe9\xff"), ("set-cookie", "b=2")]
        if found != expected:
            client.fail(
                f"the fields {found}", f"the fields {expected}",
                why="PEP 3333: headers are a list; RFC 6265 §3: each cookie has a field of its own",
                nudge="Two fields may have one name: what type cannot hold that? And which encoding"
                " gives one byte for each character?",
            )  # fmt: skip


@fresh
def check_environ(learner: Learner) -> None:
    """Path and fields are native strings."""
    hunt = Hunt(learner)
    nudge = "decode() means UTF-8 and unquote() guesses it; latin-1 never fails."
    for target, key, expected in (
        ("/menu?day=%20", "QUERY_STRING", "day=%20"), ("/menu?day", "PATH_INFO", "/menu"),
        ("/caf%C3%A9", "PATH_INFO", "/caf\xc3\xa9"), ("/%FF+%2b", "PATH_INFO", "/\xff++"),
        ("/", "HTTP_X_NAME", "\xa0caf\xe9: \xff\x85"), ("/", "CONTENT_TYPE", "X/X"),
        ("/", "HTTP_CONTENT_TYPE", None), ("/", "SERVER_PORT", str(hunt.server.port)),
        ("/", "SERVER_PROTOCOL", "HTTP/1.1"), ("/", "CONTENT_LENGTH", None),
        ("/", "SERVER_NAME", "127.0.0.1"), ("/", "SCRIPT_NAME", ""), ("/", "REQUEST_METHOD", "GET"),
        ("/", "wsgi.version", (1, 0)), ("/", "wsgi.url_scheme", "http"),
        ("/", "wsgi.multithread", False), ("/", "wsgi.multiprocess", False),
        ("/", "wsgi.run_once", False), ("/", "wsgi.errors", "a file to write to"),
    ):  # fmt: skip
        fields = b"X-Name: \t\xa0caf\xe9: \xff\x85\t \r\nContent-Type:X/X\r\n"
        client, environ = hunt.environ(target, fields)
        if environ.get(key) != expected:
            got = f"environ[{key!r}] = {environ[key]!r}" if key in environ else f"no {key}"
            wanted = f"no {key}" if expected is None else f"environ[{key!r}] = {expected!r}"
            client.fail(got, wanted, why=UNICODE, nudge=nudge)


@fresh
def check_underscore(learner: Learner) -> None:
    """A field with an underscore does not overwrite another."""
    hunt = Hunt(learner)
    fields = b"X-User: guest\r\nX_User: admin\r\nContent_Type: a/b\r\n"
    client, environ = hunt.environ("/", fields)
    found = environ.get("HTTP_X_USER"), environ.get("CONTENT_TYPE")
    if found != ("guest", None):
        client.fail(
            f"HTTP_X_USER = {found[0]!r}, CONTENT_TYPE = {found[1]!r}",
            "HTTP_X_USER = 'guest', CONTENT_TYPE = None",
            why="RFC 3875 §4.1.18 maps '-' to '_': two names must not end in one key",
            nudge="The proxy in front sets X-User, and lets X_User of the client pass.",
        )  # fmt: skip


@fresh
def check_input(learner: Learner) -> None:
    """wsgi.input ends where the body ends, while the client waits for its answer."""
    hunt = Hunt(learner)
    why = "PEP 3333, Input and Error Streams; RFC 9112 §6.3: the body has Content-Length bytes"
    nudge = "read() on the connection waits for its end, and the client does not hang up."
    body = b"soup\nsalad\ntea"
    size = b"Content-Length: %d\r\n" % len(body)
    got = repr([b"so", b"up\n", b"", b"salad\n", b"tea", b"", b""]).encode()
    hunt.get("/many", got, why, nudge, method="POST", fields=size, body=body)
    hunt.get("/all", body, why, nudge, method="POST", fields=size, body=body + b"GET / HTTP/1.1")
    hunt.get("/all", b"", why, nudge, method="POST")
    with hunt.send("/all", "POST", b"Content-Length: 8\r\n", b"soup") as client:
        if not client.is_silent():
            client.fail("an answer before the body was there", "silence", why=why)
        client.send(b" tea")
        response = client.response()
        if response.body != b"soup tea":
            client.fail(f"the app read {response.body!r}", "it reads b'soup tea'", why=why)


@fresh
def check_twice(learner: Learner) -> None:
    """A second start_response without exc_info is refused."""
    nudge = "This worked before you began: AssertionError, and the first call stays."
    Hunt(learner).get("/twice", b"refused", START, nudge)


@fresh
def check_late(learner: Learner) -> None:
    """start_response may be called with the first block."""
    nudge = "A generator runs its first line when its first block is asked for."
    Hunt(learner).get("/late", b"soup", START, nudge, status=201)


@fresh
def check_framing(learner: Learner) -> None:
    """A generator has no length: the end of the connection is the end of the body."""
    hunt = Hunt(learner)
    nudge = "b''.join(…) needs the last block before it can send the first."
    for path, body in (("/stream", b"soup and tea"), ("/no_blocks", b"")):
        length_is(path, hunt.get(path, body, LAZY, nudge), None, hunt)


@fresh
def check_lazy(learner: Learner) -> None:
    """The first block arrives while the app works on the second."""
    with Gate() as gate:
        hunt = Hunt(learner, gate)
        for path, rest in (("/held", b" and tea"), ("/written", b" and tea")):
            what = "a generator, held before its second block" if path == "/held" else "write()"
            with hunt.send(path) as client:
                visit = gate.wait_for(1, hunt.server, f"GET {path}, {what}")[0]
                client.connection.settimeout(1.0)
                found = arrived(client)
                if not found.endswith(b"\r\n\r\nsoup"):
                    got = f"{found!r} arrived so far ({what})"
                    nudge = "Send each block inside the loop; write() sends before it returns."
                    client.fail(got, "the head and b'soup' by now", why=LAZY, nudge=nudge)
                gate.leave(visit)
                more = client.receive_all()
                if (found + more).partition(b"\r\n\r\n")[2] != b"soup" + rest:
                    client.fail(f"{more!r} after b'soup'", repr(rest), why=LAZY)
                if b"ontent-length" in found.lower():
                    client.fail(f"{found!r}", "no Content-Length: nobody knows it yet", why=LAZY)


def arrived(client: Client) -> bytes:
    """Return what arrives until b"soup" is there, or nothing more for a second."""
    found = b""
    try:
        while not found.endswith(b"soup") and (piece := client.connection.recv(65_536)):
            found += piece
    except TimeoutError:
        pass
    client.received += found
    return found


@fresh
def check_replaced(learner: Learner) -> None:
    """exc_info before the head was sent replaces status and headers."""
    hunt = Hunt(learner)
    nudge = "An empty block does not send the head. With exc_info, the second call wins."
    for path in ("/replaced", "/replaced_late"):
        response = hunt.get(path, b"sorry", ERRORS, nudge, status=503)
        if response.header("X-First") or response.header("X-Second") != "2":
            hunt.server.fail(
                f"GET {path}",
                str(response.headers),
                "X-Second: 2, no X-First",
                why=ERRORS,
                nudge="The new headers replace the old ones.",
            )


@fresh
def check_raises(learner: Learner) -> None:
    """An app that fails before its head was sent gets a 500, and the server goes on."""
    hunt = Hunt(learner)
    nudge = "Nothing was sent, so the client can be told. What does your server do with exceptions?"
    for path in ("/raises", "/raises_announced", "/breaks_first", "/str", "/none", "/silent",
                 "/silent_and_empty", "/exits"):  # fmt: skip
        for method in ("GET", "HEAD"):
            with hunt.send(path, method) as client:
                response = client.response(method)
                if response.status != 500:
                    got = f"status {response.status}, body {response.body!r}"
                    client.fail(got, "status 500", why=ERRORS, nudge=nudge)
                hunt.ends(client, response, ERRORS, nudge)
    hunt.get("/hello", b"Hello, world!", ALIVE, nudge)


@fresh
def check_breaks(learner: Learner) -> None:
    """An app that fails after its head was sent: the connection ends, the server goes on."""
    hunt = Hunt(learner)
    nudge = "The client has a status already: nothing more may be sent."
    for path in ("/breaks", "/exits_later", "/too_late"):
        with hunt.send(path) as client:
            found = client.receive_all()
            if found.count(b"HTTP/1.1 ") != 1 or not found.endswith(b"\r\n\r\nsoup"):
                client.fail(f"{found!r}", "a head, b'soup', and the end", why=ERRORS, nudge=nudge)
    if "raised no soup" not in hunt.events():
        hunt.server.fail(
            "GET /too_late: start_response(…, exc_info) after the head was sent",
            "nothing raised in the app", "exc_info[1] raised", why=ERRORS,
            nudge="The app wants to know that it is too late.",
        )  # fmt: skip
    hunt.get("/hello", b"Hello, world!", ALIVE, nudge)


@fresh
def check_close(learner: Learner) -> None:
    """close() is called once, after success and after trouble."""
    hunt = Hunt(learner)
    for path in ("/stream", "/no_blocks", "/204_body", "/breaks", "/breaks_first", "/exits_later",
                 "/silent", "/str", "/cross", "/replaced"):  # fmt: skip
        for method in ("GET", "HEAD"):
            with hunt.send(path, method) as client:
                client.receive_all()
                events = hunt.events()
                if events.count("close") != 1 or events[-1] != "close":
                    client.fail(
                        f"in the app: {', '.join(events) or 'nothing'}", "one close, at the end",
                        why=CLOSE, nudge="try … finally reaches every way out.",
                    )  # fmt: skip
    hunt.get("/hello", b"Hello, world!", ALIVE, "Nothing that close() raises matters.")


@fresh
def check_client_leaves(learner: Learner) -> None:
    """A client that leaves before its request is complete: no call of the app, no harm."""
    hunt = Hunt(learner)
    nudge = "readline() and read() at the end of a connection return less, and do not raise."
    for data in (b"", b"GET /str", b"GET /stream HTTP/1.1\r\n", b"GET /stream HTTP/1.1\r\nHost: a",
                 b"POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsoup"):  # fmt: skip
        with hunt.server.exchange(data, shutdown=True) as client:
            if got := client.receive_all("end-of-file"):
                client.fail(f"{got!r}", "end-of-file", why=ALIVE, nudge=nudge)
        if events := hunt.events():
            got = f"the app was called: {', '.join(events)}"
            client.fail(got, "the app is not called", why=ALIVE, nudge=nudge)
    reset(hunt.server.exchange(b"GET /stream HTTP/1.1\r\nHost"))
    hunt.get("/hello", b"Hello, world!", ALIVE, "A reset connection raises an OSError.")


@fresh
def check_client_gone(learner: Learner) -> None:
    """A client that leaves in the middle of the response: close(), and the server goes on."""
    with Gate() as gate:
        hunt = Hunt(learner, gate)
        nudge = "sendall() raises when the client is gone. Who is still waiting to be closed?"
        for path, most in (("/long", 20), ("/held_and_raises", 1)):
            client = hunt.send(path)
            visit = gate.wait_for(1, hunt.server, f"GET {path}, held in the app")[0]
            reset(client)
            gate.leave(visit)
            events = hunt.events()
            blocks, closes = events.count("block"), events.count("close")
            if closes != 1 or events[-1] != "close" or blocks > most:
                got = f"{blocks} blocks taken, {closes} times close(), after the client left"
                client.fail(got, "few blocks taken, and one close()", why=CLOSE, nudge=nudge)
        hunt.get("/hello", b"Hello, world!", ALIVE, "The next client has done nothing wrong.")


def reset(client: Client) -> None:
    """Leave without a word: what the server sends from now on fails."""
    client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def draw(file: Any) -> Any:
    """Draw the learner's server: four clients at once, one connection after the other."""
    from playground import burst, serve

    with serve(file.function("serve"), "slow") as server:
        return burst(server, 4, "/?s=0.2", show=False)
