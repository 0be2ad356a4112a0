"""Grader of stay-messages: RFC 6455 §5.4, §5.5.1 and §8.1, one frame after the other."""

from typing import Any

from playground.grading import Failed, Learner, Raised, Remote, fail, short
from playground.grading.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    expect_refusal,
)

NAME = "Messages"
NAMES = {CONTINUATION: "CONTINUATION", TEXT: "TEXT", BINARY: "BINARY", CLOSE: "CLOSE",
         PING: "PING", PONG: "PONG"}  # fmt: skip
Frame = tuple[bool, int, bytes]


class Client:
    """The learner's object, and the frames it was given."""

    def __init__(self, learner: Learner, *limit: int) -> None:
        self.learner = learner
        self.steps = [f"{NAME}({', '.join(map(str, limit))})"]
        self.remote = learner.obtain(NAME, *limit)

    @property
    def called(self) -> str:
        """The calls so far, as the learner would type them."""
        return "; ".join(self.steps)

    def take(self, frame: Frame) -> Any:
        """Give it a frame; what comes back, unchecked."""
        fin, opcode, payload = frame
        self.steps.append(f"take({fin}, {NAMES[opcode]}, {short(payload, 80)})")
        if not isinstance(self.remote, Remote):
            fail(self.called, f"{NAME}() is {short(self.remote)}", "an object with the method take")
        try:
            return self.remote.call("take", *frame)
        except Raised as raised:
            raised.called = self.called
            raise
        except Failed as failed:
            failed.message.called = self.called
            raise

    def gives(self, frame: Frame, expected: Any, *, why: str, nudge: str) -> None:
        """Fail unless the frame completes exactly this."""
        outcome = self.learner.outcome(lambda: self.take(frame), "take", frame, {})
        outcome.called = self.called
        outcome.returns(expected, why=why, nudge=nudge)

    def refuses(self, frame: Frame, code: int, *, why: str, nudge: str) -> None:
        """Fail unless the frame makes it raise FrameError with this code."""
        outcome = self.learner.outcome(lambda: self.take(frame), "take", frame, {})
        raised, value = outcome.raised, outcome.value
        expect_refusal(self.learner, raised, code, self.called, value, why, nudge)


def check_whole(learner: Learner) -> None:
    """Returns messages that come in one frame."""
    why = "RFC 6455 §5.6: TEXT is UTF-8 text, BINARY is any bytes"
    client = Client(learner)
    for opcode, payload, message in (
        (TEXT, b"Hello", ("text", "Hello")), (BINARY, b"\x00\xff", ("binary", b"\x00\xff")),
        (TEXT, b"", ("text", "")), (BINARY, b"", ("binary", b"")),
        (TEXT, b"caf\xc3\xa9 \xf0\x9f\x8d\x94", ("text", "caf\xe9 \U0001f354")),
    ):  # fmt: skip
        nudge = "Text as str, binary as bytes; each message by itself."
        client.gives((True, opcode, payload), message, why=why, nudge=nudge)


def check_fragments(learner: Learner) -> None:
    """Joins fragments, and begins afresh afterwards."""
    why = "RFC 6455 §5.4: the first fragment has the opcode, the others CONTINUATION, the last FIN"
    nudge = "Remember kind and bytes of the message under way; forget both when it ends."
    client = Client(learner)
    for opcode, kind, parts, whole in (
        (TEXT, "text", (b"Hel", b"lo"), "Hello"), (BINARY, "binary", (b"a", b"", b"b"), b"ab"),
        (TEXT, "text", (b"", b"", b"x", b""), "x"), (BINARY, "binary", (b"", b""), b""),
    ):  # fmt: skip
        for number, part in enumerate(parts):
            frame = (number == len(parts) - 1, CONTINUATION if number else opcode, part)
            client.gives(frame, (kind, whole) if frame[0] else None, why=why, nudge=nudge)
    client.gives((True, TEXT, b"new"), ("text", "new"), why=why, nudge=nudge)


def check_control(learner: Learner) -> None:
    """Returns control frames at once, also in the middle of a message."""
    why = "RFC 6455 §5.4: control frames may be injected in the middle of a fragmented message"
    nudge = "They are no part of the message, though they have FIN and a payload."
    client = Client(learner)
    for frame, expected in (
        ((True, PING, b"?"), ("ping", b"?")), ((False, TEXT, b"Hel"), None),
        ((True, PING, b"\xff"), ("ping", b"\xff")), ((True, PONG, b""), ("pong", b"")),
        ((False, CONTINUATION, b"l"), None), ((True, PONG, b"x"), ("pong", b"x")),
        ((True, CONTINUATION, b"o"), ("text", "Hello")),
    ):  # fmt: skip
        client.gives(frame, expected, why=why, nudge=nudge)


def check_order(learner: Learner) -> None:
    """Refuses fragments out of order."""
    why = "RFC 6455 §5.4: fragments of one message are not interleaved with another one's"
    nudge = "CONTINUATION is right exactly if a message is under way."
    for fin in (True, False):
        Client(learner).refuses((fin, CONTINUATION, b"x"), 1002, why=why, nudge=nudge)
        for opcode, message in ((TEXT, ("text", "x")), (BINARY, ("binary", b"x"))):
            client = Client(learner)
            client.gives((False, TEXT, b""), None, why=why, nudge=nudge)
            client.refuses((fin, opcode, b"x"), 1002, why=why, nudge=nudge)
            client = Client(learner)
            client.gives((True, opcode, b"x"), message, why=why, nudge=nudge)
            client.refuses((fin, CONTINUATION, b"x"), 1002, why=why, nudge="It has ended.")


