"""Slow, and right: never holds anything, so nothing can be lost."""


class BodyInput:
    def __init__(self, receive, length):
        self.receive, self.left = receive, length
        self.store = bytearray()

    def fill(self):
        data = self.receive(min(self.left, 16))
        if data == b"":
            raise ConnectionAbortedError
        self.store.extend(data)
        self.left -= len(data)

    def one(self):
        if not self.store and self.left:
            self.fill()
        byte = bytes(self.store[:1])
        del self.store[:1]
        return byte

    def up_to(self, size, stop):
        result = b""
        while size is None or size < 0 or len(result) < size:
            byte = self.one()
            result += byte
            if byte in (b"", stop):
                break
        return result

    def read(self, size=None):
        return self.up_to(size, None)

    def readline(self, size=None):
        return self.up_to(size, b"\n")

    def __iter__(self):
        while line := self.readline():
            yield line

    def readlines(self, hint=None):
        lines = []
        for line in self:
            lines.append(line)
            if hint is not None and 0 < hint <= sum(map(len, lines)):
                break
        return lines
