"""A generator that reads as if everything were here already, and yields while it is not."""

import re


class ChunkedDecoder:
    def __init__(self, max_body=1_048_576):
        self.done, self.rest = False, b""
        self._data, self._out = b"", []
        self._steps = self._run(max_body)

    def feed(self, data):
        if self.done:
            self.rest += data
            return b""
        self._data += data
        self._out = []
        self.done = next(self._steps)
        if self.done:
            self.rest = self._data
        return b"".join(self._out)

    def _run(self, room):
        while True:
            line = yield from self._line()
            found = re.match(rb"[0-9a-fA-F]+(?=[\t ]*;|$)", line)
            if not found or len(found[0]) > 15 or re.search(rb"[^\t -~\x80-\xff]", line):
                raise ValueError("bad size")
            size = int(found[0], 16)
            room -= size
            if room < 0:
                raise ValueError("too much")
            if size == 0:
                break
            while size:
                while not self._data:
                    yield False
                self._out.append(self._data[:size])
                size -= len(self._out[-1])
                self._data = self._data[len(self._out[-1]) :]
            if (yield from self._line()):
                raise ValueError("no CRLF after the data")
        for _ in range(17):
            line = yield from self._line()
            if not line:
                yield True
            if not re.fullmatch(rb"[-!#$%&'*+.^_`|~\w]+:[\t -~\x80-\xff]*", line):
                raise ValueError("bad trailer")
        raise ValueError("too many trailers")

    def _line(self):
        while b"\r\n" not in self._data[:258]:
            if len(self._data) >= 258 or b"\n" in self._data:
                raise ValueError("bad line")
            yield False
        line, self._data = self._data.split(b"\r\n", 1)
        return line
