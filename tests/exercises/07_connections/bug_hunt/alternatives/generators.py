# Sans-I/O: a generator eats from a buffer and says what to send; the thread only moves bytes.

"""Bug hunt: a WebSocket server that echoes, and keeps its promises."""

import re
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Generator
from hashlib import sha1

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LIMIT = 131_072
Steps = Generator[bytes | None, None, None]


class Wrong(Exception):
    """A rule was broken."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def serve(listener: socket.socket) -> None:
    """Serve every client in a thread of its own, for ever."""
    while True:
        connection, _ = listener.accept()
        thread = threading.Thread(target=pump, args=(connection,))
        thread.daemon = True
        thread.start()


def pump(connection: socket.socket) -> None:
    """Move bytes between the connection and the generator."""
    buffer = bytearray()
    with connection:
        try:
            for answer in conversation(buffer):
                if answer is not None:
                    connection.sendall(answer)
                elif data := connection.recv(65_536):
                    buffer.extend(data)
                else:
                    return
            connection.shutdown(socket.SHUT_WR)
            end = time.monotonic() + 0.8
            while (left := end - time.monotonic()) > 0:
                connection.settimeout(left)
                if not connection.recv(65_536):
                    return
        except OSError:
            return


def conversation(buffer: bytearray) -> Steps:
    """Bytes to be sent, or None while more must be received."""
    while b"\r\n\r\n" not in buffer:
        yield None
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    buffer[:] = rest
    answer = shake_hands(head.decode("latin-1"))
    if answer is None:
        yield b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        return
    yield answer
    try:
        yield from echo(buffer)
    except Wrong as wrong:
        yield build(CLOSE, wrong.code.to_bytes(2, "big"))


def shake_hands(head: str) -> bytes | None:
    """The 101, or None."""
    first, *lines = head.split("\r\n")
    pairs = [(name.lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines)]

    def has(name: str, word: str) -> bool:
        values = ",".join(value for key, value in pairs if key == name)
        return word in re.split(r"[ \t]*,[ \t]*", values.lower())

    key = dict(pairs).get("sec-websocket-key")
    if not (first.startswith("GET ") and key):
        return None
    if not (has("upgrade", "websocket") and has("connection", "upgrade")):
        return None
    accept = b64encode(sha1(key.encode("latin-1") + GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
    )


def echo(buffer: bytearray) -> Steps:
    """Frames in, frames out."""
    kind, message = 0, bytearray()
    while True:
        yield from need(buffer, 2)
        final, opcode, size = buffer[0] & 0x80, buffer[0] & 0x0F, buffer[1] & 0x7F
        if buffer[0] & 0x70 or not buffer[1] & 0x80 or opcode in (*range(3, 8), *range(11, 16)):
            raise Wrong(1002)
        if opcode >= CLOSE and (not final or size > 125):
            raise Wrong(1002)
        if opcode < CLOSE and bool(opcode) == bool(kind):
            raise Wrong(1002)
        del buffer[:2]
        if size > 125:
            width = 2 if size == 126 else 8
            yield from need(buffer, width)
            size = int.from_bytes(buffer[:width], "big")
            del buffer[:width]
        if opcode < CLOSE and len(message) + size > LIMIT:
            raise Wrong(1009)
        yield from need(buffer, 4 + size)
        key, payload = bytes(buffer[:4]), bytearray(buffer[4 : 4 + size])
        del buffer[: 4 + size]
        for turn in range(4):
            payload[turn::4] = bytes(byte ^ key[turn] for byte in payload[turn::4])
        if opcode == CLOSE:
            yield build(CLOSE, payload)
            return
        if opcode == PING:
            yield build(PONG, payload)
        elif opcode != PONG:
            kind = kind or opcode
            message += payload
            if final:
                check_text(kind, message)
                yield build(kind, message)
                kind, message = 0, bytearray()


def need(buffer: bytearray, size: int) -> Steps:
    """Wait for so many bytes."""
    while len(buffer) < size:
        yield None


def check_text(kind: int, message: bytearray) -> None:
    """UTF-8, if it is a text."""
    try:
        if kind == TEXT:
            message.decode()
    except ValueError:
        raise Wrong(1007) from None


def build(opcode: int, payload: bytes | bytearray) -> bytes:
    """A frame without a mask."""
    size = len(payload)
    form = 0 if size < 126 else 2 if size < 65_536 else 8
    second = {0: size, 2: 126, 8: 127}[form]
    return bytes([0x80 | opcode, second]) + (size.to_bytes(form, "big") if form else b"") + payload
