"""No regular expression; unquote with an error handler."""

from urllib.parse import unquote


def make_scope(line, fields, client, server, state, root_path=""):
    method, target, (major, minor) = line
    for scheme in (b"http://", b"https://"):
        if target.lower().startswith(scheme):
            rest = target[len(scheme) :]
            ends = [rest.index(mark) for mark in (b"/", b"?") if mark in rest]
            target = rest[min(ends) :] if ends else b""
    path, query = target, b""
    if b"?" in target:
        path, query = target.split(b"?", 1)
    if not path:
        path = b"/"
    scope = {"type": "http", "scheme": "http", "client": client, "server": server}
    scope["asgi"] = {"version": "3.0", "spec_version": "2.4"}
    scope["http_version"] = str(major) + "." + str(minor)
    scope["method"] = str(method, "latin-1").upper()
    text = "".join(c if ord(c) < 128 else f"%{ord(c):02X}" for c in path.decode("latin-1"))
    scope.update(
        root_path=root_path, path=unquote(text, errors="replace"), raw_path=path, query_string=query
    )
    scope.update(headers=[(bytes.lower(n), v) for n, v in fields], state={**state})
    return scope
