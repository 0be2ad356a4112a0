"""What the server sends: frames without a mask, and a last one that says why it goes."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def build_frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    r"""Return a whole frame, from server to client (RFC 6455 §5.2).

    build_frame(TEXT, b"Hello") == b"\x81\x05Hello"
    build_frame(BINARY, bytes(256)) == b"\x82\x7e\x01\x00" + bytes(256)

    - First byte: FIN is its first bit, set unless `fin` is False. RSV is 0. The opcode is its last
      four bits.
    - Second byte: the first bit, MASK, is 0, since a server never masks (§5.1); the length is the
      last seven bits. Up to 125 bytes it stands there. More, up to 65,535: 126 there, then the
      length in 2 bytes. More than that: 127 there, then the length in 8 bytes. Both in network byte
      order, the most significant byte first. The shortest form must be used.
    - Then the payload as it is.

    Raise ValueError for an opcode that is none of the six above, and for a control frame (CLOSE,
    PING, PONG) with more than 125 bytes of payload or without FIN (§5.5).
    """
    raise NotImplementedError("your code")


def build_close(code: int | None = None, reason: str = "") -> bytes:
    r"""Return a close frame (RFC 6455 §5.5.1).

    build_close(1000, "bye") == b"\x88\x05\x03\xe8bye"
    build_close() == b"\x88\x00"

    - The payload is the code in 2 bytes, network byte order, then the reason in UTF-8. Without a
      code it is empty, and there can be no reason: ValueError.
    - A reason of more than 123 bytes is cut, since a control frame has 125 at most: it becomes the
      longest beginning of it, in whole characters, that fits.
    - Codes that may be sent are 1000 to 1003, 1007 to 1014 and 3000 to 4999 (§7.4.2 and the
      registry it founded). ValueError for all others: 1005, 1006 and 1015 only tell the own
      program what happened (§7.4.1), the rest means nothing yet.
    """
    raise NotImplementedError("your code")
