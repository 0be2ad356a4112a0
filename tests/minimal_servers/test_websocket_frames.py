"""Frames and messages, bit for bit (RFC 6455 §5 to §8): what is read, what is refused, and when."""

import tracemalloc
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from minimal_servers import websocket
from minimal_servers.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Event,
    close_frame,
    frame,
    read_events,
    unmask,
    valid_close_code,
)
from tests.minimal_servers.client_frames import Outcome, bytewise, closing, masked, read

settings.register_profile("server", deadline=None, max_examples=150, derandomize=True)
settings.load_profile("server")

EURO = "€".encode()  # three bytes
SMILE = "😀".encode()  # four
MEETING = "κόσμε, 😀 — Grüße"


def events(data: bytes, **options: int) -> list[Event]:
    """What ``data`` says, all of which must be used up, however it is cut."""
    outcome = read(data, **options)
    assert (outcome.refused, outcome.rest) == (0, b"")
    assert bytewise(data, **options).verdict == outcome.verdict
    for cut in range(1, min(len(data), 300)):
        assert read(data, [cut], **options).verdict == outcome.verdict
    return outcome.events


def refusal(data: bytes, **options: int) -> tuple[int, int]:
    """(the code to close with, how many bytes it took to see that)."""
    outcome = bytewise(data, **options)
    assert outcome.refused, f"accepted: {outcome}"
    assert read(data, **options).verdict == outcome.verdict
    for cut in range(1, min(len(data), 300)):
        assert read(data, [cut], **options).verdict == outcome.verdict
    return outcome.refused, outcome.at


# --- data frames ---------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 124, 125, 126, 127, 128, 255, 256, 2000])
@pytest.mark.parametrize("key", [bytes(4), b"\xff\xff\xff\xff", b"\x00\x01\x80\xfe"])
def test_binary_of_every_form_of_length(length: int, key: bytes) -> None:
    payload = bytes(i * 7 % 256 for i in range(length))
    assert events(masked(BINARY, payload, key=key)) == [Event(BINARY, payload)]


