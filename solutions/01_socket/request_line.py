"""The first line of a request: `GET /menu HTTP/1.1`."""

import re

REQUEST_LINE = re.compile(
    rb"([A-Za-z0-9!#$%&'*+\-.^_`|~]+) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])"  # RFC 9112 §3, §2.3
)


def parse_request_line(line: bytes) -> tuple[bytes, bytes, tuple[int, int]]:
    """Return (method, target, version) of a request line, given without its CRLF.

    Raises ValueError for a line that RFC 9112 §3 does not allow.
    """
    match = REQUEST_LINE.fullmatch(line)  # subtle: `match` would allow anything after the version
    if match is None:
        raise ValueError(f"not a request line: {line!r}")
    method, target, major, minor = match.groups()
    return method, target, (int(major), int(minor))
