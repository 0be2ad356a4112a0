"""A WebSocket is frames, one after the other, over the TCP connection that HTTP began.

A frame says in its first bytes what it is, how long it is, and how it is masked (RFC 6455 §5.2):

      first byte           second byte     0, 2 or 8 bytes    4 bytes   length bytes
    FIN RSV RSV RSV opcode  MASK length     longer length       key       payload
"""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class FrameError(Exception):
    """The client broke a rule. Close the connection and give `code` as the reason (§7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


def parse_frame(data: bytes, max_payload: int = 1_048_576) -> tuple[bool, int, bytes, int] | None:
    r"""Read the first frame in `data`, as a client sends it (RFC 6455 §5.2).

    Return (fin, opcode, payload, size). `payload` is unmasked; `size` is how many bytes of `data`
    the frame takes: what follows them is the next frame. Return None while a frame is not complete.

    parse_frame(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") == (True, 1, b"Hello", 11)
    parse_frame(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d") is None

    - The first bit of the first byte is FIN, its last four are the opcode.
    - The last seven bits of the second byte are the length. 126 means that the next 2 bytes are the
      length, 127 that the next 8 are, in network byte order: the most significant byte first.
    - Byte i of the payload was sent XOR byte i modulo 4 of the key (§5.3).

    Raise FrameError(1002, …), protocol error, if
    - one of the three RSV bits is set: nobody has agreed on an extension (§5.2);
    - the opcode is none of the six above (§5.2);
    - the frame is not masked: a client must mask (§5.1);
    - a control frame (CLOSE, PING, PONG) has no FIN, or more than 125 bytes of payload (§5.5);
    - a longer length is used where a shorter one would do, or its first bit is set (§5.2).
    Raise FrameError(1009, …), too big, if the payload is longer than `max_payload` (§10.4), unless
    one of the above applies.

    Raise as soon as the byte that shows it has come, not when the frame is complete: the first
    byte, the second, or the last byte of the length. Whoever announces a petabyte never gets to its
    end, and you would keep it all until then.
    """
    raise NotImplementedError("your code")