@pytest.mark.parametrize("length", [65535, 65536, 65537, 1_000_003])
def test_binary_around_the_64_bit_form(length: int) -> None:
    payload = bytes(range(251)) * (length // 251 + 1)
    data = masked(BINARY, payload[:length])
    assert read(data).events == [Event(BINARY, payload[:length])]
    uneven = read(data, list(range(0, len(data), 9973)))  # the key turns at each of these
    assert uneven.events == [Event(BINARY, payload[:length])]


@pytest.mark.parametrize(
    "text", ["", "a", "a" * 126, MEETING, "\x00", "\ufffe\uffff", "\U0010ffff"]
)
def test_text_is_text(text: str) -> None:
    assert events(masked(TEXT, text.encode())) == [Event(TEXT, text)]


def test_types_are_what_the_application_may_keep() -> None:
    text, binary, ping = read(masked(TEXT) + masked(BINARY) + masked(PING)).events
    assert [type(event.data) for event in (text, binary, ping)] == [str, bytes, bytes]


def test_the_examples_of_the_rfc() -> None:
    """RFC 6455 §5.7, as far as a client may send them."""
    hello = bytes.fromhex("818537fa213d7f9f4d5158")
    assert masked(TEXT, b"Hello") == hello
    assert events(hello) == [Event(TEXT, "Hello")]
    assert events(bytes.fromhex("8a8537fa213d7f9f4d5158")) == [Event(PONG, b"Hello")]


# --- refused by the first two bytes --------------------------------------------------------------

AFTER_START = masked(TEXT, b"a", final=False)
START = len(AFTER_START)


@pytest.mark.parametrize("reserved", range(1, 8))
@pytest.mark.parametrize("opcode", [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG])
def test_reserved_bits(opcode: int, reserved: int) -> None:
    assert refusal(masked(opcode, b"", reserved=reserved)) == (1002, 2)
    assert refusal(AFTER_START + masked(opcode, b"", reserved=reserved)) == (1002, START + 2)


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("final", [True, False])
def test_reserved_opcodes(opcode: int, final: bool) -> None:
    assert refusal(masked(opcode, b"a", final)) == (1002, 2)
    assert refusal(AFTER_START + masked(opcode, b"a", final)) == (1002, START + 2)


@pytest.mark.parametrize("opcode", [TEXT, BINARY, CLOSE, PING, PONG])
@pytest.mark.parametrize("payload", [b"", b"ab", b"a" * 125])
def test_what_is_not_masked(opcode: int, payload: bytes) -> None:
    assert refusal(masked(opcode, payload, key=None)) == (1002, 2)


def test_an_unmasked_frame_after_masked_ones() -> None:
    data = AFTER_START + masked(CONTINUATION, b"b", key=None)
    assert refusal(data) == (1002, START + 2)


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
@pytest.mark.parametrize(
    "control",
    [
        {"payload": b"\x03\xe8", "final": False},
        {"payload": b"", "final": False},
        {"payload": b"a" * 126},
        {"payload": b"a" * 65536},
        {"payload": b"a", "size": 2},
        {"payload": b"a", "size": 8},
    ],
    ids=str,
)
def test_control_frames_are_whole_and_short(opcode: int, control: dict) -> None:
    data = masked(opcode, **control)[:400]
    assert refusal(data) == (1002, 2)
    assert refusal(AFTER_START + data) == (1002, START + 2)


def test_nothing_to_continue() -> None:
    assert refusal(masked(CONTINUATION, b"a")) == (1002, 2)
    assert refusal(masked(CONTINUATION, b"a", final=False)) == (1002, 2)
    whole = masked(TEXT, b"a")
    assert refusal(whole + masked(CONTINUATION, b"a")) == (1002, len(whole) + 2)
    ended = AFTER_START + masked(CONTINUATION, b"b")
    assert refusal(ended + masked(CONTINUATION, b"c")) == (1002, len(ended) + 2)
    control = masked(PING, b"a")
    assert refusal(control + masked(CONTINUATION, b"c")) == (1002, len(control) + 2)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("between", [b"", masked(PING, b"p"), masked(CONTINUATION, b"", False)])
def test_a_message_inside_a_message(opcode: int, final: bool, between: bytes) -> None:
    data = AFTER_START + between
    assert refusal(data + masked(opcode, b"b", final)) == (1002, len(data) + 2)


# --- lengths -------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize(
    ("size", "announced"), [(2, 0), (2, 1), (2, 125), (8, 0), (8, 125), (8, 126), (8, 65535)]
)
def test_a_length_has_its_shortest_form(opcode: int, size: int, announced: int) -> None:
    assert refusal(masked(opcode, b"", size=size, announced=announced)) == (1002, 2 + size)


@pytest.mark.parametrize("announced", [2**63, 2**63 + 1, 2**64 - 1])
def test_a_length_has_63_bits(announced: int) -> None:
    assert refusal(masked(BINARY, announced=announced)) == (1002, 10)


@pytest.mark.parametrize(
    ("announced", "at"), [(101, 2), (125, 2), (126, 4), (65535, 4), (65536, 10), (2**63 - 1, 10)]
)
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("final", [True, False])
def test_too_long_is_refused_when_it_is_announced(
    opcode: int, final: bool, announced: int, at: int
) -> None:
    data = masked(opcode, b"abc", final, announced=announced)
    assert refusal(data, limit=100) == (1009, at)


def test_the_default_limit() -> None:
    assert websocket.MAX_MESSAGE == 16 * 1024 * 1024
    assert refusal(masked(BINARY, announced=websocket.MAX_MESSAGE + 1)) == (1009, 10)
    whole = masked(BINARY, bytes(websocket.MAX_MESSAGE), key=bytes(4))
    [event] = read(whole).events
    assert event == Event(BINARY, bytes(websocket.MAX_MESSAGE))


def test_the_limit_counts_bytes_of_all_fragments() -> None:
    first = masked(TEXT, b"a" * 60, final=False)
    ping = masked(PING, b"p" * 125)
    assert events(first + ping + masked(CONTINUATION, b"b" * 40), limit=100) == [
        Event(PING, b"p" * 125),
        Event(TEXT, "a" * 60 + "b" * 40),
    ]
    at = len(first + ping) + 2
    assert refusal(first + ping + masked(CONTINUATION, b"b" * 41), limit=100) == (1009, at)
    assert refusal(first + ping + masked(CONTINUATION, b"b" * 41, False), limit=100) == (1009, at)
    assert events(masked(TEXT, EURO * 33), limit=99) == [Event(TEXT, "€" * 33)]
    assert refusal(masked(TEXT, EURO * 33), limit=98) == (1009, 2)


