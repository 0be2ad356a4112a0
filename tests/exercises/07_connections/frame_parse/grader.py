"""Grader of stay-frame-parse: RFC 6455 §5.2 and §5.3, then everything that is no frame."""

from playground.grading import Learner
from playground.grading.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    KEY,
    PING,
    PONG,
    TEXT,
    client_frame,
    header,
    refuses,
)

NAME = "parse_frame"
HELLO = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"  # the example of RFC 6455 §5.7
LIMIT = 1_048_576


def reads(
    learner: Learner, opcode: int, payload: bytes, rest: bytes = b"", *, why: str, nudge: str,
    fin: bool = True, key: bytes = KEY, limit: tuple[int, ...] = (),
) -> None:  # fmt: skip
    """Fail unless a frame is read as it was meant."""
    data = client_frame(opcode, payload, fin=fin, key=key)
    expected = (fin, opcode, payload, len(data))
    learner.expect(NAME, data + rest, *limit).returns(expected, why=why, nudge=nudge)


def check_hello(learner: Learner) -> None:
    """Reads the example of the RFC: a text frame with Hello."""
    learner.expect(NAME, HELLO).returns(
        (True, 1, b"Hello", 11),
        why="RFC 6455 §5.7: 81 is FIN and text, 85 is MASK and 5 bytes, 37 fa 21 3d is the key",
        nudge="fin is a bool, the payload is bytes, and 2 + 4 + 5 bytes were used.",
    )


def check_kinds(learner: Learner) -> None:
    """Reads every kind of frame, with FIN and without."""
    why = "RFC 6455 §5.2: FIN is the first bit, the opcode the last four"
    nudge = "first >> 7 and first & 0x0F. Only control frames must have FIN."
    for opcode in (TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG):
        reads(learner, opcode, b"Hi", why=why, nudge=nudge)
    for opcode in (TEXT, BINARY, CONTINUATION):
        reads(learner, opcode, b"Hi", fin=False, why=why, nudge=nudge)


def check_mask(learner: Learner) -> None:
    """Removes the mask, whatever the length and the key."""
    why = "RFC 6455 §5.3: byte i of the payload is XOR byte i MODULO 4 of the key"
    nudge = "The key begins again after four bytes. Zero bytes at the front must not get lost."
    every = bytes(range(256))
    for key in (KEY, b"\x00\x00\x00\x00", b"\x01\x02\x03\x04", b"\xff\x00\x80\x7f"):
        for payload in (b"", b"a", b"abc", b"abcd", b"abcde", key, key + b"x", every[:125]):
            reads(learner, BINARY, payload, key=key, why=why, nudge=nudge)


