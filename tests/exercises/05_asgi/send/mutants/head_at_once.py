# Sends the head with the start: an app that fails now cannot be answered any more.
# Message: came back returned b'HTTP/1.1 200 OK
# Message: nudge Keep the head

"""What the app sends, and what the client gets: a state machine between messages and bytes."""

from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

START, BODY = "http.response.start", "http.response.body"
PHRASES = {int(status): status.phrase for status in HTTPStatus}


class Response:
    """The response to one request (ASGI HTTP, Response Start and Response Body)."""

    def __init__(self, method: str, minor: int) -> None:
        """Begin the response to a request with this method, in HTTP/1.`minor`: 0 or 1."""
        self.method = method
        self.minor = minor
        self.expected = START  # START, then BODY, then nothing
        self.head: list[bytes] = []  # lines that have not left
        self.length: int | None = None  # the app's content-length
        self.sent = 0
        self.silent = False  # nothing of the body may leave
        self.chunked = False

    def send(self, message: MutableMapping[str, Any]) -> bytes:
        """Take the next message of the app; return the bytes that leave now."""
        if message["type"] != self.expected:
            raise RuntimeError(f"{message['type']}, but expected {self.expected or 'nothing more'}")
        if self.expected == START:
            self.start(message["status"], message.get("headers", ()))
            first, self.head = self.head, []
            return b"".join(line + b"\r\n" for line in first) + b"\r\n"
        return self.body(message.get("body", b""), bool(message.get("more_body", False)))

    def start(self, status: int, headers: Any) -> None:
        """Check everything, then keep it: the head leaves with the first block."""
        if type(status) is not int:
            raise TypeError("the status is an int")
        if not 200 <= status <= 599:
            raise ValueError(f"status {status}")
        head = [b"HTTP/1.1 %d %s" % (status, PHRASES.get(status, "").encode())]
        length = None
        for name, value in headers:
            check_field(name, value)
            if name.lower() == b"content-length":
                if length is not None or not value.isdigit():
                    raise ValueError("content-length: digits, once")
                length = int(value)
            framing = name.lower() == b"content-length" and status == 204
            if not framing and name.lower() != b"transfer-encoding":
                head.append(name + b": " + value)
        self.head, self.length, self.status = head, length, status
        self.silent = self.method == "HEAD" or status == 204
        self.expected = BODY

    def body(self, block: bytes, more: bool) -> bytes:
        """One block, with the head in front of the first one and the end behind the last one."""
        if type(block) is not bytes:
            raise TypeError("a body is bytes")
        sent = self.sent + len(block)
        promised = sent if self.length is None or self.silent else self.length
        if sent > promised or (sent < promised and not more):
            raise RuntimeError(f"{sent} bytes of body, content-length {promised}")
        self.sent = sent
        self.expected = BODY if more else ""
        head = b""
        if self.head:
            self.frame(len(block), more)
            head = b"".join(line + b"\r\n" for line in self.head) + b"\r\n"
            self.head = []
        if self.silent:
            return head
        if self.chunked:
            block = b"%x\r\n%s\r\n" % (len(block), block) if block else b""
            return head + block + (b"" if more else b"0\r\n\r\n")
        return head + block

    def frame(self, size: int, more: bool) -> None:
        """Decide how the client finds the end of the body (RFC 9112 §6.3)."""
        if self.status == 204 or self.length is not None:
            return
        if not more:
            self.head.append(b"content-length: %d" % size)
        elif self.minor == 1:
            self.chunked = True
            self.head.append(b"transfer-encoding: chunked")
        else:
            self.head.append(b"connection: close")


def check_field(name: bytes, value: bytes) -> None:
    """Raise unless both are bytes that stay within their line (RFC 9112 §11.1)."""
    if type(name) is not bytes or type(value) is not bytes:
        raise TypeError("names and values are bytes")
    if any(end in name + value for end in (b"\r", b"\n")):
        raise ValueError("CR or LF in a field")