def test_each_message_has_the_whole_limit() -> None:
    data = masked(TEXT, b"a" * 60, False) + masked(CONTINUATION, b"b" * 40)
    assert len(events(data * 3, limit=100)) == 3
    assert events(masked(BINARY, b""), limit=0) == [Event(BINARY, b"")]
    assert refusal(masked(BINARY, b"a"), limit=0) == (1009, 2)


def test_control_frames_are_not_messages() -> None:
    """A limit for messages below 125 bytes does not make a ping too long."""
    assert events(masked(PING, b"a" * 125), limit=1) == [Event(PING, b"a" * 125)]


def test_an_announced_length_costs_nothing() -> None:
    buffer = bytearray(masked(BINARY, b"abc", announced=websocket.MAX_MESSAGE))
    reader = read_events(buffer)
    tracemalloc.start()
    try:
        assert next(reader) is None
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024
    finally:
        tracemalloc.stop()


def test_empty_fragments_cost_nothing() -> None:
    buffer = bytearray(masked(TEXT, b"", False))
    reader = read_events(buffer)
    assert next(reader) is None
    fragments = masked(CONTINUATION, b"", False) * 1000
    tracemalloc.start()
    try:
        for _ in range(10):
            buffer += fragments
            assert next(reader) is None
        assert tracemalloc.get_traced_memory()[0] < 32 * 1024
    finally:
        tracemalloc.stop()
    buffer += masked(CONTINUATION, b"a")
    assert next(reader) == Event(TEXT, "a")


# --- fragments and what comes between them -------------------------------------------------------


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize(
    "parts",
    [[b"a", b"b"], [b"", b""], [b"", b"a", b""], [b"a"] * 20, [b"a" * 125, b"b" * 126, b"c"]],
    ids=repr,
)
def test_fragments_are_one_message(opcode: int, parts: list[bytes]) -> None:
    whole = b"".join(parts)
    expected = Event(opcode, whole.decode() if opcode == TEXT else whole)
    assert events(fragments(opcode, *parts)) == [expected]


def fragments(opcode: int, *parts: bytes) -> bytes:
    opcodes = [opcode] + [CONTINUATION] * (len(parts) - 1)
    last = len(parts) - 1
    return b"".join(masked(opcodes[i], part, i == last) for i, part in enumerate(parts))


def test_control_frames_between_fragments_come_first() -> None:
    data = b"".join(
        [
            masked(TEXT, b"a", False),
            masked(PING, b"1"),
            masked(CONTINUATION, b"b", False),
            masked(PONG, b"2"),
            masked(PING, b""),
            masked(CONTINUATION, b"c"),
            masked(PING, b"3"),
        ]
    )
    assert events(data) == [
        Event(PING, b"1"),
        Event(PONG, b"2"),
        Event(PING, b""),
        Event(TEXT, "abc"),
        Event(PING, b"3"),
    ]


def test_close_between_fragments() -> None:
    """A close is a control frame, too: what was unfinished is lost (§5.5.1)."""
    assert events(AFTER_START + closing(1000)) == [Event(CLOSE, "", 1000)]


@pytest.mark.parametrize("opcode", [PING, PONG])
@pytest.mark.parametrize("payload", [b"", b"a", b"\x00\xff\xfe\xfd", b"a" * 125])
def test_pings_and_pongs_carry_any_bytes(opcode: int, payload: bytes) -> None:
    assert events(masked(opcode, payload) * 3) == [Event(opcode, payload)] * 3


def test_messages_in_a_row() -> None:
    data = masked(TEXT, b"a") + masked(BINARY, b"b") + fragments(TEXT, b"c", b"d")
    assert events(data * 2) == [Event(TEXT, "a"), Event(BINARY, b"b"), Event(TEXT, "cd")] * 2


# --- UTF-8 ---------------------------------------------------------------------------------------

