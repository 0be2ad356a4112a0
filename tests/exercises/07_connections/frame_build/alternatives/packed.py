"""With struct, and a reason that grows character by character."""

import struct


def build_frame(opcode, payload, fin=True):
    if opcode in (8, 9, 10):
        if not fin or len(payload) > 125:
            raise ValueError("control")
    elif opcode not in (0, 1, 2):
        raise ValueError("opcode")
    first = 128 * fin + opcode
    if len(payload) > 0xFFFF:
        head = struct.pack("!BBQ", first, 127, len(payload))
    elif len(payload) > 125:
        head = struct.pack("!BBH", first, 126, len(payload))
    else:
        head = struct.pack("!BB", first, len(payload))
    return b"".join((head, payload))


def build_close(code=None, reason=""):
    if code is None and not reason:
        return b"\x88\x00"
    if code not in {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}:
        raise ValueError("code")
    text = b""
    for character in reason:
        if len(text + character.encode()) > 123:
            break
        text += character.encode()
    return build_frame(8, struct.pack("!H", code) + text)
