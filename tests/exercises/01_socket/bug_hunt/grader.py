"""Grader of http-bug-hunt: from what curl does to what only strangers do."""

import socket
import struct

from playground import Run, burst, serve
from playground.grading import Client, Failed, Learner, LearnerFile, Server, fresh

HOST = b"Host: a\r\n"
GET = b"GET /next HTTP/1.1\r\n" + HOST + b"\r\n"


def answered(client: Client, line: bytes, *, why: str, nudge: str, closes: bool = False) -> None:
    """Read one response: 200 with `line` (METHOD TARGET LENGTH), and closed or not."""
    method = line.split()[0].decode()
    try:
        got = client.response(method)
    except Failed as failed:
        failed.message.why = failed.message.why or why
        if not failed.message.stacks:  # it did not hang: it ended, or what came was no HTTP
            failed.message.nudge = nudge
        raise
    body = b"" if method == "HEAD" else line + b"\n"
    if got.status != 200 or got.body != body:
        text = f"status {got.status} with the body {got.body!r}"
        client.fail(text, f"status 200 with the body {body!r}", why=why, nudge=nudge)
    if got.header("Content-Length") != str(len(line) + 1):
        text = f"Content-Length: {got.header('Content-Length')}"
        client.fail(text, f"Content-Length: {len(line) + 1}", why=why, nudge=nudge)
    said_close = "close" in (got.header("Connection") or "").lower()
    if said_close != closes:
        texts = ("no `Connection: close` in the answer", "`Connection: close` in the answer")
        client.fail(texts[said_close], texts[closes], why=why, nudge=nudge)
    if closes:
        client.expect_closed(why=why, nudge=nudge)


def refused(server: Server, data: bytes, status: int, *, why: str, nudge: str) -> None:
    """Send `data`; fail unless it is refused, the connection closed, and the next one served."""
    with server.exchange(data) as client:
        got = client.response()
        if got.status != status:
            text = f"status {got.status} with the body {got.body!r}"
            client.fail(text, f"status {status}", why=why, nudge=nudge)
        if (got.header("Connection") or "").lower() != "close":
            client.fail(
                "no `Connection: close` in the answer", "`Connection: close`, then end-of-file",
                why="RFC 9112 §9.6: a server that closes says so; after a refusal nobody knows"
                " where the next request begins",
                nudge="What does your loop do after it has sent the refusal?",
            )  # fmt: skip
        client.expect_closed(why=why, nudge="Say it, and do it.")
    next_one(server, "RFC 9110 §15.5: a bad request is the client's fault, not the server's")


def next_one(server: Server, why: str) -> None:
    """Fail unless the next client is served."""
    with server.exchange(GET) as client:
        nudge = "What one client does may end its connection, never the server."
        answered(client, b"GET /next 0", why=why, nudge=nudge)


@fresh
def check_curl(learner: Learner) -> None:
    """Answers what curl sends."""
    server = Server(learner, "serve")
    why, nudge = "RFC 9112 §6.2: Content-Length bytes of text", "Method, target, length, LF."
    for _ in range(2):
        with server.exchange(b"GET /menu HTTP/1.1\r\n" + HOST + b"Accept: */*\r\n\r\n") as client:
            answered(client, b"GET /menu 0", why=why, nudge=nudge)
    with server.exchange(
        b"POST /order HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello"
    ) as client:
        answered(client, b"POST /order 5", why=why, nudge=nudge)


@fresh
def check_head(learner: Learner) -> None:
    """Answers HEAD with the fields of GET, and without a body."""
    server = Server(learner, "serve")
    with server.exchange(b"HEAD /menu HTTP/1.1\r\nConnection: close\r\n\r\n") as client:
        answered(
            client, b"HEAD /menu 0", closes=True,
            why="RFC 9110 §9.3.2: no content after the head; and RFC 9112 §9.6: whoever closes"
            " says `Connection: close`",
            nudge="response() knows neither the method nor whether the connection stays open.",
        )  # fmt: skip


@fresh
def check_names(learner: Learner) -> None:
    """Reads field names in any case, with any space or none around the value."""
    server = Server(learner, "serve")
    for field in (b"content-length: 5", b"CONTENT-LENGTH:5", b"Content-Length:\t 5 \t",
                  b"X-Empty:\r\nA: b: c\r\nContent-Length: 5"):  # fmt: skip
        with server.exchange(b"POST /order HTTP/1.1\r\n" + field + b"\r\n\r\nhello") as client:
            answered(
                client, b"POST /order 5",
                why="RFC 9112 §5: field-line = name ':' OWS value OWS; names ignore case",
                nudge="The first colon separates. What may stand around the value?",
            )  # fmt: skip


