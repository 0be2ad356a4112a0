"""Grader of stay-bug-hunt: clients of ours, from polite to rude, and the frames that they get."""

import socket
import struct
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1

from playground.grading import Client, Failed, Learner, Server, fresh, short
from playground.grading.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    client_frame,
    header,
)
from playground.grading.verdict import Wire
from playground.grading.wire import command

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 §1.3
LIMIT = 131_072
TRIES = 9  # of those in which our machine may stand still
PAUSE_S = 0.5  # of the client, after which nobody can tell whether the end waited for it
OPENING = "RFC 6455 §4.2: the opening handshake"
STREAM = "RFC 9293 §3.8: TCP is a stream; recv(n) returns what is here just now, n bytes at most"
LENGTHS = "RFC 6455 §5.2: 7 bits, or 126 and 2 bytes, or 127 and 8 bytes, network byte order"
FRAGMENTS = "RFC 6455 §5.4: a message may come in fragments, with control frames in between"
CONTROL = "RFC 6455 §5.5.2, §5.5.3: ping: a pong with the same payload; pong: no answer"
ENDS = "RFC 6455 §5.5.1: close is answered with close, and nothing is sent after it"
RESET = (
    "RFC 6455 §7.1.1: shutdown, read, close. With bytes unread, close() is a reset: words get lost"
)
RULES = "RFC 6455 §7.4.1: 1002 is a protocol error, 1007 no UTF-8, 1009 too big"


def asking(*more: bytes, method: bytes = b"GET", key: bytes | None = KEY) -> bytes:
    """The head of a request to open a WebSocket; `more` instead of Upgrade and Connection."""
    fields = more or (b"Upgrade: websocket", b"Connection: Upgrade")
    lines = [method + b" /echo HTTP/1.1", b"Host: 127.0.0.1", *fields]
    if key is not None:
        lines += [b"Sec-WebSocket-Key: " + key]
    return b"\r\n".join([*lines, b"Sec-WebSocket-Version: 13", b"", b""])


