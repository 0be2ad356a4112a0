# Cuts the root path off, as WSGI does.
# Message: came back 'path': '/menu'
# Message: nudge SCRIPT_NAME is cut

"""From a request to a scope: the dictionary that an ASGI application is called with."""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

ABSOLUTE = re.compile(rb"https?://[^/?]*", re.IGNORECASE)


def make_scope(
    line: tuple[bytes, bytes, tuple[int, int]],
    fields: list[tuple[bytes, bytes]],
    client: tuple[str, int],
    server: tuple[str, int],
    state: dict[str, Any],
    root_path: str = "",
) -> dict[str, Any]:
    """Return the scope of one request (ASGI HTTP, HTTP Connection Scope)."""
    method, target, version = line
    absolute = ABSOLUTE.match(target)
    path, _, query = (target[absolute.end() :] if absolute else target).partition(b"?")
    raw_path = path or b"/"
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": f"{version[0]}.{version[1]}",
        "method": method.decode("ascii").upper(),
        "scheme": "http",
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace").removeprefix(root_path),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": root_path,
        "headers": [(name.lower(), value) for name, value in fields],
        "client": client,
        "server": server,
        "state": dict(state),
    }
