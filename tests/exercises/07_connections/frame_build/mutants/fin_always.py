# Sets FIN in every fragment.
# Message: called build_frame(1, b'Hi', False)
# Message: came back returned b'\x81\x02Hi'
# Message: expected returned b'\x01\x02Hi'

"""What the server sends: frames without a mask, and a last one that says why it goes."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
OPCODES = {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}
MAX_CONTROL = 125  # bytes of payload (RFC 6455 §5.5)


def build_frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    """Return a whole frame, from server to client (RFC 6455 §5.2). Raises ValueError."""
    size = len(payload)
    if opcode not in OPCODES or (opcode >= CLOSE and (size > MAX_CONTROL or not fin)):
        raise ValueError("no opcode, or a control frame that is too long or a fragment")
    first = opcode | 0x80
    if size <= 125:
        return bytes([first, size]) + payload
    if size < 65_536:
        return bytes([first, 126]) + size.to_bytes(2, "big") + payload
    return bytes([first, 127]) + size.to_bytes(8, "big") + payload


def build_close(code: int | None = None, reason: str = "") -> bytes:
    """Return a close frame (RFC 6455 §5.5.1). Raises ValueError."""
    if code is None:
        if reason:
            raise ValueError("a reason needs a code in front of it")
        return build_frame(CLOSE, b"")
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise ValueError(f"{code} may not be sent")
    text = reason.encode()[: MAX_CONTROL - 2]
    whole = text.decode(errors="ignore")  # subtle: only the last character can be incomplete
    return build_frame(CLOSE, code.to_bytes(2, "big") + whole.encode())
