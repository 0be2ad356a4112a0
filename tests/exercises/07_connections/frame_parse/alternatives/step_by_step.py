"""A reader with a position, and the mask byte by byte."""

import struct


class FrameError(Exception):
    def __init__(self, code, reason):
        self.code = code


class Incomplete(Exception):
    pass


def parse_frame(data, max_payload=1_048_576):
    position = 0

    def take(count):
        nonlocal position
        position += count
        if position > len(data):
            raise Incomplete
        return data[position - count : position]

    def demand(condition, code=1002):
        if not condition:
            raise FrameError(code, "no")

    try:
        (first,) = take(1)
        control = bool(first & 8)
        demand(first & 0b01110000 == 0)
        demand(first & 15 in (0, 1, 2, 8, 9, 10))
        demand(first & 128 or not control)
        (second,) = take(1)
        demand(second & 128)
        size = second - 128
        demand(size < 126 or not control)
        if size == 126:
            (size,) = struct.unpack("!H", take(2))
            demand(size > 125)
        elif size == 127:
            (size,) = struct.unpack("!q", take(8))
            demand(size > 65_535)
        demand(size <= max_payload, 1009)
        key = take(4)
        payload = bytes(byte ^ key[place % 4] for place, byte in enumerate(take(size)))
    except Incomplete:
        return None
    return first > 127, first & 15, payload, position
