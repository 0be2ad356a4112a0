"""The 24-byte record: what every tracer writes and every picture is drawn from.

Little-endian ``t_us f64 | dur_us f64 | request u32 | lane u16 | kind u8 | flags u8``. Times are
CLOCK_MONOTONIC in microseconds, which all processes of one machine share (Linux, macOS). Standard
library only: servers import this.
"""

import functools
import struct
import time
from enum import IntEnum, IntFlag

RECORD = struct.Struct("<ddIHBB")
OPEN = float("nan")  # dur_us of a span that has begun and not ended
UNTRACKED = 0x8000_0000  # numbers from here on: requests that carried no traceparent of the run
NAME_SHIFT = 4  # flags of an AWAIT: above these bits the number of its name, 0 if it has none
NAMES = 15  # in one trace; ``meta["awaits"]`` holds them, and the empty name first
NOBODY = 0  # the request of what is known of a lane, and not of one request: the sampler's parts
CLIENT_LANE = 0  # "the client's clock"


class Kind(IntEnum):
    """What a record is about. For GAUGE ``dur_us`` holds the value and ``lane`` names the gauge."""

    REQUEST = 1
    CLIENT = 2
    QUEUE = 3
    STEP = 4
    AWAIT = 5
    READY = 6
    WORKER = 7
    RECV = 8
    SEND = 9
    IDLE = 10
    GAUGE = 11


class Flag(IntFlag):
    """How far a record may be trusted, and whether what it covers went wrong."""

    NONE = 0
    LOWER_BOUND = 1
    ERROR = 2
    SAMPLED = 4
    SIMULATED = 8


def now_us() -> float:
    """The time on CLOCK_MONOTONIC in microseconds."""
    return time.monotonic_ns() / 1000


def make_traceparent(trace_id: str, request: int) -> str:
    """A W3C Trace Context header for one request of a run.

    ``trace_id`` is 32 lower-case hexadecimal digits, not all zero; ``request`` is 1 … 0x7fffffff
    and becomes the low 32 bits of the parent id. Source: W3C Trace Context, section 3.2.2.
    """
    return f"00-{trace_id}-{request:016x}-01"


def parse_traceparent(value: str) -> tuple[int, int] | None:
    """``(run tag, request number)`` of a traceparent made by a run of ours, or None for any other
    value.

    The run tag is the low 32 bits of the trace id: enough to tell the runs of one server apart.
    """
    run = _run_of(value[:44])
    if run is None or len(value) != 55:
        return None
    try:
        request = int(value[44:52], 16)
    except ValueError:
        return None
    return (run, request) if 0 < request < UNTRACKED else None


@functools.lru_cache(maxsize=4)  # a few runs at a time
def _run_of(start: str) -> int | None:
    """The run tag of a traceparent that begins like this."""
    if start[2:3] != "-" or start[35:] != "-00000000":
        return None
    try:
        return int(start[27:35], 16)
    except ValueError:
        return None


def run_tag(trace_id: str) -> int:
    """The low 32 bits of a trace id of 32 hexadecimal digits."""
    return int(trace_id[-8:], 16)
