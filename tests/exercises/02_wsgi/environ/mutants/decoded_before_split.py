# Decodes the whole target first, and splits then.
# Message: environ['PATH_INFO'] = '/a'
# Message: environ['PATH_INFO'] = '/a?b'
# Message: nudge Split at the first '?', then decode once.

"""From a request to `environ`: the dictionary that Flask and Django read."""

import re
import sys
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

ABSOLUTE = re.compile(rb"https?://[^/?]*", re.IGNORECASE)  # RFC 9112 §3.2.2: scheme, authority
BARE = ("CONTENT_TYPE", "CONTENT_LENGTH")  # RFC 3875 §4.1.2 and §4.1.3


def make_environ(
    line: tuple[bytes, bytes, tuple[int, int]],
    fields: list[tuple[bytes, bytes]],
    body: BinaryIO,
    server: tuple[str, int],
    mount: str = "",
) -> dict[str, Any]:
    """Return the environ of one request (PEP 3333, environ Variables).

    Raises ValueError for a path outside the mount.
    """
    method, target, version = line
    path, query = split_target(unquote_to_bytes(target))
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method.decode("latin-1"),
        "SCRIPT_NAME": mount,
        "PATH_INFO": below(mount, path.decode("latin-1")),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{version[0]}.{version[1]}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in fields:
        if b"_" not in name:  # subtle: Content_Length would become CONTENT_LENGTH
            add_field(environ, name.decode("latin-1"), value.decode("latin-1"))
    return environ


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """Return (path, query), both still percent-encoded."""
    absolute = ABSOLUTE.match(target)  # never urlsplit: it takes //a for a host
    rest = target[absolute.end() :] if absolute else target
    path, _, query = rest.partition(b"?")
    return path or b"/", query


def below(mount: str, path: str) -> str:
    """Return what of the path is left below the mount."""
    rest = path.removeprefix(mount)
    if not path.startswith(mount) or rest[:1] not in ("", "/"):
        raise ValueError(f"{path!r} is not below {mount!r}")
    return rest


def add_field(environ: dict[str, Any], name: str, value: str) -> None:
    """Add one header field, or append to the one of the same name."""
    key = name.upper().replace("-", "_")
    if key not in BARE:
        key = f"HTTP_{key}"
    if key in environ:
        value = environ[key] + ("; " if key == "HTTP_COOKIE" else ", ") + value
    environ[key] = value
