# Drops the body of the answer to HEAD before its length is taken.
# Message: called build_response(200, [('Content-Type', 'text/plain')], b'hello', 'HEAD')
# Message: Content-Length: 0
# Message: nudge Only the last step differs

import re
from http import HTTPStatus

NAME = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+")  # RFC 9110 §5.6.2
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 §5.5, as latin-1 text
OURS = {"content-length", "transfer-encoding"}
REASONS = {status.value: status.phrase for status in HTTPStatus}


def build_response(
    status: int, fields: list[tuple[str, str]], body: bytes, method: str = "GET"
) -> bytes:
    """Return a whole HTTP/1.1 response as bytes. `method` is that of the request.

    RFC 9112 §4 and §6.3. Raises ValueError for what would break the response in two.
    """
    if method == "HEAD":
        body = b""
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is not a final status")
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, '')}"]
    lines += [field_line(name, value) for name, value in fields]
    bodyless = status in (204, 304)
    if not bodyless:
        lines.append(f"Content-Length: {len(body)}")
    head = "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"
    return head if bodyless or method == "HEAD" else head + body


def field_line(name: str, value: str) -> str:
    """Return one field without its CRLF. Raises ValueError for what is no field."""
    if NAME.fullmatch(name) is None or name.lower() in OURS:
        raise ValueError(f"not a field for the app to set: {name!r}")
    if VALUE.fullmatch(value) is None:  # subtle: CR LF in a value would begin another field
        raise ValueError(f"not a field value: {value!r}")
    return f"{name}: {value}"
