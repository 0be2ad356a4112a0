# Goes on reading after the close.
# Message: expected returned None
# Message: why RFC 6455 §5.5.1: after a close frame no more data is sent

"""From frames to messages: a message may come in fragments, with other frames in between."""

from codecs import getincrementaldecoder

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PROTOCOL_ERROR, NOT_UTF_8, TOO_BIG = 1002, 1007, 1009  # RFC 6455 §7.4.1


class FrameError(Exception):
    """The client broke a rule. Close the connection and give `code` as the reason (§7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


class Messages:
    """Put messages together from the frames of one client (RFC 6455 §5.4, §5.5, §8.1)."""

    def __init__(self, max_message: int = 1_048_576) -> None:
        self.max_message = max_message
        self.opcode = 0  # TEXT or BINARY while a message is under way
        self.closed = False

    def take(
        self, fin: bool, opcode: int, payload: bytes
    ) -> tuple[str, str | bytes] | tuple[str, int, str] | None:
        """Take the next frame; return what is complete with it, or None. Raises FrameError."""
        if self.closed:
            return None
        if opcode == CLOSE:
            return "close", *read_close(payload)
        if opcode in (PING, PONG):
            return "ping" if opcode == PING else "pong", payload
        return self.join(fin, opcode, payload)

    def join(self, fin: bool, opcode: int, payload: bytes) -> tuple[str, str | bytes] | None:
        """Add a fragment to the message; return the message when it is complete."""
        if (opcode == CONTINUATION) != bool(self.opcode):
            raise FrameError(PROTOCOL_ERROR, "a fragment out of order")
        if opcode != CONTINUATION:
            self.opcode, self.data = opcode, bytearray()
            self.text, self.decoder = "", getincrementaldecoder("utf-8")()
        if len(self.data) + len(payload) > self.max_message:
            raise FrameError(TOO_BIG, "a long message")
        self.data += payload
        if self.opcode == TEXT:
            self.text += self.decode(payload, fin)
        if not fin:
            return None
        complete = ("text", self.text) if self.opcode == TEXT else ("binary", bytes(self.data))
        self.opcode = 0
        return complete

    def decode(self, payload: bytes, final: bool) -> str:
        """Decode a fragment of text; half a character waits for the next one (§8.1)."""
        try:
            return self.decoder.decode(payload, final)
        except UnicodeDecodeError:
            raise FrameError(NOT_UTF_8, "text that is not UTF-8") from None


def read_close(payload: bytes) -> tuple[int, str]:
    """Return code and reason (§5.5.1, §7.1.5). Raises FrameError."""
    if not payload:
        return 1005, ""
    code = int.from_bytes(payload[:2], "big")
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise FrameError(PROTOCOL_ERROR, "a close without a code that may be sent")
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError:
        raise FrameError(NOT_UTF_8, "a reason that is not UTF-8") from None
