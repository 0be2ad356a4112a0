"""A comprehension over the fields, percent-decoding by hand, and the environ built in one go."""

import sys


def make_environ(line, fields, body, server, mount=""):
    method, target, (major, minor) = line
    path, query = split(target)
    path = decode(path)
    if mount and path != mount and not path.startswith(mount + "/"):
        raise ValueError("outside the mount")
    wsgi = {
        "version": (1, 0),
        "url_scheme": "http",
        "input": body,
        "errors": sys.stderr,
        **dict.fromkeys(("multithread", "multiprocess", "run_once"), False),
    }
    return dict(
        headers(fields),
        REQUEST_METHOD=str(method, "ascii"),
        SCRIPT_NAME=mount,
        PATH_INFO=path[len(mount) :],
        QUERY_STRING=query.decode("iso-8859-1"),
        SERVER_NAME=server[0],
        SERVER_PORT=f"{server[1]}",
        SERVER_PROTOCOL=f"HTTP/{major}.{minor}",
        **{f"wsgi.{key}": value for key, value in wsgi.items()},
    )


def split(target):
    if not target.startswith(b"/"):
        target = target.split(b"://", 1)[1]
        ends = [place for place in (target.find(b"/"), target.find(b"?")) if place >= 0]
        target = target[min(ends) :] if ends else b"/"
        if target.startswith(b"?"):
            target = b"/" + target
    path, _, query = target.partition(b"?")
    return path, query


def decode(path):
    first, *others = path.split(b"%")
    rest = (chr(int(other[:2], 16)) + other[2:].decode("latin-1") for other in others)
    return first.decode("latin-1") + "".join(rest)


def headers(fields):
    collected = {}
    for name, value in fields:
        collected.setdefault(name.upper(), []).append(value.decode("latin-1"))
    for name, values in collected.items():
        if b"_" in name:
            continue
        key = name.decode("latin-1").replace("-", "_")
        if not key.startswith("CONTENT_") or key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            key = "HTTP_" + key
        yield key, ("; " if name == b"COOKIE" else ", ").join(values)
