"""For graders of WebSockets: what a client sends, byte by byte, right or wrong (RFC 6455 §5.2).

Written apart from `minimal_servers.websocket` on purpose: a mistake there must not become the rule.
"""

from __future__ import annotations

from itertools import cycle

from playground.grading.learner import Learner, Raised, short
from playground.grading.verdict import Failed, fail

KEY = b"\x37\xfa\x21\x3d"  # the masking key of the examples in RFC 6455 §5.7
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def mask(payload: bytes, key: bytes = KEY) -> bytes:
    """Mask or unmask: byte i of the payload XOR byte i modulo 4 of the key (RFC 6455 §5.3)."""
    return bytes(a ^ b for a, b in zip(payload, cycle(key), strict=False))


def header(
    opcode: int, length: int, *, fin: bool = True, rsv: int = 0, masked: bool = True, form: int = 0
) -> bytes:
    """Return the first two bytes of a frame and its longer length, if it has one.

    `rsv` is 0 to 7. `form` is the size of the longer length in bytes: 2 or 8; 0 takes the shortest.
    """
    if not form and length > 125:
        form = 2 if length < 65_536 else 8
    short = {0: length, 2: 126, 8: 127}[form]
    longer = length.to_bytes(form, "big") if form else b""
    return bytes([fin << 7 | rsv << 4 | opcode, masked << 7 | short]) + longer


def client_frame(
    opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, key: bytes = KEY, form: int = 0
) -> bytes:
    """Return a whole frame as a client sends it: masked."""
    return header(opcode, len(payload), fin=fin, rsv=rsv, form=form) + key + mask(payload, key)


def refuses(learner: Learner, code: int, name: str, *args: object, why: str, nudge: str) -> None:
    """Fail unless the call raises the FrameError of the stub with this close code."""
    outcome = learner.expect(name, *args)
    expect_refusal(learner, outcome.raised, code, outcome.called, outcome.value, why, nudge)


def expect_refusal(
    learner: Learner,
    raised: Raised | None,
    code: int,
    called: str,
    value: object,
    why: str,
    nudge: str,
) -> None:
    """Fail unless what was raised is the FrameError of the stub with this close code."""
    expected = f"FrameError raised, with code {code}"
    if raised is None:
        fail(called, f"returned {short(value)}", expected, why=why, nudge=nudge)
    message = raised.message(expected, why, nudge)
    if not any(name.rpartition(".")[2] == "FrameError" for name in raised.mro):
        raise Failed(message)
    found = learner.define("def code_of(error): return getattr(error, 'code', None)", "code_of")
    got = found(raised)
    if got != code:
        message.got += f" (its code is {got!r})"
        raise Failed(message)