@fresh
def check_pieces(learner: Learner) -> None:
    """Waits for a request that comes in pieces."""
    server = Server(learner, "serve")
    for pieces in (
        (b"GET /me", b"nu HTTP/1.1\r\nHo", b"st: a\r", b"\n\r", b"\n"),
        (b"POST /order HTTP/1.1\r\nContent-Length: 5\r\n\r\n", b"he", b"llo"),
        (b"P", b"OST /order HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell", b"o"),
    ):  # fmt: skip
        with server.connect() as client:
            client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces[:-1]:
                client.send(piece)
                if not client.is_silent():
                    client.fail(
                        "an answer, or the end of the connection", "no answer yet: there is more",
                        why="RFC 9293 §3.8: TCP is a stream; recv() returns what is here just now",
                        nudge="How do you know that the head, or the body, is complete?",
                    )  # fmt: skip
            client.send(pieces[-1])
            answered(
                client, b"GET /menu 0" if len(pieces) > 3 else b"POST /order 5",
                why="RFC 9293 §3.8: TCP is a stream; recv() returns what is here just now",
                nudge="Append to the buffer until it holds what you need.",
            )  # fmt: skip


@fresh
def check_several(learner: Learner) -> None:
    """Answers several requests on one connection, also when they come at once."""
    server = Server(learner, "serve")
    why = "RFC 9112 §9.3.2: a client may send the next request before it has the answer"
    nudge = "What is left in the buffer is the next request. Do you receive before you look there?"
    with server.exchange(GET) as client:
        for _ in range(2):
            answered(client, b"GET /next 0", why=why, nudge=nudge)
            client.send(GET)
        answered(client, b"GET /next 0", why=why, nudge=nudge)
    inside = b"GET /inside HTTP/1.1\r\n\r\n"
    letter = b"POST /a HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(inside) + inside
    why = "RFC 9112 §6.3: a body is a body, even if it looks like a request"
    nudge = "Who takes the body out of the buffer, and all of it?"
    with server.exchange(letter + letter + GET) as client:
        for line in (b"POST /a %d" % len(inside), b"POST /a %d" % len(inside), b"GET /next 0"):
            answered(client, line, why=why, nudge=nudge)


@fresh
def check_close(learner: Learner) -> None:
    """Closes when the client wants it, and only then."""
    server = Server(learner, "serve")
    why = "RFC 9110 §7.6.1: Connection is a comma-separated list of options that ignore case"
    for field in (
        b"close",
        b"Close",
        b"keep-alive,\tCLOSE",
        b"close , x",
        b"x\r\nConnection: close",
    ):
        with server.exchange(b"GET /a HTTP/1.1\r\nConnection: " + field + b"\r\n\r\n") as client:
            nudge = "Split at the commas, strip spaces and tabs, compare in lower case."
            answered(client, b"GET /a 0", closes=True, why=why, nudge=nudge)
    for field in (b"closed", b"keep-alive", b"x close", b"disclose", b"close\xa0"):
        with server.exchange(b"GET /a HTTP/1.1\r\nConnection: " + field + b"\r\n\r\n") as client:
            nudge = "An option is a whole word between commas."
            answered(client, b"GET /a 0", why=why, nudge=nudge)
    with server.exchange(b"GET /a HTTP/1.0\r\n\r\n") as client:
        answered(
            client, b"GET /a 0", closes=True,
            why="RFC 9112 §9.3: HTTP/1.0 knows no persistent connections unless it asks for them",
            nudge="The version is parsed already. Who looks at it?",
        )  # fmt: skip


@fresh
def check_line_feeds(learner: Learner) -> None:
    """Refuses a CR or LF that stands alone."""
    server = Server(learner, "serve")
    for data in (
        b"GET / HTTP/1.1\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nA: b\nContent-Length: 5\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", b"GET / HTTP/1.1\r\nA: b\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: \x0bb\r\n\r\n", b"GET / HTTP/1.1\r\nA: b\r\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\x7f\r\n\r\n", b"GET / HTTP/1.1\r\nA: b\x1c\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost: a\n",
    ):  # fmt: skip
        refused(
            server, data, 400,
            why="RFC 9112 §2.2 and RFC 9110 §5.5: lines end with CRLF; where one server sees one"
            " field and the next one two, a field is smuggled",
            nudge="splitlines() cuts at nine different characters. strip() hides some of them.",
        )  # fmt: skip


