"""The state is the method that takes the next message."""

from http.client import responses


class Response:
    def __init__(self, method, minor):
        self.method, self.minor = method, minor
        self.state, self.total = self.before, 0

    def send(self, message):
        return self.state(message)

    def before(self, message):
        if message["type"] != "http.response.start":
            raise RuntimeError("start first")
        status, fields = message["status"], list(message.get("headers", []))
        if not isinstance(status, int):
            raise TypeError("status")
        if status not in range(200, 600):
            raise ValueError("status")
        for part in (part for field in fields for part in field):
            if not isinstance(part, bytes):
                raise TypeError("header")
            if set(part) & set(b"\r\n"):
                raise ValueError("header")
        lengths = [value for name, value in fields if name.lower() == b"content-length"]
        if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
            raise ValueError("content-length")
        self.length = int(lengths[0]) if lengths else None
        dropped = {b"transfer-encoding", b"content-length" if status == 204 else b""}
        line = f"HTTP/1.1 {status} {responses.get(status, '')}\r\n".encode()
        kept = [field for field in fields if field[0].lower() not in dropped]
        self.top = line + b"".join(b"%b: %b\r\n" % (name, value) for name, value in kept)
        self.no_content = status == 204
        self.mute = self.no_content or self.method == "HEAD"
        self.state = self.first
        return b""

    def checked(self, message):
        if message["type"] != "http.response.body":
            raise RuntimeError("body now")
        data, more = message.get("body", b""), message.get("more_body", False)
        if not isinstance(data, bytes):
            raise TypeError("body")
        total = self.total + len(data)
        if self.length is not None and not self.mute:
            if total > self.length or (not more and total != self.length):
                raise RuntimeError("content-length")
        self.total = total
        return data, more

    def first(self, message):
        data, more = self.checked(message)
        self.chunks, field = False, b""
        if self.length is None and not self.no_content:
            if not more:
                field = b"content-length: %d\r\n" % len(data)
            elif self.minor:
                self.chunks, field = True, b"transfer-encoding: chunked\r\n"
            else:
                field = b"connection: close\r\n"
        return self.top + field + b"\r\n" + self.framed(data, more)

    def rest(self, message):
        return self.framed(*self.checked(message))

    def framed(self, data, more):
        self.state = self.rest if more else self.over
        if self.mute:
            return b""
        if not self.chunks:
            return data
        chunk = f"{len(data):x}\r\n".encode() + data + b"\r\n" if data else b""
        return chunk if more else chunk + b"0\r\n\r\n"

    def over(self, message):
        raise RuntimeError("it has ended")
