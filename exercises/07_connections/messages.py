"""From frames to messages: a message may come in fragments, with other frames in between."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class FrameError(Exception):
    """The client broke a rule. Close the connection and give `code` as the reason (§7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


class Messages:
    r"""Put messages together from the frames of one client (RFC 6455 §5.4, §5.5, §8.1).

    messages = Messages()
    messages.take(False, TEXT, b"Hel") is None
    messages.take(True, PING, b"?") == ("ping", b"?")
    messages.take(True, CONTINUATION, b"lo") == ("text", "Hello")
    messages.take(True, CLOSE, b"\x03\xe8bye") == ("close", 1000, "bye")
    """

    def __init__(self, max_message: int = 1_048_576) -> None:
        self.max_message = max_message

    def take(
        self, fin: bool, opcode: int, payload: bytes
    ) -> tuple[str, str | bytes] | tuple[str, int, str] | None:
        """Take the next frame; return what is complete with it, or None.

        The frame itself is in order, as in `stay-frame-parse`: unmasked, one of the six opcodes, a
        control frame has FIN and 125 bytes at most.

        - A message begins with TEXT or BINARY; CONTINUATION frames go on with it; FIN ends it
          (§5.4). Then return ("text", str) or ("binary", bytes). A fragment may be empty.
        - Control frames may come between fragments and change nothing about the message (§5.4):
          ("ping", payload), ("pong", payload), or ("close", code, reason).
        - A close payload is empty, which means ("close", 1005, ""), or a code in 2 bytes, network
          byte order, and a reason in UTF-8 (§5.5.1, §7.1.5).
        - After a close, every frame is ignored: None (§5.5.1).

        Raise FrameError with the code
        - 1002, if a CONTINUATION comes without a message to go on with, or TEXT or BINARY before
          the last one has ended (§5.4); if a close payload has 1 byte, or its code is none of 1000
          to 1003, 1007 to 1014, 3000 to 4999 (§5.5.1, §7.4);
        - 1009, if the fragments of a message have more than `max_message` bytes together (§10.4);
        - 1007, if a text message or a close reason is not UTF-8 (§8.1). A character may be cut in
          two by fragments. Raise with the fragment that shows the mistake, not at the end.
        What applies first in this list counts.
        """
        raise NotImplementedError("your code")
