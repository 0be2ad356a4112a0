"""The state is a word, the head is built when it is sent, characters are looked at one by one."""

from string import ascii_letters, digits
from wsgiref.util import is_hop_by_hop

TOKEN = set(ascii_letters + digits + "!#$%&'*+-.^_`|~")


class StartResponse:
    def __init__(self, send):
        self.send = send
        self.pending = None
        self.state = "nothing announced"

    def __call__(self, status, headers, exc_info=None):
        if exc_info:
            if self.state == "sent":
                raise exc_info[1]
        else:
            assert self.state == "nothing announced", "called again"
        check_status(status)
        if type(headers) is not list:
            raise TypeError("headers must be a list")
        for header in headers:
            check_header(header)
        self.pending = (status, list(headers))
        self.state = "announced"
        return lambda block: self.write(block)

    def write(self, block):
        if type(block) is not bytes:
            raise TypeError("bytes, please")
        assert self.state != "nothing announced", "no head yet"
        if block and self.state == "announced":
            block = self.take_head() + block
        if block:
            self.send(block)

    def finish(self):
        assert self.state != "nothing announced", "no head yet"
        if self.state == "announced":
            self.send(self.take_head())

    def take_head(self):
        status, headers = self.pending
        self.state = "sent"
        lines = [f"HTTP/1.1 {status}"] + [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("iso-8859-1")


def check_status(status):
    if type(status) is not str:
        raise TypeError("status must be a str")
    code, space, reason = status[:3], status[3:4], status[4:]
    if len(code) != 3 or code[0] not in "2345" or not set(code) <= set(digits):
        raise ValueError("three digits")
    if space != " " or not reason or reason != reason.strip(" "):
        raise ValueError("a space and a reason")
    check_text(reason)


def check_header(header):
    if type(header) is not tuple or len(header) != 2:
        raise TypeError("a tuple of two")
    name, value = header
    if type(name) is not str or type(value) is not str:
        raise TypeError("two str")
    if not name or not set(name) <= TOKEN or is_hop_by_hop(name):
        raise ValueError("name")
    check_text(value)


def check_text(text):
    if any(ord(char) < 32 or ord(char) == 127 or ord(char) > 255 for char in text):
        raise ValueError("control character, or not latin-1")
