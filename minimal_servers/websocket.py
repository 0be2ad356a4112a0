"""WebSocket as bytes: the handshake, and frames in both directions (RFC 6455). No socket anywhere.

Strategy
- As in ``http11``: the caller owns a ``bytearray`` and appends whatever arrived, the readers eat
  from its front. What is still missing is ``None``; what is wrong is ``WebSocketError``, which
  carries the code to close with.
- A rule is judged with the first byte that can break it: a frame that is too long is refused when
  it is announced, a text that is not UTF-8 in the middle of its fragment.
- Three layers: a frame is a head and its payload, a message is one data frame or several, and
  control frames come between the frames of a message but never inside one.

Not handled: extensions, hence no permessage-deflate (RFC 7692); ``Origin`` is for the application.
"""

import re
from base64 import b64encode
from codecs import getincrementaldecoder
from collections.abc import Generator, Iterable
from hashlib import sha1
from typing import NamedTuple

from minimal_servers import http11
from minimal_servers.http11 import BadRequest, Request

MAX_MESSAGE = 16 * 1024 * 1024  # bytes of payload, all fragments together
MAX_CONTROL = 125  # bytes of payload; RFC 6455 §5.5
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10  # opcodes; §5.2
NO_CODE, ABNORMAL = 1005, 1006  # what is reported, but never sent: §7.4.1

KEY = re.compile(rb"[+/0-9A-Za-z]{22}==")  # 16 bytes in base64; §4.2.1
VERSION = b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"  # §4.4
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # §1.3
OWN_FIELDS = {  # of the response: ours to send, or not allowed in a 101 (RFC 9110 §8.6)
    b"connection", b"upgrade", b"sec-websocket-accept", b"sec-websocket-protocol",
    b"sec-websocket-extensions", b"content-length", b"transfer-encoding",
}  # fmt: skip
Utf8Decoder = getincrementaldecoder("utf-8")


class WebSocketError(Exception):
    """The peer broke a rule. ``code`` is what to close with (§7.4.1), the text says which rule."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Handshake(NamedTuple):
    """What a checked opening handshake asks for."""

    key: bytes  # b"dGhlIHNhbXBsZSBub25jZQ=="
    subprotocols: list[str]  # in the client's order of preference


class Event(NamedTuple):
    """One whole message, or one control frame."""

    opcode: int  # TEXT, BINARY, CLOSE, PING or PONG
    data: str | bytes  # str for TEXT, and for CLOSE, where it is the reason
    code: int = 0  # of CLOSE: 1005 if the frame has none (§7.1.5)


def wants_websocket(request: Request) -> bool:
    """Whether to answer with a handshake; otherwise it is a request like any other (§4.2.1)."""
    return (
        request.method == "GET"
        and request.minor == 1
        and b"websocket" in [name.lower() for name in listed(request, b"upgrade")]
        and b"upgrade" in [name.lower() for name in listed(request, b"connection")]
    )


def listed(request: Request, name: bytes) -> list[bytes]:
    """The elements of a list, which may be spread over several fields (RFC 9110 §5.3, §5.6.1)."""
    values = [value for field, value in request.headers if field == name]
    if not values:
        return values
    return [element.strip(b" \t") for element in b",".join(values).split(b",")]


def check_handshake(request: Request) -> Handshake:
    """The client's half of the handshake (§4.2.1). Raises BadRequest, with 400 or 426."""
    if request.length != 0:
        raise BadRequest("400 Bad Request", "a WebSocket handshake has no body")
    if listed(request, b"sec-websocket-version") != [b"13"]:  # the answer names ours: §4.4
        raise BadRequest("426 Upgrade Required", "the only WebSocket version here is 13", VERSION)
    keys = listed(request, b"sec-websocket-key")
    if len(keys) != 1 or KEY.fullmatch(keys[0]) is None:
        raise BadRequest("400 Bad Request", "Sec-WebSocket-Key must be one value of 16 bytes")
    names = listed(request, b"sec-websocket-protocol")
    if not all(map(http11.is_token, names)) or len(set(names)) < len(names):  # §4.1, item 10
        raise BadRequest("400 Bad Request", "malformed or repeated subprotocol")
    return Handshake(keys[0], [name.decode() for name in names])