class Peer:
    """A client of the learner's server, once the WebSocket is open."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.sent_before, self.received_before = len(client.sent), len(client.received)
        self.right = b""  # what came back, and was right

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def send(self, *frames: bytes) -> None:
        """Send frames, or parts of them."""
        self.client.send(b"".join(frames))

    def gets(self, *frames: tuple[int, bytes], why: str, nudge: str) -> None:
        """Fail unless exactly these frames come next."""
        for opcode, payload in frames:
            expected = header(opcode, len(payload), masked=False) + payload
            with self.telling(why, nudge, expected):
                self.client.expect_bytes(expected)
            self.right += expected

    def is_silent(self, *, why: str, nudge: str) -> None:
        """Fail if there is an answer."""
        if not self.client.is_silent(0.02):
            with self.telling(why, nudge):
                self.client.fail("an answer, or the end", "no answer yet: there is more to come")

    def ends(self, *, why: str, nudge: str) -> None:
        """Fail unless the connection ends in order: without another byte, and without a reset."""
        with self.telling(why, nudge):
            self.client.expect_closed()
        if was_reset(self.client):
            with self.telling(RESET, "shutdown, then read until the client closes, then close."):
                self.client.fail("the connection was reset", "end-of-file")

    def closed_with(self, code: int, *, nudge: str) -> None:
        """Fail unless a close frame with this code comes, and then the end."""
        with self.telling(RULES, nudge, wanted=f"a close frame with the code {code}, and the end"):
            self.client.expect_bytes(b"\x88")
            rest = self.client.receive_all()
            if len(rest) < 3 or rest[0] != len(rest) - 1 or rest[1:3] != code.to_bytes(2, "big"):
                self.client.fail(short(b"\x88" + rest), "")
        self.ends(why=RULES, nudge=nudge)

    @contextmanager
    def telling(
        self, why: str, nudge: str, expected: bytes = b"", wanted: str = ""
    ) -> Iterator[None]:
        """Tell a failure in frames; the handshake is left out."""
        try:
            yield
        except Failed as failed:
            message, client = failed.message, self.client
            sent = client.sent[self.sent_before :]
            received = client.received[self.received_before :]
            message.called = f"opened a WebSocket and sent {short(sent, 120)}"
            _, hung, rest = message.got.partition(", then nothing")
            message.got = f"{short(received)}{hung}{rest}" if hung else message.got
            message.why, message.nudge = why, nudge
            message.wire, message.expected = None, wanted or message.expected
            if len(sent) + len(received) < 1000:
                whole = self.right + expected if expected else None
                message.wire = Wire(sent, received, whole, command(client.sent))
            raise


def shake_hands(
    client: Client, accept: bytes = ACCEPT, nudge: str = "Answer as in the stub."
) -> Peer:
    """Read the answer to a handshake; fail unless it opens the WebSocket."""
    try:
        first, *lines = client.receive_until(b"\r\n\r\n", "a 101 response").split(b"\r\n")[:-2]
    except Failed as failed:
        failed.message.why, failed.message.nudge = OPENING, nudge
        raise
    fields = [tuple(map(bytes.strip, line.split(b":", 1))) for line in lines]
    found = {name.lower(): value for name, value in fields}
    if not first.startswith(b"HTTP/1.1 101 "):
        client.fail(repr(first), "HTTP/1.1 101 …", why=OPENING, nudge=nudge)
    named = {name: found.get(name, b"").lower() for name in (b"upgrade", b"connection")}
    right = named == {b"upgrade": b"websocket", b"connection": b"upgrade"}
    if not right or found.get(b"sec-websocket-accept") != accept:
        client.fail(f"the fields {fields}", f"Upgrade, Connection, and an accept of {accept!r}",
                    why=OPENING, nudge=nudge)  # fmt: skip
    peer = Peer(client)
    peer.received_before = client.received.index(b"\r\n\r\n") + 4
    peer.sent_before = client.sent.index(b"\r\n\r\n") + 4
    return peer


def opened(server: Server, *frames: bytes) -> Peer:
    """Open a WebSocket, and then send frames."""
    peer = shake_hands(server.exchange(asking()))
    peer.send(*frames)
    return peer


def was_reset(client: Client) -> bool:
    """Tell whether the connection ended with a reset: then it no longer knows its peer."""
    try:
        client.connection.getpeername()
    except OSError:
        return True
    return False


def pattern(size: int) -> bytes:
    """A payload of this size, without much repetition."""
    return b"".join(number.to_bytes(3, "big") for number in range(size // 3 + 1))[:size]


@fresh
def check_hello(learner: Learner) -> None:
    """Opens a WebSocket and echoes a text, for one client and for the next."""
    server = Server(learner, "serve")
    for key in (KEY, b"XAAAAAAAAAAAAAAAAAAAAA=="):
        accept = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        with shake_hands(server.exchange(asking(key=key)), accept) as peer:
            for text in (b"Hello", "Grüße".encode()):
                peer.send(client_frame(TEXT, text))
                peer.gets((TEXT, text), why="the docstring: it echoes", nudge="As it is.")


@fresh
def check_handshake(learner: Learner) -> None:
    """Reads the handshake of any browser, in any pieces."""
    server = Server(learner, "serve")
    nudge = "Names have no case; a list has commas; the space after a colon is optional."
    for fields in (
        (b"Upgrade: websocket", b"Connection: keep-alive, Upgrade"),
        (b"UPGRADE:WebSocket", b"connection:\tupgrade "),
        (b"upgrade: h2c , websocket", b"Connection: keep-alive", b"Connection: upgrade,x"),
        (b"Upgrade:websocket", b"Connection: Upgrade", b"Origin: http://127.0.0.1:8000"),
        (b"Upgrade: websocket", b"Connection: Upgrade", b"Connection: x"),
    ):
        head = asking(*fields)
        for data in (head, head.replace(b"Sec-WebSocket-Key: ", b"sec-websocket-key:")):
            with server.exchange(data) as client:
                shake_hands(client, nudge=nudge)
    nudge = "The head ends with an empty line."
    with server.connect() as client:
        client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (asking()[:9], asking()[9:60]):
            client.send(piece)
            if not client.is_silent(0.02):
                client.fail("an answer, or the end", "no answer yet", why=STREAM, nudge=nudge)
        client.send(asking()[60:])
        shake_hands(client, nudge=nudge)


@fresh
def check_refusals(learner: Learner) -> None:
    """Answers 400 to what is no handshake."""
    server = Server(learner, "serve")
    nudge = "Look before you answer 101: method, Upgrade, Connection, key."
    for data in (
        asking(key=None), asking(b"Accept: */*"), asking(method=b"POST"),
        asking(b"Upgrade: websocket"), asking(b"Connection: Upgrade"),
        asking(b"Upgrade: websockets", b"Connection: Upgrade"),
        asking(b"Upgrade: websocketX", b"Connection: Upgrade"),
        asking(b"Upgrade: websocket", b"Connection: upgrades, keep-alive"),
    ):  # fmt: skip
        with server.exchange(data) as client:
            head = client.receive_until(b"\r\n\r\n", "a 400 response")
            if (
                not head.startswith(b"HTTP/1.1 400 ")
                or b"\r\nconnection: close" not in head.lower()
            ):
                client.fail(repr(head), "status 400, and Connection: close", why=OPENING,
                            nudge=nudge)  # fmt: skip
            client.receive_all("end-of-file")


@fresh
def check_pieces(learner: Learner) -> None:
    """Reads frames that come in pieces, or all at once, or right behind the handshake."""
    server = Server(learner, "serve")
    first, second = client_frame(TEXT, b"soup"), client_frame(TEXT, b"x" * 100)
    nudge = "Read until all of it is there, and keep what came too early for the next frame."
    with opened(server) as peer:
        peer.client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for data, text in ((first, b"soup"), (second, b"x" * 100)):
            for piece in (data[:1], data[1:2], data[2:3], data[3:6], data[6:-1]):
                peer.send(piece)
                peer.is_silent(why=STREAM, nudge=nudge)
            peer.send(data[-1:])
            peer.gets((TEXT, text), why=STREAM, nudge=nudge)
    with opened(server, first * 50) as peer:
        peer.gets(*[(TEXT, b"soup")] * 50, why=STREAM, nudge=nudge)
    with shake_hands(server.exchange(asking() + first + second + first)) as peer:
        peer.gets((TEXT, b"soup"), (TEXT, b"x" * 100), (TEXT, b"soup"), why=STREAM,
                  nudge="What came with the head is not part of it, and not lost.")  # fmt: skip


@fresh
def check_lengths(learner: Learner) -> None:
    """Echoes messages of every length, text and binary."""
    server = Server(learner, "serve")
    with opened(server, client_frame(BINARY, b"1"), client_frame(TEXT, b"2")) as peer:
        peer.gets((BINARY, b"1"), (TEXT, b"2"), why="RFC 6455 §5.6: text or binary",
                  nudge="The kind of the message is the kind of its echo.")  # fmt: skip
    for size in (0, 125, 126, 127, 255, 256, 65_535, 65_536, 100_003, LIMIT):
        data = pattern(size)
        with opened(server, client_frame(BINARY, data), client_frame(TEXT, b"on")) as peer:
            nudge = "Three forms of the length, in both directions. And nothing is a message, too."
            peer.gets((BINARY, data), (TEXT, b"on"), why=LENGTHS, nudge=nudge)


@fresh
def check_control(learner: Learner) -> None:
    """Answers pings, and only pings."""
    server = Server(learner, "serve")
    nudge = "Who pings wants a pong. Who sends a pong wants nothing."
    for payload in (b"", b"are you there?", b"x" * 125):
        pong, ping = client_frame(PONG, payload), client_frame(PING, payload)
        with opened(server, pong, ping, client_frame(TEXT, b"on")) as peer:
            peer.gets((PONG, payload), (TEXT, b"on"), why=CONTROL, nudge=nudge)


@fresh
def check_fragments(learner: Learner) -> None:
    """Puts fragments together, and answers what comes in between."""
    server = Server(learner, "serve")
    nudge = "A frame is not a message. FIN says that the message ends; remember its kind till then."

    def part(opcode: int, data: bytes) -> bytes:
        return client_frame(opcode, data, fin=False)

    with opened(server, part(BINARY, b"to"), part(CONTINUATION, b"")) as peer:
        peer.send(client_frame(PING, b"?"), client_frame(PONG, b"!"), part(CONTINUATION, b"ma"))
        peer.gets((PONG, b"?"), why=FRAGMENTS, nudge="A ping does not wait for the message.")
        peer.is_silent(why=FRAGMENTS, nudge=nudge)
        peer.send(client_frame(CONTINUATION, b"to"), client_frame(TEXT, b"next"))
        peer.gets((BINARY, b"tomato"), (TEXT, b"next"), why=FRAGMENTS, nudge=nudge)
    text = "Grüße, 🍅".encode()
    pieces = [part(TEXT, text[:3]), part(CONTINUATION, text[3:11]), part(CONTINUATION, text[11:])]
    with opened(server, *pieces, client_frame(CONTINUATION, b"")) as peer:
        peer.gets((TEXT, text), why="RFC 6455 §5.6: the whole message is UTF-8",
                  nudge="A character may be cut in two. Decode when it is complete.")  # fmt: skip


@fresh
def check_close(learner: Learner) -> None:
    """Says close when the client does, and ends the connection in order."""
    server = Server(learner, "serve")
    nudge = "The same payload back, once, then the end."
    for payload in (b"\x03\xe8bye", b"\x0f\xa0", b""):
        with opened(server, client_frame(TEXT, b"a"), client_frame(CLOSE, payload)) as peer:
            peer.gets((TEXT, b"a"), (CLOSE, payload), why=ENDS, nudge=nudge)
            peer.ends(why=ENDS, nudge=nudge)
    with opened(server, client_frame(TEXT, b"un", fin=False), client_frame(CLOSE, b"")) as peer:
        peer.gets((CLOSE, b""), why=ENDS, nudge="Also in the middle of a message.")
        peer.ends(why=ENDS, nudge=nudge)
        server.settles(
            server.connections, 0, "open connections", called="close, answered; the client stays",
            why=RESET, nudge="The client has a second, and not for ever.",
        )  # fmt: skip
    for _ in range(TRIES):
        if ends_while_talking(server, nudge) < PAUSE_S:
            break
    late = client_frame(PING, b"late") + client_frame(BINARY, bytes(60_000))
    with opened(server, client_frame(CLOSE, b"\x03\xe8") + late) as peer:
        with peer.telling(RESET, "shutdown, then read until the client closes, then close."):
            got = peer.client.receive_all("a close frame, then end-of-file")
            if got != b"\x88\x02\x03\xe8" or was_reset(peer.client):
                found = "the connection was reset" if was_reset(peer.client) else f"{short(got)}"
                peer.client.fail(found, "the close frame, then end-of-file")


def ends_while_talking(server: Server, nudge: str) -> float:
    """Fail unless the connection ends while the client goes on talking.

    Returns for how long it did not, just before the end: our machine may have stood still.
    """
    spoke = time.monotonic()
    with opened(server, client_frame(CLOSE, b"\x03\xe8")) as peer:
        peer.gets((CLOSE, b"\x03\xe8"), why=ENDS, nudge=nudge)
        for _ in range(30):
            if not peer.client.is_silent(0.05):
                return time.monotonic() - spoke
            spoke = time.monotonic()
            peer.send(client_frame(PONG, b""))
        with peer.telling(RESET, "SHUT_WR says at once: nothing more will come. close() may"
                          " have to wait."):  # fmt: skip
            peer.client.fail("the close frame, and no end while the client goes on talking",
                             "the close frame, then end-of-file")  # fmt: skip


@fresh
def check_rules(learner: Learner) -> None:
    """Closes with 1002 when a rule of framing is broken, as soon as it is seen."""
    server = Server(learner, "serve")
    begun, bare = client_frame(TEXT, b"so", fin=False), header(TEXT, 4, masked=False)
    end = client_frame(CONTINUATION, b"up")
    for data, nudge in (
        (bare + b"soup", "§5.1: the first bit of the second byte says whether there is a mask."),
        (header(PING, 0, masked=False), "§5.1: control frames have a mask as well."),
        *((client_frame(TEXT, b"soup", rsv=rsv), "§5.2: three bits for extensions; here are none.")
          for rsv in (1, 2, 4)),
        *((client_frame(opcode, b""), "§5.2: six opcodes, and the others are reserved.")
          for opcode in (3, 7, 11, 15)),
        *((client_frame(opcode, b"", fin=False), "§5.5: control frames come in one piece.")
          for opcode in (PING, PONG, CLOSE)),
        *((client_frame(opcode, b"\x03\xe8" * 63), "§5.5: control frames: 125 bytes at most.")
          for opcode in (PING, PONG, CLOSE)),
        (client_frame(CONTINUATION, b"soup"), "§5.4: what does it continue?"),
        (begun + client_frame(TEXT, b"a") + end, "§5.4: the last message has not ended."),
        (begun + client_frame(BINARY, b"a", fin=False) + end, "§5.4: it has not ended."),
        (header(PONG, 126)[:2], "Two bytes say it. Judge before you wait for more."),
        (bare, "Two bytes say it. Judge before you wait for more."),
    ):  # fmt: skip
        on = client_frame(TEXT, b"on") if len(data) > 2 else b""
        with opened(server, data + on) as peer:
            peer.closed_with(1002, nudge=nudge)
    with opened(server, begun + end, client_frame(CONTINUATION, b"a")) as peer:
        peer.gets((TEXT, b"soup"), why=FRAGMENTS, nudge="That was a whole message.")
        peer.closed_with(1002, nudge="§5.4: that message had ended.")


@fresh
def check_size(learner: Learner) -> None:
    """Closes with 1009 when too much is announced."""
    server = Server(learner, "serve")
    nudge = "The length says it, and what came before counts. Nobody waits for a petabyte."
    half = pattern(LIMIT // 2)
    begun, on = client_frame(BINARY, half, fin=False), client_frame(CONTINUATION, half, fin=False)
    for data in (
        client_frame(BINARY, bytes(LIMIT + 1)), begun + client_frame(CONTINUATION, half + b"1"),
        begun + on + client_frame(CONTINUATION, b"1"), header(TEXT, 1 << 50),
        header(TEXT, (1 << 63) - 1, fin=False),
    ):  # fmt: skip
        with opened(server, data) as peer:
            peer.closed_with(1009, nudge=nudge)
    with opened(server, begun, client_frame(CONTINUATION, half)) as peer:
        peer.gets((BINARY, half + half), why="the docstring: up to 131,072 bytes",
                  nudge="That much is allowed.")  # fmt: skip
        peer.send(client_frame(BINARY, half + half))
        peer.gets((BINARY, half + half), why="the docstring: for each message",
                  nudge="A new message begins to count from 0.")  # fmt: skip
    ping, close = client_frame(PING, b"?"), client_frame(CLOSE, b"\x03\xe8")
    with opened(server, begun, on, ping, close) as peer:
        nudge = "A control frame is no part of the message, however full that is."
        peer.gets((PONG, b"?"), (CLOSE, b"\x03\xe8"), why=FRAGMENTS, nudge=nudge)


@fresh
def check_utf8(learner: Learner) -> None:
    """Closes with 1007 when a text is not UTF-8."""
    server = Server(learner, "serve")
    nudge = "Try to decode it. Of binary messages nobody asks that."
    for data in (b"\xff", b"caf\xe9", b"\xed\xa0\x80", b"\xc0\xaf", "🍅".encode()[:3]):
        with opened(server, client_frame(BINARY, data), client_frame(TEXT, data)) as peer:
            peer.gets((BINARY, data), why="RFC 6455 §5.6: binary is binary", nudge=nudge)
            peer.send(client_frame(TEXT, b"on"))
            peer.closed_with(1007, nudge=nudge)
    cut = client_frame(TEXT, b"caf", fin=False) + client_frame(CONTINUATION, b"\xc3")
    with opened(server, cut + client_frame(TEXT, b"on")) as peer:
        peer.closed_with(1007, nudge="It must end with a whole character.")


@fresh
def check_together(learner: Learner) -> None:
    """Serves several clients at once, and keeps their messages apart."""
    server = Server(learner, "serve")
    peers = [opened(server) for _ in range(3)]
    why = "the docstring: any number are served at once"
    nudge = "What belongs to one client is a local variable of its thread."
    for number, peer in enumerate(peers):
        peer.send(client_frame(TEXT, b"from %d" % number, fin=False), client_frame(PING, b""))
        peer.gets((PONG, b""), why=why, nudge=nudge)
    for number, peer in enumerate(peers):
        peer.send(client_frame(CONTINUATION, b", end"))
        peer.gets((TEXT, b"from %d, end" % number), why=why, nudge=nudge)
    for peer in peers:
        peer.client.close()


@fresh
def check_vanishing(learner: Learner) -> None:
    """Lets a client vanish anywhere, and keeps nothing of it."""
    server = Server(learner, "serve")
    why = "the docstring: it ends its own thread, and nothing else"
    nudge = "recv gives b'' for ever when the client has gone. And sending may raise OSError."
    idle = server.threads()
    whole = client_frame(TEXT, b"x" * 200)
    heads = (b"", b"GET /echo HTTP/1.1\r\nHost", asking()[:-2])
    for reset in (False, True):
        for data in (*heads, *(asking() + whole[:n] for n in (0, 1, 2, 3, 6, 8, 100))):
            client = server.exchange(data)
            if reset:
                linger = struct.pack("ii", 1, 0)
                client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.close()
        with opened(server, client_frame(TEXT, b"next")) as peer:  # now all others are inside
            peer.gets((TEXT, b"next"), why=why, nudge=nudge)
        called = "clients came, and " + ("were reset" if reset else "left")
        server.settles(server.connections, 0, "open connections", called=called, why=why,
                       nudge=nudge)  # fmt: skip
        server.settles(server.threads, idle, "threads", called=called, why=why, nudge=nudge)
    half = client_frame(TEXT, b"soup", fin=False)
    with shake_hands(server.exchange(asking() + half, shutdown=True)) as peer:
        with peer.telling(why, "Half a message is no message, and has no echo."):
            peer.client.expect_closed()