def check_cut_characters(learner: Learner) -> None:
    """Joins a character that is cut in two."""
    why = "RFC 6455 §5.6, §8.1: the whole message is UTF-8; a fragment may end inside a character"
    text = "\xe9\u20ac\U0001f354!"
    data = text.encode()
    for cut in range(len(data) + 1):
        client = Client(learner)
        nudge = "Decode with an incremental decoder, or all at once at the end."
        client.gives((False, TEXT, data[:cut]), None, why=why, nudge=nudge)
        client.gives((True, CONTINUATION, data[cut:]), ("text", text), why=why, nudge=nudge)


def check_utf_8(learner: Learner) -> None:
    """Refuses text that is not UTF-8 as soon as it shows."""
    why = "RFC 6455 §8.1: fail the connection when a byte stream is not valid UTF-8"
    for data in (b"\xff", b"a\xc3(", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"):
        for fin in (True, False):
            nudge = "Do not wait for the end of the message: these bytes can never become right."
            Client(learner).refuses((fin, TEXT, data), 1007, why=why, nudge=nudge)
    for data in (b"\xc3", b"x\xe2\x82"):
        nudge = "At the end of the message nothing may be left over."
        Client(learner).refuses((True, TEXT, data), 1007, why=why, nudge=nudge)
        client = Client(learner)
        client.gives((False, TEXT, data), None, why=why, nudge="The rest may still come.")
        client.refuses((True, CONTINUATION, b""), 1007, why=why, nudge=nudge)
    client = Client(learner)
    client.gives((True, BINARY, b"\xc3"), ("binary", b"\xc3"), why=why, nudge="Only text is text.")


def check_close(learner: Learner) -> None:
    """Reads a close frame, and nothing after it."""
    why = "RFC 6455 §5.5.1, §7.1.5: a 2-byte code, then a reason; without them the code is 1005"
    for payload, code, reason in (
        (b"\x03\xe8bye", 1000, "bye"), (b"", 1005, ""), (b"\x03\xe9", 1001, ""),
        (b"\x13\x87caf\xc3\xa9", 4999, "caf\xe9"),
        *[(code.to_bytes(2, "big"), code, "") for code in (1003, 1007, 1014, 3000, 1012)],
    ):  # fmt: skip
        client = Client(learner)
        client.gives((False, TEXT, b"Hel"), None, why=why, nudge="A message may stay unfinished.")
        nudge = 'int.from_bytes(payload[:2], "big")'
        client.gives((True, CLOSE, payload), ("close", code, reason), why=why, nudge=nudge)
        for frame in ((True, CONTINUATION, b"\xff"), (True, TEXT, b"x"), (True, CLOSE, b"x")):
            client.gives(
                frame, None, why="RFC 6455 §5.5.1: after a close frame no more data is sent",
                nudge="Whatever comes after the close is ignored.",
            )  # fmt: skip


def check_bad_close(learner: Learner) -> None:
    """Refuses a close frame with half a code, a code that may not be sent, or a bad reason."""
    codes = (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535)
    for payload in (b"\x03", b"\x00", *[code.to_bytes(2, "big") + b"x" for code in codes]):
        Client(learner).refuses(
            (True, CLOSE, payload), 1002,
            why="RFC 6455 §5.5.1, §7.4: two bytes, and none of the codes that are never sent",
            nudge="1005 and 1006 are what you tell your own program.",
        )  # fmt: skip
    Client(learner).refuses(
        (True, CLOSE, b"\x03\xe8\xff"), 1007, why="RFC 6455 §8.1: the reason is UTF-8 as well",
        nudge="decode() raises UnicodeDecodeError.",
    )  # fmt: skip


def check_limit(learner: Learner) -> None:
    """Limits the message, not only the fragment."""
    why = "RFC 6455 §10.4: limit the size of the message after reassembly; fragments have no end"
    client = Client(learner, 4)
    for opcode, text in ((TEXT, "\xe9\xe9"), (TEXT, "abcd")):
        data, nudge = text.encode(), "The limit itself is allowed, and each message begins at 0."
        client.gives((False, opcode, data[:3]), None, why=why, nudge=nudge)
        client.gives((True, PING, b"12345"), ("ping", b"12345"), why=why, nudge=nudge)
        client.gives((True, CONTINUATION, data[3:]), ("text", text), why=why, nudge=nudge)
    nudge = "Add up the bytes of the fragments, and compare before you keep them."
    for opcode, first, second in (
        (TEXT, b"abc", b"de"), (BINARY, b"", b"abcde"),
        (TEXT, b"abc", b"d\xff"), (TEXT, b"\xc3\xa9", b"abc"),
    ):  # fmt: skip
        for fin in (True, False):
            client = Client(learner, 4)
            client.gives((False, opcode, first), None, why=why, nudge=nudge)
            client.refuses((fin, CONTINUATION, second), 1009, why=why, nudge=nudge)
    Client(learner, 4).refuses((True, BINARY, b"abcde"), 1009, why=why, nudge=nudge)
    client = Client(learner)
    client.gives((False, BINARY, b"x" * 1_048_576), None, why=why, nudge="The limit is allowed.")
    client.refuses((True, CONTINUATION, b"x"), 1009, why=why, nudge=nudge)