# what is not UTF-8, and after how many of its bytes that is certain (Unicode 17.0, table 3-7)
INVALID = [
    (b"\x80", 1),
    (b"\xbf", 1),
    (b"\xc0\xaf", 1),  # "/" in two bytes: overlong
    (b"\xc1\xbf", 1),
    (b"\xe0\x80\xaf", 2),  # overlong
    (b"\xe0\x9f\xbf", 2),
    (b"\xf0\x80\x80\xaf", 2),
    (b"\xf0\x8f\xbf\xbf", 2),
    (b"\xed\xa0\x80", 3),  # a surrogate; two bytes would do, but the decoder wants to see it whole
    (b"\xed\xbf\xbf", 3),
    (b"\xed\xa0\xbd\xed\xb8\x80", 3),  # two of them, as CESU-8 has it
    (b"\xf4\x90\x80\x80", 2),  # past U+10FFFF
    (b"\xf5\x80\x80\x80", 1),
    (b"\xf8\x88\x80\x80\x80", 1),  # five bytes
    (b"\xfc\x84\x80\x80\x80\x80", 1),
    (b"\xfe", 1),
    (b"\xff", 1),
    (b"\xc3a", 2),  # a character that is not finished
    (b"\xe2\x82a", 3),
    (b"\xf0\x9f\x98a", 4),
    (b"\xe2\xe2", 2),
]


@pytest.mark.parametrize(("wrong", "certain"), INVALID, ids=[w.hex() for w, _ in INVALID])
def test_text_is_refused_at_the_byte_that_cannot_be_utf8(wrong: bytes, certain: int) -> None:
    before = MEETING.encode()
    whole = masked(TEXT, before + wrong + b"tail")
    assert refusal(whole) == (1007, 6 + len(before) + certain)
    first = masked(TEXT, before, False) + masked(PING)
    assert refusal(first + masked(CONTINUATION, wrong + b"tail", False)) == (
        1007,
        len(first) + 6 + certain,
    )


@pytest.mark.parametrize(("wrong", "certain"), INVALID, ids=[w.hex() for w, _ in INVALID])
def test_it_may_be_cut_anywhere_and_stays_wrong(wrong: bytes, certain: int) -> None:
    for cut in range(1, len(wrong)):
        data = fragments(TEXT, b"a" + wrong[:cut], wrong[cut:] + b"b")
        outcome = bytewise(data)
        assert outcome.refused == 1007
        late = 6 if certain > cut else 0  # the head of the second frame is on the way
        assert outcome.at == 6 + 1 + certain + late


@pytest.mark.parametrize("character", ["é".encode(), EURO, SMILE])
def test_characters_across_fragments(character: bytes) -> None:
    text = b"a" + character * 3 + b"b"
    expected = [Event(TEXT, text.decode())]
    for cut in range(len(text) + 1):
        assert events(fragments(TEXT, text[:cut], text[cut:])) == expected
        assert events(fragments(TEXT, text[:cut], b"", text[cut:])) == expected
    single = [text[i : i + 1] for i in range(len(text))]
    assert events(fragments(TEXT, *single)) == expected


@pytest.mark.parametrize("start", [b"\xc3", b"\xe2", b"\xe2\x82", b"\xf0", b"\xf0\x9f\x98"])
def test_a_message_does_not_end_within_a_character(start: bytes) -> None:
    assert refusal(masked(TEXT, b"ab" + start)) == (1007, 6 + 2 + len(start))
    data = fragments(TEXT, b"ab", start)
    assert refusal(data) == (1007, len(data))
    data = fragments(TEXT, b"ab" + start, b"")
    assert refusal(data) == (1007, len(data))
    unfinished = read(masked(TEXT, b"ab" + start, False))
    assert (unfinished.refused, unfinished.events) == (0, [])  # the rest may still come


def test_a_character_is_not_finished_by_the_next_message() -> None:
    first = masked(TEXT, b"\xe2\x82")
    assert refusal(first + masked(TEXT, b"\xac")) == (1007, len(first))
    assert events(masked(BINARY, b"\xe2") + masked(TEXT, b"a")) == [
        Event(BINARY, b"\xe2"),
        Event(TEXT, "a"),
    ]


@pytest.mark.parametrize(("wrong", "_certain"), INVALID, ids=[w.hex() for w, _ in INVALID])
def test_binary_may_be_anything(wrong: bytes, _certain: int) -> None:
    assert events(masked(BINARY, wrong)) == [Event(BINARY, wrong)]
    assert events(fragments(BINARY, wrong, wrong)) == [Event(BINARY, wrong * 2)]


# --- close ---------------------------------------------------------------------------------------

VALID_CODES = [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999]
INVALID_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65535]


def test_no_code_is_1005() -> None:
    assert events(masked(CLOSE)) == [Event(CLOSE, "", 1005)]


@pytest.mark.parametrize("code", VALID_CODES)
def test_codes_that_are_read(code: int) -> None:
    assert valid_close_code(code)
    assert events(closing(code)) == [Event(CLOSE, "", code)]
    assert events(closing(code, EURO)) == [Event(CLOSE, "€", code)]


