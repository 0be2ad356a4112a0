"""Bug hunt: a WebSocket server that echoes, as long as you speak clearly.

Open it from a browser, send "Hello", and "Hello" comes back. It also breaks a good dozen promises
of RFC 6455, some with the second message, some with a longer one, some with a client that is rude.
Find them and repair them; the grader names one at a time.

What this server promises. Every client has a thread of its own, and any number are served at once.

The opening handshake (§4.2)
- It may arrive in any pieces, and the first frames right behind it. No byte is lost.
- Names of fields have no case. Connection and Upgrade are lists with commas, in any case of
  letters: `Connection: keep-alive, Upgrade` is one as well (RFC 9110 §7.6.1, §7.8).
- A request that is not a GET, or does not ask for an upgrade to websocket, or has no
  Sec-WebSocket-Key: 400, with Connection: close, and the end.

Messages (§5.4, §5.6)
- Each message comes back as one frame of the same kind: text as text, binary as binary, and an
  empty one as an empty one. The frame has no mask, and the shortest form of the length (§5.2).
- Frames may arrive in any pieces, and several at once. Messages have up to 131,072 bytes.
- A message in fragments comes back when it is complete. Between fragments there may be control
  frames, which are answered at once.
- A ping is answered with a pong of the same payload (§5.5.2), and a pong with nothing (§5.5.3).

The end (§5.5.1, §7.1)
- A close frame is answered with one of the same payload, which is well-formed here. Nothing is sent
  after it. End your own side (shutdown), read what may still come, for a second at most, and close.
  Who closes with something unread resets the connection: last words get lost (§7.1.1).
- Who breaks a rule gets a close frame with a code, a reason if you like, and the same end (§7.4.1):
  - 1002: no mask (§5.1), a reserved bit or a reserved opcode (§5.2); a control frame without FIN or
    with more than 125 bytes (§5.5); a continuation of nothing, or a new message before the last one
    has ended (§5.4). Judge the two bytes that say so, and wait for no more.
  - 1009: a message over 131,072 bytes, all fragments together. Judge the announced length: the
    payload may never come.
  - 1007: a text that is not UTF-8 (§8.1). At the end of the message is early enough. A character
    may be cut in two by fragments.
- A client that vanishes, wherever it is, ends its own thread, and nothing else.
"""

import socket
import threading
from base64 import b64encode
from hashlib import sha1

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # §1.3


def serve(listener: socket.socket) -> None:
    """Serve every client in a thread of its own, for ever."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=talk, args=(connection,), daemon=True).start()


def talk(connection: socket.socket) -> None:
    """Open the WebSocket, and echo until the client closes it."""
    open_websocket(connection)
    while True:
        opcode, payload = read_frame(connection)
        if opcode == CLOSE:
            break
        connection.sendall(frame(opcode, payload))
    connection.close()


def open_websocket(connection: socket.socket) -> None:
    """Read the request and answer it."""
    head = connection.recv(65_536).decode("latin-1")
    fields = dict(line.split(": ") for line in head.split("\r\n")[1:] if line)
    accept = b64encode(sha1(fields["Sec-WebSocket-Key"].encode() + GUID).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def read_frame(connection: socket.socket) -> tuple[int, bytes]:
    """Return the next frame: its opcode and its payload."""
    first, second = connection.recv(2)
    length = second & 0x7F
    if length == 126:
        length = int.from_bytes(connection.recv(2), "big")
    key = connection.recv(4)
    payload = connection.recv(length)
    return first & 0x0F, bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a whole frame from server to client."""
    return bytes([0x80 | opcode, len(payload)]) + payload