@fresh
def check_lengths(learner: Learner) -> None:
    """Refuses a Content-Length that is not digits, or occurs twice."""
    server = Server(learner, "serve")
    for value in (
        b"+5", b"-5", b"0_5", b"", b"five", b"5, 5", b"\xb2", b"0x5", b"5\xa0", b"\x855", b"X5",
        b"5\r\nContent-Length: 5", b"5\r\ncontent-length: 0",
    ):  # fmt: skip
        data = b"POST / HTTP/1.1\r\nContent-Length: " + value + b"\r\n\r\nhello"
        refused(
            server, data, 400,
            why="RFC 9110 §8.6, RFC 9112 §6.3: Content-Length = 1*DIGIT, and only one of them",
            nudge="int() takes more than digits, and a dict keeps only one of two.",
        )  # fmt: skip


@fresh
def check_coding(learner: Learner) -> None:
    """Refuses Transfer-Encoding instead of overlooking it."""
    server = Server(learner, "serve")
    chunks = b"5\r\nhello\r\n0\r\n\r\n"
    for fields in (b"Transfer-Encoding: chunked", b"transfer-encoding: gzip, chunked",
                   b"Content-Length: 15\r\nTransfer-Encoding: chunked"):  # fmt: skip
        refused(
            server, b"POST / HTTP/1.1\r\n" + fields + b"\r\n\r\n" + chunks, 501,
            why="RFC 9112 §6.1: a server that does not understand a coding answers 501; if it"
            " overlooks it, the body becomes the next request",
            nudge="Which field decides the length of the body before Content-Length does?",
        )  # fmt: skip


@fresh
def check_nonsense(learner: Learner) -> None:
    """Refuses a malformed first line or field."""
    server = Server(learner, "serve")
    for head in (
        b"GET /", b"GET  / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET\t/ HTTP/1.1", b"hello",
        b" GET / HTTP/1.1", b"GET / HTTP/2.0", b"GET / HTTP/1.10", b"GET / http/1.1",
        b"GET / x HTTP/1.1", b"GET / HTTP/1.1\r\nno colon", b"GET / HTTP/1.1\r\nA : b",
        b"GET / HTTP/1.1\r\n A: b", b"GET / HTTP/1.1\r\nA: b\r\n\tc: d", b"GET / HTTP/1.1\r\n: b",
        b"GET / HTTP/1.1\r\nContent-Length : 5", b"GET / HTTP/1.1\r\nA: b\r\nC\t: d",
    ):  # fmt: skip
        refused(
            server, head + b"\r\n\r\n", 400,
            why="RFC 9112 §3 and §5.1: single spaces, a known version; no white space before the"
            " colon or at the beginning of a line",
            nudge="split() without an argument forgives. Match the whole line with a pattern.",
        )  # fmt: skip


@fresh
def check_vanished(learner: Learner) -> None:
    """Goes on when a client breaks off, wherever it is."""
    server = Server(learner, "serve")
    why = "RFC 9112 §8, §9.5: a client may be gone at any moment; that request is not answered"
    starts = (b"", b"GET / HT", b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\nhello", GET[:-2])
    for data in starts:
        with server.exchange(data, shutdown=True) as client:
            client.expect_closed(
                why=why, nudge="recv() returns b'' for ever once the client has ended its side."
            )
        next_one(server, why)
    for data in starts:
        client = server.exchange(data)
        client.is_silent()  # so that the server waits for more when the reset comes
        reset = struct.pack("ii", 1, 0)  # close with RST instead of FIN
        client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        client.close()
        next_one(server, why)
    server.settles(
        server.connections, 0, "open connections", called="8 clients that broke off",
        why="A connection that is not closed holds a file descriptor until there are none left",
        nudge="`with connection:` closes, whatever happens inside.",
    )  # fmt: skip


def draw(file: LearnerFile) -> Run:
    """Four clients at once: one connection at a time is served, the others wait for it."""
    serve_file = file.function("serve")

    def your_server(listener: socket.socket, app: object) -> None:
        serve_file(listener)

    with serve(your_server, "hello") as server:
        return burst(server, 4, "/", timeout=3, show=False)
