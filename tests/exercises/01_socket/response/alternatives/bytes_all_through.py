"""Works in bytes from the start, and looks at every byte instead of matching a pattern."""

import http.client
import string

TOKEN = frozenset((string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode())
CONTROLS = frozenset([*range(9), *range(10, 32), 127])


def build_response(status, fields, body, method="GET"):
    if status // 100 not in (2, 3, 4, 5):
        raise ValueError(status)
    out = [b"HTTP/1.1 %d " % status + http.client.responses.get(status, "").encode()]
    for name, value in fields:
        raw_name, raw_value = name.encode("ascii"), value.encode("latin-1")
        if not raw_name or not TOKEN.issuperset(raw_name) or CONTROLS.intersection(raw_value):
            raise ValueError((name, value))
        if raw_name.upper() in (b"CONTENT-LENGTH", b"TRANSFER-ENCODING"):
            raise ValueError(name)
        out.append(raw_name + b": " + raw_value)
    if status in (204, 304):
        return b"\r\n".join([*out, b"", b""])
    out.append(b"Content-Length: " + str(len(body)).encode())
    return b"\r\n".join([*out, b"", b"" if method == "HEAD" else body])