@pytest.mark.parametrize("code", INVALID_CODES)
@pytest.mark.parametrize("reason", [b"", b"why", b"\xff"])
def test_codes_that_are_refused(code: int, reason: bytes) -> None:
    assert not valid_close_code(code)
    data = closing(code, reason)
    assert refusal(data) == (1002, len(data))


def test_every_other_code_is_one_or_the_other() -> None:
    valid = [code for code in range(-1, 2**16 + 1) if valid_close_code(code)]
    assert valid == [*VALID_CODES[:12], *range(3000, 5000)]


@pytest.mark.parametrize("byte", [b"\x00", b"\x03", b"\xff"])
def test_half_a_code(byte: bytes) -> None:
    assert refusal(masked(CLOSE, byte)) == (1002, 7)


def test_the_longest_reason() -> None:
    assert events(closing(1000, b"a" * 123)) == [Event(CLOSE, "a" * 123, 1000)]
    assert refusal(closing(1000, b"a" * 124)) == (1002, 2)


@pytest.mark.parametrize("reason", [*(wrong for wrong, _ in INVALID), b"\xc3", b"\xe2\x82"])
def test_a_reason_is_text(reason: bytes) -> None:
    data = closing(1000, b"why " + reason)
    assert refusal(data) == (1007, len(data))


def test_nothing_is_read_after_close() -> None:
    after = masked(TEXT, b"a") + b"\xff\xff\xff"
    outcome = read(closing(1000) + after)
    assert outcome == Outcome([Event(CLOSE, "", 1000)], 0, True, after)


def test_the_end_is_the_end_of_the_iteration() -> None:
    reader = read_events(bytearray(masked(PING) + closing(1001, b"bye")))
    assert list(reader) == [Event(PING, b""), Event(CLOSE, "bye", 1001)]


def test_waiting_is_none_and_can_be_repeated() -> None:
    buffer = bytearray()
    reader = read_events(buffer)
    assert [next(reader), next(reader)] == [None, None]
    buffer += masked(TEXT, b"a")[:-1]
    assert [next(reader), next(reader)] == [None, None]
    buffer += masked(TEXT, b"a")[-1:] + masked(TEXT, b"b")
    assert [next(reader) for _ in range(3)] == [Event(TEXT, "a"), Event(TEXT, "b"), None]


def test_two_readers_do_not_share_anything() -> None:
    one, two = bytearray(AFTER_START), bytearray(masked(TEXT, b"x", False))
    first, second = read_events(one), read_events(two)
    assert [next(first), next(second)] == [None, None]
    one += masked(CONTINUATION, b"b")
    two += masked(CONTINUATION, b"y")
    assert [next(second), next(first)] == [Event(TEXT, "xy"), Event(TEXT, "ab")]