def accept_head(
    key: bytes, subprotocol: str | None, fields: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """The server's half of the handshake, all of it (§4.2.2). ``fields`` are sent as well.

    Raises ValueError if a field is malformed or not the caller's to set.
    """
    accept = b64encode(sha1(key + GUID, usedforsecurity=False).digest())
    own = [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")]
    own.append((b"Sec-WebSocket-Accept", accept))
    if subprotocol is not None:
        if not http11.is_token(subprotocol.encode()):
            raise ValueError(f"illegal subprotocol {subprotocol!r} (RFC 6455 §4.1)")
        own.append((b"Sec-WebSocket-Protocol", subprotocol.encode()))
    more = list(fields)
    for name, _ in more:
        if name.lower() in OWN_FIELDS:
            raise ValueError(f"header field {name!r} is the handshake's own (RFC 6455 §4.2.2)")
    lines = [http11.field_line(name, value) for name, value in own + more]
    return http11.response_head(b"101 Switching Protocols", lines)


class Message:
    """A data message while its frames arrive."""

    def __init__(self, opcode: int) -> None:
        self.opcode = opcode
        self.payload = bytearray()
        self.decode = Utf8Decoder().decode if opcode == TEXT else None

    def add(self, piece: bytes, final: bool = False) -> None:
        """Append; a text is checked so far as it has arrived (§8.1)."""
        self.payload += piece
        if self.decode is not None:
            try:
                self.decode(piece, final)
            except UnicodeDecodeError as error:
                raise WebSocketError(1007, "a text must be UTF-8") from error

    def event(self) -> Event:
        """The whole message. Raises WebSocketError if a text ends within a character."""
        self.add(b"", final=True)
        if self.opcode == TEXT:
            return Event(TEXT, self.payload.decode())
        return Event(BINARY, bytes(self.payload))


def read_events(
    buffer: bytearray, max_message: int = MAX_MESSAGE
) -> Generator[Event | None, None, None]:
    """Iterate over what the client sends; None while ``buffer`` must be filled first.

    Ends after CLOSE: what follows has no meaning (§5.5.1). Raises WebSocketError.
    """
    message: Message | None = None  # the one under way; one at a time (§5.4)
    while True:
        final, opcode, length = parse_start((yield from take(buffer, 2)))
        check_order(opcode, message)
        if opcode >= CLOSE:
            key = yield from take(buffer, 4)
            yield control_event(opcode, unmask((yield from take(buffer, length)), key))
            if opcode == CLOSE:
                return
            continue
        message = message or Message(opcode)
        length = yield from take_length(buffer, length)
        if len(message.payload) + length > max_message:
            raise WebSocketError(1009, f"message over {max_message} bytes")
        key = yield from take(buffer, 4)
        yield from take_payload(buffer, length, key, message)
        if final:
            yield message.event()
            message = None


def take(buffer: bytearray, size: int) -> Generator[None, None, bytes]:
    """The next ``size`` bytes; yields while they are not all there."""
    while len(buffer) < size:
        yield None
    data = bytes(buffer[:size])
    del buffer[:size]
    return data


def parse_start(start: bytes) -> tuple[bool, int, int]:
    """The first two bytes of a frame: (FIN, opcode, length or its announcement) (§5.2)."""
    final, opcode, length = start[0] >= 0x80, start[0] & 0x0F, start[1] & 0x7F
    if start[0] & 0x70:
        raise WebSocketError(1002, "reserved bits belong to extensions, and there are none")
    if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
        raise WebSocketError(1002, f"reserved opcode {opcode}")
    if start[1] < 0x80:  # §5.1
        raise WebSocketError(1002, "a client must mask its frames")
    if opcode >= CLOSE and not (final and length <= MAX_CONTROL):  # §5.5
        raise WebSocketError(1002, f"a control frame is one frame of at most {MAX_CONTROL} bytes")
    return final, opcode, length


def check_order(opcode: int, message: Message | None) -> None:
    """Which data frame may come now (§5.4)."""
    if opcode == CONTINUATION and message is None:
        raise WebSocketError(1002, "there is no message to continue")
    if opcode in (TEXT, BINARY) and message is not None:
        raise WebSocketError(1002, "a message starts before the last one has ended")


def take_length(buffer: bytearray, length: int) -> Generator[None, None, int]:
    """The length of a data frame: itself, or announced by 126 or 127 (§5.2)."""
    if length < 126:
        return length
    size, least = (2, 126) if length == 126 else (8, 2**16)
    length = int.from_bytes((yield from take(buffer, size)), "big")
    if not least <= length < 2**63:
        raise WebSocketError(1002, "a length has one form, the shortest, and at most 63 bits")
    return length


def take_payload(
    buffer: bytearray, length: int, key: bytes, message: Message
) -> Generator[None, None, None]:
    """Move the payload of one frame into ``message``, each piece as it arrives."""
    for piece in http11.read_exactly(buffer, length):
        if piece is None:
            yield None
            continue
        message.add(unmask(piece, key))
        turn = len(piece) % 4  # subtle: the next piece may start in the middle of the key
        key = key[turn:] + key[:turn]


def unmask(data: bytes, key: bytes) -> bytes:
    """``data`` XOR ``key``, over and over (§5.3): as two long numbers, not byte by byte."""
    size = len(data)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


def control_event(opcode: int, payload: bytes) -> Event:
    """What a control frame says; CLOSE may give a code and then a reason (§5.5.1)."""
    if opcode != CLOSE:
        return Event(opcode, payload)
    if not payload:
        return Event(CLOSE, "", NO_CODE)
    code = int.from_bytes(payload[:2], "big")
    if not valid_close_code(code):
        raise WebSocketError(1002, "malformed or reserved close code")
    try:
        return Event(CLOSE, payload[2:].decode(), code)
    except UnicodeDecodeError as error:
        raise WebSocketError(1007, "the reason of a close must be UTF-8") from error


def valid_close_code(code: int) -> bool:
    """Whether a close frame may carry ``code``: §7.4.2, and what IANA has registered since."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole message, or one control frame. A server never masks (§5.1).

    Raises ValueError if a control frame has more than 125 bytes of payload.
    """
    size = len(payload)
    if opcode >= CLOSE and size > MAX_CONTROL:
        raise ValueError(f"a control frame has at most {MAX_CONTROL} bytes (RFC 6455 §5.5)")
    if size < 126:
        head = bytes((0x80 | opcode, size))
    elif size < 2**16:
        head = bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")
    return head + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; the codes that mean "none" and "lost" are sent as no code (§7.4.1).

    ``reason`` is cut to 123 bytes, at a character. Raises ValueError for any other bad code.
    """
    if code in (NO_CODE, ABNORMAL):
        return frame(CLOSE, b"")
    if not valid_close_code(code):
        raise ValueError(f"illegal close code {code} (RFC 6455 §7.4)")
    text = reason.encode()[: MAX_CONTROL - 2].decode(errors="ignore").encode()
    return frame(CLOSE, code.to_bytes(2, "big") + text)
