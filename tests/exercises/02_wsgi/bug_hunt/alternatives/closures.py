"""Closures instead of a class, recv instead of makefile, a generator for the input."""

import io
import sys
from urllib.parse import unquote


def serve(listener, app):
    while True:
        connection = listener.accept()[0]
        try:
            request = receive(connection)
            if request:
                exchange(app, environ(*request, listener.getsockname()), connection)
        except OSError:
            pass
        finally:
            connection.close()


def receive(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(1000)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("iso-8859-1").split("\r\n")
    fields = [line.split(":", 1) for line in rest]
    length = next((int(v) for k, v in fields if k.lower() == "content-length"), 0)
    while len(body) < length:
        more = connection.recv(length - len(body))
        if not more:
            return None
        body += more
    return first, fields, body[:length]


def environ(first, fields, body, address):
    method, target, protocol = first.split(" ")
    path, _, query = target.partition("?")
    result = dict.fromkeys(("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"), False)
    for name, value in fields:
        if "_" in name:
            continue
        key = name.replace("-", "_").upper()
        prefix = "" if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else "HTTP_"
        result[prefix + key] = value.strip("\t ")
    return result | {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, "iso-8859-1"),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": protocol,
        "SERVER_NAME": address[0],
        "SERVER_PORT": str(address[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BufferedReader(io.BytesIO(body)),
        "wsgi.errors": sys.stderr,
    }


def exchange(app, env, connection):
    announced = None
    sent = False
    size = None

    def send(block):
        nonlocal sent
        status, headers = announced
        bare = status.startswith(("204", "304"))
        data = b"" if bare or env["REQUEST_METHOD"] == "HEAD" else block
        if not sent:
            sent = True
            lines = [f"HTTP/1.1 {status}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in headers]
            names = {name.lower() for name, _ in headers}
            if size is not None and not bare and "content-length" not in names:
                lines.append(f"Content-Length: {size}")
            data = "\r\n".join([*lines, "", ""]).encode("iso-8859-1") + data
        connection.sendall(data)

    def write(block):
        if type(block) is not bytes:
            raise TypeError("bytes, please")
        if announced is None:
            raise AssertionError("start_response first")
        if block != b"":
            send(block)

    def start_response(status, headers, exc_info=None):
        nonlocal announced
        if exc_info and sent:
            raise exc_info[1]
        if announced and not exc_info:
            raise AssertionError("twice")
        announced = (status, headers)
        return write

    result = None
    try:
        result = app(env, start_response)
        size = sum(map(len, result)) if type(result) in (list, tuple) else None
        for block in result:
            write(block)
        if not sent:
            send(b"")
    except (SystemExit, Exception):
        if not sent:
            announced, size = ("500 Sorry", []), 0
            send(b"")
    finally:
        try:
            getattr(result, "close", int)()
        except Exception:
            pass
