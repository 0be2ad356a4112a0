"""Grader of stay-frame-build: RFC 6455 §5.2 and §5.5.1, as a server must send it."""

from playground.grading import Learner
from playground.grading.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT

BUILD, BUILD_CLOSE = "build_frame", "build_close"


def check_hello(learner: Learner) -> None:
    """Builds the frame of the RFC's example: text, Hello, no mask."""
    learner.expect(BUILD, TEXT, b"Hello").returns(
        b"\x81\x05Hello",
        why="RFC 6455 §5.7: 81 is FIN and text, 05 the length; §5.1: a server must not mask",
        nudge="bytes([first, second]) + payload",
    )


def check_kinds(learner: Learner) -> None:
    """Builds every kind of frame, with FIN and without."""
    why = "RFC 6455 §5.2: FIN is the first bit of the first byte, the opcode its last four"
    nudge = "0x80 | opcode with FIN, opcode alone without."
    for opcode in (TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG):
        for payload in (b"", b"\x00\xff"):
            expected = bytes([0x80 + opcode, len(payload)]) + payload
            learner.expect(BUILD, opcode, payload).returns(expected, why=why, nudge=nudge)
    for opcode in (TEXT, BINARY, CONTINUATION):
        expected = bytes([opcode, 2]) + b"Hi"
        learner.expect(BUILD, opcode, b"Hi", False).returns(expected, why=why, nudge=nudge)
        learner.expect(BUILD, opcode, b"Hi", fin=False).returns(expected, why=why, nudge=nudge)


def check_lengths(learner: Learner) -> None:
    """Uses the shortest of the three forms of the length, in network byte order."""
    for size, length in (
        (124, b"\x7c"), (125, b"\x7d"), (126, b"\x7e\x00\x7e"), (127, b"\x7e\x00\x7f"),
        (128, b"\x7e\x00\x80"), (256, b"\x7e\x01\x00"), (258, b"\x7e\x01\x02"),
        (65_535, b"\x7e\xff\xff"), (65_536, b"\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        (66_051, b"\x7f\x00\x00\x00\x00\x00\x01\x02\x03"),
    ):  # fmt: skip
        learner.expect(BUILD, BINARY, b"x" * size).returns(
            b"\x82" + length + b"x" * size,
            why="RFC 6455 §5.2: the minimal number of bytes MUST be used; 125 fits into seven bits,"
            f" 65535 into 2 bytes; network byte order. Here the payload has {size}",
            nudge='126 and 127 are no lengths but marks. to_bytes(2, "big"), to_bytes(8, "big").',
        )


def check_refuses(learner: Learner) -> None:
    """Refuses unknown opcodes, and control frames that are long or fragments."""
    for opcode in (3, 7, 11, 15, 16, 128, -1):
        learner.expect(BUILD, opcode, b"Hi").raises(
            "ValueError",
            why="RFC 6455 §5.2: these opcodes are reserved; the client would fail the connection",
            nudge="Six opcodes are known.",
        )
    for opcode in (CLOSE, PING, PONG):
        longest = bytes([0x80 + opcode, 125]) + b"x" * 125
        learner.expect(BUILD, opcode, b"x" * 125).returns(
            longest, why="RFC 6455 §5.5: up to 125 bytes", nudge="125 is allowed."
        )
        for payload, fin in ((b"x" * 126, True), (b"x" * 70_000, True), (b"Hi", False)):
            learner.expect(BUILD, opcode, payload, fin).raises(
                "ValueError",
                why="RFC 6455 §5.5: control frames have 125 bytes at most and are not fragmented",
                nudge="What is the smallest opcode of a control frame?",
            )


def check_close(learner: Learner) -> None:
    """Builds a close frame with code and reason, or with neither."""
    why = "RFC 6455 §5.5.1: the payload is a 2-byte code in network byte order, then UTF-8 text"
    nudge = 'code.to_bytes(2, "big") + reason.encode()'
    for arguments, frame in (
        ((1000, "bye"), b"\x88\x05\x03\xe8bye"), ((1001,), b"\x88\x02\x03\xe9"),
        ((4999, "caf\xe9 \u20ac"), b"\x88\x0b\x13\x87caf\xc3\xa9 \xe2\x82\xac"),
    ):  # fmt: skip
        learner.expect(BUILD_CLOSE, *arguments).returns(frame, why=why, nudge=nudge)
    learner.expect(BUILD_CLOSE).returns(
        b"\x88\x00", why="RFC 6455 §5.5.1: the payload may be empty", nudge="No code, no payload."
    )
    learner.expect(BUILD_CLOSE, None, "bye").raises(
        "ValueError",
        why="RFC 6455 §5.5.1: if there is a payload, its first two bytes are a code",
        nudge="Without a code, the client would read the first two letters as one.",
    )


def check_long_reasons(learner: Learner) -> None:
    """Cuts a long reason between two characters."""
    for reason, kept in (
        ("x" * 123, 123), ("x" * 124, 123), ("x" * 500, 123), ("\u20ac" * 41, 41),
        ("\u20ac" * 42, 41), ("x" + "\u20ac" * 41, 41), ("xx" + "\u20ac" * 41, 42),
        ("x" * 122 + "\xe9", 122), ("x" * 121 + "\xe9x", 122), ("\U0001f600" * 40, 30),
        ("\xe9" * 100, 61), ("x" * 119 + "e\u0301e\u0301", 122), ("x" * 120 + "\ufffdx", 121),
    ):  # fmt: skip
        text = reason[:kept].encode()
        learner.expect(BUILD_CLOSE, 1011, reason).returns(
            bytes([0x88, len(text) + 2]) + b"\x03\xf3" + text,
            why="RFC 6455 §5.5 and §5.5.1: 125 bytes with the code, and the reason must be valid"
            " UTF-8: half a character at its end would make the client fail with 1007",
            nudge="Characters have 1 to 4 bytes. Cut the bytes, then drop what is no character.",
        )


def check_codes(learner: Learner) -> None:
    """Sends only codes that may be sent."""
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999,
                 4000, 4999):  # fmt: skip
        learner.expect(BUILD_CLOSE, code).returns(
            b"\x88\x02" + code.to_bytes(2, "big"),
            why="RFC 6455 §7.4.1, §7.4.2: defined, registered, or free for libraries and programs",
            nudge="1000 to 1003, 1007 to 1014, 3000 to 4999.",
        )
    for code in (1005, 1006, 1015, 0, 1, 999, 1004, 1016, 1100, 2000, 2999, 5000, 65_535, 65_536,
                 -1):  # fmt: skip
        learner.expect(BUILD_CLOSE, code).raises(
            "ValueError",
            why="RFC 6455 §7.4.1: 1005, 1006 and 1015 must not be set in a close frame; §7.4.2:"
            " codes below 1000 are not used, and up to 2999 they are reserved for the protocol",
            nudge="1005 means: there was no code. Who would send that?",
        )
