"""A conversation over a WebSocket, frame by frame, with the bytes of both sides."""

import base64
import hashlib
import os
import re
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from playground.load.checks import check_headers, check_seconds, check_whole, quoted
from playground.load.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    NO_CLOSE,
    PING,
    PONG,
    TEXT,
    Frame,
    close_code,
    read_frame,
)
from playground.load.raw import Place, address_of, escaped, picture
from playground.setups.catalogue import ServeError

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
HEAD_LIMIT = 1 << 16  # bytes of a handshake
LIMIT = 16 << 20  # bytes of frames that are read
MOST_TURNS = 10_000
SHOWN_BYTES = 16  # of a frame, in the picture

Message = str | bytes | Frame


@dataclass(frozen=True)
class Turn:
    """What one side said at once: a handshake (``frame`` is None) or one frame. ``seconds`` count
    from the connection.
    """

    side: str  # "client" or "server"
    wire: bytes
    frame: Frame | None
    meaning: str
    seconds: float

    def lines(self) -> list[str]:
        """The bytes and, of a frame, what they mean."""
        if self.frame is None:
            return escaped(self.wire)
        return [f"{_hex(self.wire)}  {self.meaning}"]


@dataclass
class Conversation:
    """All turns of both sides, and what came of them.

    ``status`` is of the handshake: 101, or why there was none. ``messages`` are the server's.
    ``close_code`` is the server's: 1005 of a frame without a code, 1006 if it ended without one,
    None while it is open, or if it never was a WebSocket.
    """

    address: str
    turns: list[Turn] = field(default_factory=list)
    status: int | None = None
    subprotocol: str | None = None
    messages: list[str | bytes] = field(default_factory=list)
    close_code: int | None = None
    close_reason: str = ""
    ending: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = [f"connected to {self.address}"]
        for turn in self.turns:
            lines += [f"{'→' if turn.side == 'client' else '←'} {line}" for line in turn.lines()]
        return "\n".join([*lines, f"  {self.ending} after {self.seconds:.2f} s"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [("", f"connected to {self.address}")]
        for turn in self.turns:
            side = "→ sent" if turn.side == "client" else "← received"
            rows += [("" if index else side, line) for index, line in enumerate(turn.lines())]
        return picture([*rows, ("", f"{self.ending} after {self.seconds:.2f} s")])


def talk(
    server: Place,
    path: str = "/ws",
    messages: Sequence[Message] | Message = (),
    *,
    subprotocols: Sequence[str] = (),
    headers: dict[str, str] | None = None,
    listen: int = 0,
    close: bool = True,
    timeout: float = 5.0,
    quiet: float = 0.3,
) -> Conversation:
    """Open a WebSocket, say ``messages`` one after the other, and return the whole conversation.

    Text becomes a text frame, bytes a binary one, a ``Frame`` is sent exactly as it is, allowed or
    not. After each it waits up to ``quiet`` seconds for something to come back; after the last it
    goes on until ``listen`` messages of the server have come. Pings and the server's close are
    answered. Then it closes with 1000; with ``close=False`` it just cuts the connection. No step
    takes longer than ``timeout`` seconds.

    ``server`` is a server or an address of this machine, as in ``raw``. Raises ``ServeError`` for
    another machine, for what is no message, and if nothing listens there.
    """
    host, port = address_of(server, "talk")
    said = _frames(messages)
    check_headers(headers)
    check_seconds("timeout", timeout)
    check_seconds("quiet", quiet)
    check_whole("listen", listen, 0)
    request, key = _handshake(f"{host}:{port}", quoted(path), subprotocols, headers)
    start = time.monotonic()
    try:
        connection = socket.create_connection((host, port), timeout)
    except OSError as error:
        problem = error.strerror or error
        raise ServeError(f"Nothing answers at {host}:{port} ({problem}).") from error
    talking = _Talk(Conversation(f"{host}:{port}"), connection, start, timeout)
    with connection:
        if talking.shake_hands(request, key):
            talking.say(said, quiet)
            talking.hear(lambda: len(talking.told.messages) >= listen, timeout)
            talking.end(close)
    talking.told.seconds = time.monotonic() - start
    return talking.told


class _Talk:
    """The connection while it lasts. ``over`` is set when nothing more can be said."""

    def __init__(
        self, told: Conversation, connection: socket.socket, start: float, timeout: float
    ) -> None:
        self.told, self._connection, self._start, self._timeout = told, connection, start, timeout
        self._buffer, self._parts = bytearray(), bytearray()
        self._kind, self._read, self.over = 0, 0, False
        self._we_closed = False
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def shake_hands(self, request: bytes, key: bytes) -> bool:
        """Whether there is a WebSocket now."""
        told = self.told
        self._send(request, None, "the handshake")
        head = self._read_head()
        found = re.match(rb"HTTP/1\.1 (\d{3})", head)
        told.status = int(found[1]) if found else None
        fields = dict(re.findall(rb"(?m)^([^:\r\n]+):[ \t]*([^\r\n]*?)[ \t]*\r$", head))
        named = {name.lower(): value for name, value in fields.items()}
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        if told.status == 101 and named.get(b"sec-websocket-accept") != accept:
            told.ending = "the server's Sec-WebSocket-Accept does not fit the key: hung up"
        elif told.status == 101:
            chosen = named.get(b"sec-websocket-protocol")
            told.subprotocol = chosen.decode("latin-1") if chosen else None
            return True
        elif told.status:
            told.ending = f"the server answered {told.status}, so there is no WebSocket: hung up"
        elif not told.ending:
            told.ending = "no answer to the handshake: hung up"
        return False

    def say(self, frames: list[Frame], quiet: float) -> None:
        """One after the other, with an ear for what comes back."""
        for frame in frames:
            if self.over or self.told.close_code is not None:
                return
            self._send(frame.to_bytes(), frame, "")
            self._we_closed = self._we_closed or frame.opcode == CLOSE
            self.hear(self._something_new(), quiet)

    def _something_new(self) -> Callable[[], bool]:
        before = len(self.told.turns)
        return lambda: len(self.told.turns) > before

    def hear(self, enough: Callable[[], bool], seconds: float) -> None:
        """Read until it is enough, the time is up, or the other side has ended."""
        end = time.monotonic() + seconds
        self._take()
        while not (self.over or enough()) and self._receive(end - time.monotonic()):
            self._take()

    def end(self, politely: bool) -> None:
        """Close, or cut."""
        told = self.told
        if self.over:
            return
        if not politely:
            told.ending = "cut without a close frame"
            return
        if not self._we_closed:
            self._send_close(b"\x03\xe8", "close 1000")
        self.hear(lambda: False, self._timeout)
        if not self.over:
            told.ending = f"the server did not close within {self._timeout:g} s: hung up"

    def _take(self) -> None:
        """Take whole frames out of the buffer."""
        while (found := read_frame(self._buffer)) is not None:
            frame, size = found
            wire = bytes(self._buffer[:size])
            del self._buffer[:size]
            self._note("server", wire, frame, str(frame))
            self._answer(frame)
            if len(self.told.turns) >= MOST_TURNS:
                self._hang_up(f"more than {MOST_TURNS} turns: hung up")
                return

    def _answer(self, frame: Frame) -> None:
        told = self.told
        if frame.opcode == PING:
            pong = Frame(PONG, frame.payload)
            self._send(pong.to_bytes(), pong, "")
        elif frame.opcode == CLOSE and told.close_code is None:
            told.close_code, told.close_reason = close_code(frame.payload)
            if not self._we_closed:
                code = frame.payload[:2]
                self._send_close(code, f"close {told.close_code}" if code else "close")
        elif frame.opcode in (TEXT, BINARY, CONTINUATION):
            self._kind = frame.opcode or self._kind
            self._parts += frame.payload
            if frame.fin:
                whole = bytes(self._parts)
                is_text = self._kind == TEXT
                told.messages.append(whole.decode(errors="replace") if is_text else whole)
                self._parts.clear()

    def _send_close(self, payload: bytes, meaning: str) -> None:
        self._we_closed = True
        frame = Frame(CLOSE, payload)
        self._send(frame.to_bytes(), frame, meaning)

    def _send(self, data: bytes, frame: Frame | None, meaning: str) -> None:
        self._note("client", data, frame, meaning or f"{frame}")
        try:
            self._connection.settimeout(self._timeout)
            self._connection.sendall(data)
        except TimeoutError:
            self._hang_up(f"the server read nothing for {self._timeout:g} s: hung up")
        except OSError:
            pass  # the server has gone; what it said before is read, and tells

    def _receive(self, seconds: float) -> bool:
        """Whether more has come in that time."""
        if seconds <= 0:
            return False
        self._connection.settimeout(seconds)
        try:
            block = self._connection.recv(65_536)
        except TimeoutError:
            return False
        except OSError as error:
            self._hang_up(f"the server reset the connection ({error.strerror or error})")
            return False
        if not block:
            self._hang_up("the server closed the connection")
            return False
        self._read += len(block)
        if self._read > LIMIT:
            self._hang_up(f"more than {LIMIT} bytes came: hung up")
            return False
        self._buffer += block
        return True

    def _read_head(self) -> bytes:
        end = time.monotonic() + self._timeout
        while b"\r\n\r\n" not in self._buffer and len(self._buffer) < HEAD_LIMIT:
            if not self._receive(end - time.monotonic()):
                break
        head, mark, _ = bytes(self._buffer).partition(b"\r\n\r\n")
        head += mark
        del self._buffer[: len(head)]
        if head:
            self._note("server", head, None, "the answer to the handshake")
        return head

    def _hang_up(self, ending: str) -> None:
        told, self.over = self.told, True
        told.ending = ending
        if told.status == 101 and told.close_code is None:
            told.close_code = NO_CLOSE

    def _note(self, side: str, wire: bytes, frame: Frame | None, meaning: str) -> None:
        seconds = time.monotonic() - self._start
        self.told.turns.append(Turn(side, wire, frame, meaning, seconds))


def _frames(messages: Sequence[Message] | Message) -> list[Frame]:
    """What to send. Raises ``ServeError`` for what is no message."""
    several = [messages] if isinstance(messages, str | bytes | Frame) else messages
    if not isinstance(several, list | tuple):
        raise ServeError(f"messages are a list such as ['Hello', b'bytes'], not {messages!r}.")
    frames = []
    for message in several:
        if isinstance(message, Frame):
            frames.append(message)
        elif isinstance(message, str):
            frames.append(Frame(TEXT, message.encode()))
        elif isinstance(message, bytes):
            frames.append(Frame(BINARY, message))
        else:
            raise ServeError(
                f"{message!r} is no message: talk() sends text, bytes, or Frame(opcode, payload)."
            )
    return frames


def _handshake(
    host: str, path: str, subprotocols: Sequence[str], headers: dict[str, str] | None
) -> tuple[bytes, bytes]:
    """The request of section 4.1, and its key."""
    if isinstance(subprotocols, str) or not all(isinstance(one, str) for one in subprotocols):
        raise ServeError(f"subprotocols= is a list of names, not {subprotocols!r}.")
    key = base64.b64encode(os.urandom(16))
    fields = {
        "Host": host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key.decode(),
        "Sec-WebSocket-Version": "13",
    }
    if subprotocols:
        fields["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
    check_headers(fields)
    lines = [f"{name}: {value}" for name, value in {**fields, **(headers or {})}.items()]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode("latin-1"), key


def _hex(wire: bytes) -> str:
    more = f" … {len(wire) - SHOWN_BYTES} more" if len(wire) > SHOWN_BYTES else ""
    return wire[:SHOWN_BYTES].hex(" ") + more