# --- frames that are sent ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x82\x00"),
        (1, b"\x82\x01"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (255, b"\x82\x7e\x00\xff"),
        (256, b"\x82\x7e\x01\x00"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_the_three_forms_of_a_length(size: int, head: bytes) -> None:
    payload = b"x" * size
    assert frame(BINARY, payload) == head + payload


@pytest.mark.parametrize("opcode", [TEXT, BINARY, CLOSE, PING, PONG])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_frames_are_what_another_library_sends(opcode: int, size: int) -> None:
    payload = b"x" * size
    if opcode >= CLOSE and size > 125:
        with pytest.raises(ValueError, match="125"):
            frame(opcode, payload)
        return
    assert frame(opcode, payload) == Frame(Opcode(opcode), payload).serialize(mask=False)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_payload(kind: type) -> None:
    assert frame(BINARY, kind(b"abc")) == b"\x82\x03abc"


@pytest.mark.parametrize(
    ("code", "reason", "payload"),
    [
        (1000, "", b"\x03\xe8"),
        (1000, "bye", b"\x03\xe8bye"),
        (4999, "€", b"\x13\x87" + EURO),
        (1005, "", b""),
        (1006, "", b""),
        (1005, "not sent", b""),
        (1000, "a" * 123, b"\x03\xe8" + b"a" * 123),
        (1000, "a" * 124, b"\x03\xe8" + b"a" * 123),
        (1000, "€" * 41, b"\x03\xe8" + EURO * 41),  # 123 bytes
        (1000, "€" * 42, b"\x03\xe8" + EURO * 41),
        (1000, "a" + "€" * 41, b"\x03\xe8a" + EURO * 40),
        (1000, "aa" + "😀" * 31, b"\x03\xe8aa" + SMILE * 30),
    ],
)
def test_close_frames(code: int, reason: str, payload: bytes) -> None:
    assert close_frame(code, reason) == bytes([0x88, len(payload)]) + payload


@pytest.mark.parametrize("code", [code for code in INVALID_CODES if code not in (1005, 1006)])
def test_close_frames_that_nobody_may_send(code: int) -> None:
    with pytest.raises(ValueError, match=str(code)):
        close_frame(code)


@given(st.sampled_from(VALID_CODES), st.text(max_size=150))
def test_a_close_that_is_sent_can_be_read(code: int, reason: str) -> None:
    sent = close_frame(code, reason)
    [event] = read(masked(CLOSE, sent[2:])).events
    assert (event.code, reason.startswith(str(event.data))) == (code, True)
    assert len(reason.encode()) <= 123 or len(str(event.data).encode()) > 119


# --- any bytes -----------------------------------------------------------------------------------


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_unmasking_is_exclusive_or(data: bytes, key: bytes) -> None:
    assert unmask(data, key) == bytes(byte ^ key[i % 4] for i, byte in enumerate(data))


@dataclass
class Conversation:
    """Valid frames, and what they say."""

    wire: bytes
    meaning: list[Event]


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    wire, meaning = b"", []
    control = st.lists(
        st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125)), max_size=2
    )
    for opcode in draw(st.lists(st.sampled_from([TEXT, BINARY]), max_size=4)):
        text = draw(st.text(max_size=80))
        payload = text.encode() if opcode == TEXT else draw(st.binary(max_size=300))
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=4)))
        edges = [0, *cuts, len(payload)]
        for number, start in enumerate(edges[:-1]):
            part, final = payload[start : edges[number + 1]], number == len(edges) - 2
            key = draw(st.binary(min_size=4, max_size=4))
            wire += masked(CONTINUATION if number else opcode, part, final, key=key)
            for kind, data in () if final else draw(control):
                wire += masked(kind, data, key=key)
                meaning.append(Event(kind, data))
        meaning.append(Event(opcode, text if opcode == TEXT else payload))
    if draw(st.booleans()):
        code, reason = draw(st.sampled_from(VALID_CODES)), draw(st.text(max_size=30))
        wire += closing(code, reason.encode())
        meaning.append(Event(CLOSE, reason, code))
    return Conversation(wire, meaning)


@given(conversations(), st.lists(st.integers(0, 600)))
def test_a_conversation_is_read_as_it_was_meant(told: Conversation, cuts: list[int]) -> None:
    outcome = read(told.wire, cuts)
    assert (outcome.events, outcome.refused, outcome.rest) == (told.meaning, 0, b"")
    assert outcome.ended == any(event.opcode == CLOSE for event in told.meaning)


@given(conversations(), st.integers(1, 400))
def test_nothing_is_said_before_its_last_byte(told: Conversation, missing: int) -> None:
    outcome = read(told.wire[:-missing])
    assert outcome.refused == 0
    assert outcome.events == told.meaning[: len(outcome.events)]
    if told.wire:
        assert len(outcome.events) < len(told.meaning)


START_BYTES = st.tuples(
    st.sampled_from([0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x83, 0x88, 0x89, 0x8A, 0x09, 0xC1, 0x91]),
    st.sampled_from([0x80, 0x81, 0x82, 0x83, 0x84, 0xFD, 0xFE, 0xFF, 0x00, 0x01]),
).map(bytes)
SOUP = st.lists(
    st.one_of(
        START_BYTES,
        st.sampled_from([bytes(4), b"\x00\x7e", bytes(8), b"a", EURO[:1], EURO[1:], b"\x03\xe8"]),
        st.binary(max_size=9),
    ),
    max_size=20,
).map(b"".join)


@given(SOUP, st.lists(st.integers(0, 200)), st.sampled_from([0, 5, 200]))
@example(masked(TEXT, EURO[:2]) + masked(TEXT, EURO[2:]), [3], 200)
def test_where_the_bytes_are_cut_makes_no_difference(
    data: bytes, cuts: list[int], limit: int
) -> None:
    at_once = read(data, [], limit).verdict
    assert read(data, cuts, limit).verdict == at_once
    assert bytewise(data, limit).verdict == at_once


