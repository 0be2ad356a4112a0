"""A list of parts, None while no message is under way; UTF-8 checked on what is here so far."""


class FrameError(Exception):
    def __init__(self, code, reason=""):
        self.code = code


def utf_8(data, whole):
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if whole or error.reason != "unexpected end of data":
            raise FrameError(1007) from None


class Messages:
    def __init__(self, max_message=1_048_576):
        self.room, self.parts, self.kind, self.over = max_message, None, "", False

    def take(self, fin, opcode, payload):
        if self.over:
            return None
        if opcode > 8:
            return ("ping", "pong")[opcode - 9], payload
        if opcode == 8:
            self.over = True
            return self.close(payload)
        if (self.parts is None) == (opcode == 0):
            raise FrameError(1002)
        if opcode:
            self.parts, self.kind = [], opcode
        self.parts.append(payload)
        if sum(map(len, self.parts)) > self.room:
            raise FrameError(1009)
        whole = b"".join(self.parts)
        text = utf_8(whole, fin) if self.kind == 1 else ""
        if fin:
            self.parts = None
            return ("text", text) if self.kind == 1 else ("binary", whole)

    def close(self, payload):
        if not payload:
            return "close", 1005, ""
        code = payload[0] * 256 + payload[1] if len(payload) > 1 else 0
        if code not in {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}:
            raise FrameError(1002)
        return "close", code, utf_8(payload[2:], True)
