# Ends its own side only when the client has fallen silent for a second.
# Message: called opened a WebSocket and sent
# Message: came back the close frame, and no end while the client goes on talking

"""Bug hunt: a WebSocket server that echoes, and keeps its promises."""

import socket
import threading
from base64 import b64encode
from contextlib import suppress
from hashlib import sha1
from typing import BinaryIO

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # §1.3
MAX_MESSAGE = 131_072


class RuleBroken(Exception):
    """The client broke a rule; the argument is the code to close with."""


def serve(listener: socket.socket) -> None:
    """Serve every client in a thread of its own, for ever."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=talk, args=(connection,), daemon=True).start()


def talk(connection: socket.socket) -> None:
    """Open the WebSocket, and echo until the client closes it."""
    with connection, connection.makefile("rb") as received, suppress(OSError, EOFError):
        if not open_websocket(connection, received):
            return
        try:
            last_words = echo(connection, received)
        except RuleBroken as error:
            last_words = error.args[0].to_bytes(2, "big")
        connection.sendall(frame(CLOSE, last_words))
        hang_up(connection)


def hang_up(connection: socket.socket) -> None:
    """End our side, and read the rest: to close with something unread is a reset (§7.1.1)."""
    connection.settimeout(1.0)
    while connection.recv(65_536):
        pass


def open_websocket(connection: socket.socket, received: BinaryIO) -> bool:
    """Read the request and answer it; tell whether the WebSocket is open."""
    method = read_line(received).partition(" ")[0]
    fields: dict[str, str] = {}
    while line := read_line(received):
        name, _, value = line.partition(":")
        fields.setdefault(name.lower(), "")
        fields[name.lower()] += "," + value
    key = fields.get("sec-websocket-key", "").strip(", \t")
    asks = listed(fields, "upgrade", "websocket") and listed(fields, "connection", "upgrade")
    if method != "GET" or not asks or not key:
        connection.sendall(
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        return False
    accept = b64encode(sha1(key.encode() + GUID).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    return True


def read_line(received: BinaryIO) -> str:
    """Return one line of the head, without its end; raises EOFError."""
    line = received.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return line.decode("latin-1").rstrip("\r\n")


def listed(fields: dict[str, str], name: str, word: str) -> bool:
    """Tell whether a word is in a list with commas."""
    return word in [element.strip(" \t").lower() for element in fields.get(name, "").split(",")]


def echo(connection: socket.socket, received: BinaryIO) -> bytes:
    """Echo until the close, and return its payload. Raises RuleBroken and EOFError."""
    kind, message = CONTINUATION, b""  # of the message under way, if it has a kind
    while True:
        final, opcode, payload = read_frame(received, kind, MAX_MESSAGE - len(message))
        if opcode == PING:
            connection.sendall(frame(PONG, payload))
        elif opcode == CLOSE:
            return payload
        elif opcode != PONG:
            kind, message = kind or opcode, message + payload
            if final:
                connection.sendall(frame(kind, checked(kind, message)))
                kind, message = CONTINUATION, b""


def read_frame(received: BinaryIO, kind: int, room: int) -> tuple[bool, int, bytes]:
    """Return the next frame: FIN, opcode, payload. Raises RuleBroken and EOFError."""
    first, second = take(received, 2)
    final, opcode, length = first >= 0x80, first & 0x0F, second & 0x7F
    if first & 0x70 or opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
        raise RuleBroken(1002)
    if second < 0x80:
        raise RuleBroken(1002)
    if opcode >= CLOSE:
        if not final or length > 125:
            raise RuleBroken(1002)
    elif (opcode == CONTINUATION) != (kind != CONTINUATION):
        raise RuleBroken(1002)
    if length > 125:
        length = int.from_bytes(take(received, 2 if length == 126 else 8), "big")
    if opcode < CLOSE and length > room:
        raise RuleBroken(1009)
    key = take(received, 4)
    payload = take(received, length)
    return final, opcode, bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def take(received: BinaryIO, size: int) -> bytes:
    """Return exactly so many bytes; raises EOFError when the client has gone."""
    data = received.read(size)
    if len(data) < size:
        raise EOFError
    return data


def checked(kind: int, message: bytes) -> bytes:
    """Return the message. Raises RuleBroken if it is a text that is not UTF-8."""
    if kind == TEXT:
        try:
            message.decode()
        except UnicodeDecodeError as error:
            raise RuleBroken(1007) from error
    return message


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a whole frame from server to client."""
    size = len(payload)
    if size < 126:
        return bytes([0x80 | opcode, size]) + payload
    if size < 65_536:
        return bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big") + payload
    return bytes([0x80 | opcode, 127]) + size.to_bytes(8, "big") + payload
