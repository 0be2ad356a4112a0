# Without a file: MSG_WAITALL lets the kernel wait; the head is read byte by byte.

"""Bug hunt: a WebSocket server that echoes, and keeps its promises."""

import socket
import threading
from base64 import b64encode
from email.parser import Parser
from hashlib import sha1
from itertools import cycle

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NAMES = {0: "more", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
REFUSAL = b"HTTP/1.1 400 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"


class Closing(Exception):
    """Say this in a close frame, and go."""


def serve(listener: socket.socket) -> None:
    """Serve every client in a thread of its own, for ever."""
    while True:
        threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()


def talk(connection: socket.socket) -> None:
    """One client, from hello to goodbye."""
    try:
        if open_websocket(connection):
            try:
                while True:
                    kind, message = next_message(connection)
                    send(connection, 1 if kind == "text" else 2, message)
            except Closing as goodbye:
                send(connection, 8, goodbye.args[0])
                leave(connection)
    except (OSError, EOFError):
        pass
    finally:
        connection.close()


def leave(connection: socket.socket) -> None:
    """In order, and soon."""
    connection.shutdown(socket.SHUT_WR)
    waiting = threading.Timer(0.5, connection.shutdown, [socket.SHUT_RD])
    waiting.start()
    while connection.recv(4096):
        pass
    waiting.cancel()
    waiting.join()


def exactly(connection: socket.socket, size: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data), socket.MSG_WAITALL)
        if not piece:
            raise EOFError
        data += piece
    return data


def open_websocket(connection: socket.socket) -> bool:
    """Shake hands."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(connection, 1)
    line, _, rest = head.decode("latin-1").partition("\r\n")
    fields = Parser().parsestr(rest, headersonly=True)

    def words(name: str) -> list[str]:
        return [word.strip().lower() for word in ",".join(fields.get_all(name, [])).split(",")]

    key = (fields["sec-websocket-key"] or "").strip()
    if "websocket" not in words("upgrade") or "upgrade" not in words("connection"):
        key = ""
    if not line.startswith("GET ") or not key:
        connection.sendall(REFUSAL)
        return False
    accept = b64encode(sha1(key.encode() + GUID).digest()).decode()
    lines = ["HTTP/1.1 101 Welcome", "connection: upgrade", "upgrade: websocket"]
    connection.sendall("\r\n".join([*lines, f"sec-websocket-accept: {accept}", "", ""]).encode())
    return True


def next_message(connection: socket.socket) -> tuple[str, bytes]:
    """The next message; pings are answered on the way."""
    kind = ""
    pieces: list[bytes] = []
    while True:
        final, name, payload = next_frame(connection, kind, sum(map(len, pieces)))
        if name == "ping":
            send(connection, 10, payload)
        elif name == "close":
            raise Closing(payload)
        elif name != "pong":
            pieces.append(payload)
            kind = kind or name
            if final:
                break
    message = b"".join(pieces)
    if kind == "text":
        try:
            str(message, "utf-8")
        except UnicodeDecodeError:
            complain(1007, "not UTF-8")
    return kind, message


def next_frame(connection: socket.socket, kind: str, before: int) -> tuple[bool, str, bytes]:
    """One frame."""
    one, two = exactly(connection, 2)
    final, reserved, opcode = bool(one >> 7), one >> 4 & 7, one & 15
    masked, length = two >> 7, two & 127
    control = opcode > 7
    rules = {
        "reserved bits": not reserved,
        "reserved opcode": opcode in NAMES,
        "no mask": masked,
        "fragmented control frame": final or not control,
        "long control frame": length < 126 or not control,
        "no message to continue": opcode != 0 or kind,
        "message not ended": opcode not in (1, 2) or not kind,
    }
    for rule, kept in rules.items():
        if not kept:
            complain(1002, rule)
    if length > 125:
        length = int.from_bytes(exactly(connection, {126: 2, 127: 8}[length]), "big")
    if not control and before + length > 131_072:
        complain(1009, "too long")
    key = exactly(connection, 4)
    payload = bytes(a ^ b for a, b in zip(exactly(connection, length), cycle(key), strict=False))
    return final, NAMES[opcode], payload


def complain(code: int, reason: str) -> None:
    """Close with a code and a reason."""
    raise Closing(code.to_bytes(2, "big") + reason.encode())


def send(connection: socket.socket, opcode: int, payload: bytes) -> None:
    """One frame to the client."""
    size = len(payload)
    if size <= 125:
        head = bytes([128 + opcode, size])
    else:
        short = size <= 0xFFFF
        head = bytes([128 + opcode, 126 if short else 127]) + size.to_bytes(
            2 if short else 8, "big"
        )
    connection.sendall(head)
    connection.sendall(payload)