@given(conversations(), st.data())
def test_a_mutated_conversation_is_read_or_refused(told: Conversation, data: st.DataObject) -> None:
    wire = bytearray(told.wire)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(wire)))
        wire[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    outcome = read(bytes(wire))  # anything but WebSocketError would be raised here
    assert outcome.refused in (0, 1002, 1007, 1009)
    assert bytewise(bytes(wire)).verdict == outcome.verdict
    compare_with_websockets(bytes(wire))


# --- the same bytes to another library -----------------------------------------------------------


def theirs(data: bytes, limit: int) -> Outcome:
    """What ``websockets`` makes of the bytes (its sans-I/O half, and its rule for texts)."""
    protocol = ServerProtocol(state=OPEN, max_size=limit)
    protocol.receive_data(data)
    found: list[Event] = []
    opcode, parts = CONTINUATION, b""
    for received in protocol.events_received():
        assert isinstance(received, Frame)
        if received.opcode >= CLOSE:
            found.append(their_control(received, protocol))
            continue
        opcode, parts = int(received.opcode) or opcode, parts + bytes(received.data)
        if received.fin:
            try:
                found.append(Event(opcode, parts.decode() if opcode == TEXT else parts))
            except UnicodeDecodeError:  # it leaves this to the layer that assembles messages
                return Outcome(found, 1007, False, None)
            parts = b""
    if protocol.parser_exc is not None:
        assert protocol.close_sent is not None
        return Outcome(found, protocol.close_sent.code, False, None)
    return Outcome(found, 0, protocol.close_rcvd is not None, b"")


def their_control(received: Frame, protocol: ServerProtocol) -> Event:
    if received.opcode != CLOSE:
        return Event(int(received.opcode), bytes(received.data))
    assert protocol.close_rcvd is not None
    return Event(CLOSE, protocol.close_rcvd.reason, protocol.close_rcvd.code)


LIMIT = 70_000
PARITY = {
    "text": masked(TEXT, b"abc"),
    "empty text": masked(TEXT),
    "text in greek": masked(TEXT, "κόσμε".encode()),
    "binary": masked(BINARY, bytes(range(256))),
    "length 125": masked(BINARY, bytes(125)),
    "length 126": masked(BINARY, bytes(126)),
    "length 127": masked(BINARY, bytes(127)),
    "length 65535": masked(BINARY, bytes(65535)),
    "length 65536": masked(BINARY, bytes(65536)),
    "fragments": fragments(TEXT, b"a", b"b", b"c"),
    "empty fragments": fragments(BINARY, b"", b"", b""),
    "ping between fragments": masked(TEXT, b"a", False) + masked(PING) + masked(CONTINUATION, b"b"),
    "character across fragments": fragments(TEXT, EURO[:1], EURO[1:]),
    "ping": masked(PING, b"a" * 125),
    "pong nobody asked for": masked(PONG, b"a"),
    "close": closing(1000, b"bye"),
    "close without a code": masked(CLOSE),
    "close, then more": closing(1000) + masked(TEXT, b"a"),
    "close 3000": closing(3000),
    "close 4999": closing(4999),
    "close 1014": closing(1014),
    "half a frame": masked(TEXT, b"abcdef")[:-2],
    # refused by both
    "not masked": masked(TEXT, b"abc", key=None),
    "reserved bit 1": masked(TEXT, b"abc", reserved=4),
    "reserved bit 2": masked(TEXT, b"abc", reserved=2),
    "reserved bit 3": masked(PING, b"abc", reserved=1),
    "reserved opcode 3": masked(3, b"abc"),
    "reserved opcode 15": masked(15, b"abc"),
    "ping of 126 bytes": masked(PING, bytes(126)),
    "fragment of a ping": masked(PING, b"a", False),
    "fragment of a close": masked(CLOSE, b"\x03\xe8", False),
    "nothing to continue": masked(CONTINUATION, b"a"),
    "message in a message": masked(TEXT, b"a", False) + masked(TEXT, b"b"),
    "too long": masked(BINARY, bytes(LIMIT + 1)),
    "too long in fragments": masked(BINARY, bytes(LIMIT), False) + masked(CONTINUATION, b"a"),
    "top bit of a length": masked(BINARY, announced=2**63),
    "not utf-8": masked(TEXT, b"\xc0\xaf"),
    "surrogate": masked(TEXT, b"\xed\xa0\x80"),
    "half a character": masked(TEXT, b"\xe2\x82"),
    "half a close code": masked(CLOSE, b"\x03"),
    "close 999": closing(999),
    "close 1005": closing(1005),
    "close 1015": closing(1015),
    "close 2999": closing(2999),
    "close 5000": closing(5000),
    "reason that is not utf-8": closing(1000, b"\xff"),
    # see DIFFERENT
    "length 5 in 2 bytes": masked(TEXT, b"abcde", size=2),
    "length 5 in 8 bytes": masked(TEXT, b"abcde", size=8),
    "length 126 in 8 bytes": masked(BINARY, bytes(126), size=8),
    "not utf-8, in an unfinished frame": masked(TEXT, b"a\xffbcdef")[:-2],
    "not utf-8, in an unfinished message": masked(TEXT, b"a\xff", False),
    "close between fragments": masked(TEXT, b"a", False) + closing(1000),
    "bad code and bad reason": closing(999, b"\xff"),
}

# our verdict, theirs, and why
DIFFERENT = {
    "length 5 in 2 bytes": (1002, 0, "§5.2: the minimal number of bytes must be used"),
    "length 5 in 8 bytes": (1002, 0, "§5.2: the minimal number of bytes must be used"),
    "length 126 in 8 bytes": (1002, 0, "§5.2: the minimal number of bytes must be used"),
    "top bit of a length": (1002, 1009, "§5.2: it must be 0, whatever the limit is"),
    "not utf-8, in an unfinished frame": (1007, 0, "§8.1: fails as soon as it is certain"),
    "not utf-8, in an unfinished message": (1007, 0, "§8.1: fails as soon as it is certain"),
    "close between fragments": (0, 1002, "§5.4: a control frame may come between fragments"),
    "bad code and bad reason": (1002, 1007, "two errors: the code comes first"),
}


@pytest.mark.parametrize("name", [name for name in PARITY if name not in DIFFERENT])
def test_the_same_verdict_as_websockets(name: str) -> None:
    """Written against websockets 17.4."""
    ours, other = read(PARITY[name], [], LIMIT), theirs(PARITY[name], LIMIT)
    assert (ours.events, ours.refused, ours.ended) == (other.events, other.refused, other.ended)


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_differences_are_still_there(name: str) -> None:
    ours, other, reason = DIFFERENT[name]
    assert reason
    found = read(PARITY[name], [], LIMIT).refused, theirs(PARITY[name], LIMIT).refused
    assert found == (ours, other)


def compare_with_websockets(data: bytes) -> None:
    """What we read, they read as well; what they refuse, so do we."""
    ours, other = read(data), theirs(data, websocket.MAX_MESSAGE)
    assert other.events[: len(ours.events)] == ours.events or closed_early(ours)
    assert ours.refused or not other.refused or closed_early(ours)
    if not ours.refused and not closed_early(ours):
        assert ours.events == other.events


def closed_early(outcome: Outcome) -> bool:
    """A close between fragments is the one thing that only we accept."""
    return any(event.opcode == CLOSE for event in outcome.events)


@given(SOUP)
@settings(max_examples=400)
def test_any_bytes_are_read_as_websockets_reads_them_or_refused(data: bytes) -> None:
    compare_with_websockets(data)


# --- no input costs more than its length ---------------------------------------------------------

N = 40_000


ADVERSARIES = {
    "empty fragments": masked(TEXT, b"", False) + masked(CONTINUATION, b"", False) * N,
    "fragments of a byte": masked(TEXT, b"a", False) + masked(CONTINUATION, b"a", False) * N,
    "pings": masked(PING) * N,
    "small messages": masked(TEXT, b"a") * N,
    "one long text": masked(TEXT, EURO * 300_000),
    "bytes of characters": masked(TEXT, b"", False)
    + b"".join(masked(CONTINUATION, SMILE[i : i + 1], False) for i in range(4)) * (N // 4),
}


@pytest.mark.parametrize("name", ADVERSARIES)
@pytest.mark.timeout(30)
def test_no_input_costs_more_than_its_length(name: str) -> None:
    """Quadratic work would not end within the time-out."""
    data = ADVERSARIES[name]
    assert read(data).refused == 0
    assert read(data, list(range(0, len(data), 1 + len(data) // 5000))).refused == 0
