"""A state machine that looks at one byte after the other and keeps no buffer but the line."""

HEX = b"0123456789abcdef"
TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class ChunkedDecoder:
    def __init__(self, max_body=1_048_576):
        self.done, self.rest = False, b""
        self.state, self.line, self.cr = "size", b"", False
        self.missing, self.room, self.trailers = 0, max_body, 0

    def feed(self, data):
        out = bytearray()
        for place, byte in enumerate(data):
            if self.done:
                self.rest += data[place:]
                break
            if self.state == "data":
                out.append(byte)
                self.missing -= 1
                if not self.missing:
                    self.state = "end"
            else:
                self.in_line(byte)
        return bytes(out)

    def in_line(self, byte):
        if self.cr:
            if byte != 10:
                raise ValueError("a CR alone")
            line, self.line, self.cr = self.line, b"", False
            getattr(self, f"line_{self.state}")(line)
        elif byte == 13:
            self.cr = True
        elif (byte < 32 and byte != 9) or byte == 127:
            raise ValueError("a control character")
        else:
            self.line += bytes([byte])
            if len(self.line) > (0 if self.state == "end" else 256):
                raise ValueError("the line is too long")

    def line_size(self, line):
        text, semicolon, _ = line.lower().partition(b";")
        if semicolon:
            text = text.rstrip(b"\t ")
        if not 1 <= len(text) <= 15 or any(digit not in HEX for digit in text):
            raise ValueError("no size")
        for digit in text:
            self.missing = self.missing * 16 + HEX.index(digit)
        self.room -= self.missing
        if self.room < 0:
            raise ValueError("too large")
        self.state = "data" if self.missing else "trailer"

    def line_end(self, line):
        self.state = "size"

    def line_trailer(self, line):
        if not line:
            self.done = True
            return
        name, colon, _ = line.partition(b":")
        self.trailers += 1
        if not name or not colon or not TOKEN.issuperset(name) or self.trailers > 16:
            raise ValueError("no trailer")
