"""The standard library does the buffering; only the raw end is written here."""

import io


class Raw(io.RawIOBase):
    def __init__(self, receive, length):
        self.receive = receive
        self.left = length

    def readable(self):
        return True

    def readinto(self, target):
        size = min(len(target), self.left)
        if not size:
            return 0
        data = self.receive(size)
        if not data:
            raise ConnectionResetError("hung up in the middle of the body")
        target[: len(data)] = data
        self.left -= len(data)
        return len(data)


class BodyInput(io.BufferedReader):
    def __init__(self, receive, length):
        super().__init__(Raw(receive, length))