def check_lengths(learner: Learner) -> None:
    """Reads the three forms of the length."""
    why = "RFC 6455 §5.2: up to 125 in seven bits; 126: the next 2 bytes, 127: the next 8"
    nudge = 'int.from_bytes(…, "big"). The longer length comes before the key.'
    for size in (125, 126, 127, 128, 255, 256, 515, 65_535, 65_536, 70_000):
        payload = (b"0123456789abcde" * (size // 15 + 1))[:size]
        reads(learner, BINARY, payload, why=why, nudge=nudge)


def check_rest(learner: Learner) -> None:
    """Leaves what follows the frame alone."""
    why = "RFC 6455 §5.2: the length counts the payload; the next frame begins right after it"
    nudge = "Cut the payload at its end, and return the size of this frame, not of all that came."
    for rest in (HELLO, b"\x89", b"\x00\x00", client_frame(PING, b"")):
        for payload in (b"", b"Hello", b"x" * 300):
            reads(learner, TEXT, payload, rest, why=why, nudge=nudge)


def check_incomplete(learner: Learner) -> None:
    """Waits while the frame is not complete."""
    for frame in (HELLO, client_frame(PING, b""), client_frame(BINARY, b"x" * 126),
                  client_frame(CONTINUATION, b"x" * 65_536, fin=False)[:20]):  # fmt: skip
        for size in range(min(len(frame), 20)):
            learner.expect(NAME, frame[:size]).returns(
                None,
                why="RFC 9293 §3.8: TCP is a stream; recv() may end inside the length or the key",
                nudge="Before you look at a byte, ask whether it is here.",
            )
    learner.expect(NAME, client_frame(BINARY, b"x" * 126)[:-1]).returns(
        None, why="RFC 6455 §5.2: one byte of the payload is missing", nudge="Exactly all of it."
    )


def check_reserved(learner: Learner) -> None:
    """Refuses reserved bits and opcodes, at the first byte."""
    for rsv in (1, 2, 4, 7):
        for data in (client_frame(TEXT, b"Hi", rsv=rsv), header(PING, 0, rsv=rsv)[:1]):
            refuses(
                learner, 1002, NAME, data,
                why="RFC 6455 §5.2: RSV1-3 must be 0 unless an extension was negotiated",
                nudge="first & 0x70",
            )  # fmt: skip
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        for data in (client_frame(opcode, b"Hi"), header(opcode, 0)[:1]):
            refuses(
                learner, 1002, NAME, data,
                why="RFC 6455 §5.2: an unknown opcode fails the connection",
                nudge="Six opcodes are known. Judge the first byte before you wait for more.",
            )  # fmt: skip


def check_unmasked(learner: Learner) -> None:
    """Refuses a frame without a mask, at the second byte."""
    for data in (
        b"\x81\x05Hello",
        b"\x81\x05",
        b"\x89\x00",
        b"\x82\x7e",
        header(TEXT, 300, masked=False),
    ):
        refuses(
            learner, 1002, NAME, data,
            why="RFC 6455 §5.1: a server must close the connection upon an unmasked frame; without"
            " the mask, a page could write any bytes it likes to a proxy on the way (§10.3)",
            nudge="The first bit of the second byte.",
        )  # fmt: skip


def check_control(learner: Learner) -> None:
    """Refuses control frames in fragments or with a long payload."""
    for opcode in (CLOSE, PING, PONG):
        reads(learner, opcode, b"x" * 125, why="RFC 6455 §5.5: up to 125", nudge="125 is allowed.")
        for data in (client_frame(opcode, b"Hi", fin=False), header(opcode, 0, fin=False)[:1],
                     client_frame(opcode, b"x" * 126), header(opcode, 126)[:2],
                     header(opcode, 65_536)[:2], client_frame(opcode, b"Hi", form=2)):  # fmt: skip
            refuses(
                learner, 1002, NAME, data,
                why="RFC 6455 §5.5: control frames have 125 bytes at most and are not fragmented",
                nudge="Their opcode has its first bit set: 8 and up. 126 and 127 are too long.",
            )  # fmt: skip


def check_forms(learner: Learner) -> None:
    """Refuses a length in a longer form than needed, or with its first bit set."""
    for length, form in ((0, 2), (5, 2), (125, 2), (0, 8), (126, 8), (65_535, 8),
                         (2**63, 8), (2**63 + 5, 8), (2**64 - 1, 8)):  # fmt: skip
        start = header(BINARY, length, form=form)
        for data in (start, start + KEY):
            refuses(
                learner, 1002, NAME, data,
                why="RFC 6455 §5.2: the minimal number of bytes must be used for the length, and"
                " the first bit of the 64 must be 0",
                nudge="What is the smallest number that needs 2 bytes, and 8 bytes?",
            )  # fmt: skip


def check_limit(learner: Learner) -> None:
    """Refuses a payload over the limit as soon as its length is known."""
    why = "RFC 6455 §10.4: limit the size of frames; the length tells before the payload comes"
    nudge = "Compare right after the length is read, not when everything is here."
    for size, limit in ((10, (10,)), (300, (300,)), (70_000, (70_000,)), (0, (0,))):
        reads(
            learner, TEXT, b"x" * size, limit=limit, why=why, nudge="The limit itself is allowed."
        )
    learner.expect(NAME, header(BINARY, LIMIT)).returns(
        None, why=why, nudge="The limit itself is allowed."
    )
    for length, limit in ((11, (10,)), (301, (300,)), (70_001, (70_000,)), (1, (0,)),
                          (LIMIT + 1, ()), (2**63 - 1, ())):  # fmt: skip
        start = header(BINARY, length)
        for data in (start, start + KEY + b"x" * 20):
            refuses(learner, 1009, NAME, data, *limit, why=why, nudge=nudge)
    why = "RFC 6455 §7.4.1: 1009 is for what is too big; this frame breaks a rule as well: 1002"
    for data in (header(PING, 126), header(BINARY, 100, form=2), header(TEXT, 99, masked=False)):
        refuses(learner, 1002, NAME, data, 10, why=why, nudge="The limit comes last.")
