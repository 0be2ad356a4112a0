"""The applications that the tests serve. Imported by the server, so standard library only."""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.validate import validator

Environ = dict[str, Any]
Start = Callable[..., Callable[[bytes], None]]

TEXT = [("Content-Type", "text/plain")]
closed: list[str] = []  # what close() was called on, in this process


def stop(name: str) -> None:
    """Wait at the gate of the test (see serving.Gate)."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(os.environ["GATE"])
        sock.sendall(f"{name}|{os.getpid()}|{threading.get_ident()}".encode())
        sock.recv(1)


class Body:
    """An iterable that counts its close()."""

    def __init__(self, name: str, blocks: Iterable[bytes]) -> None:
        self.name = name
        self.blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.blocks)

    def close(self) -> None:
        closed.append(self.name)


def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Answer with what the path names."""
    name = environ["PATH_INFO"].strip("/") or "hello"
    return globals()[f"serve_{name}"](environ, start_response)


def serve_hello(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return [b"hello"]


def serve_environ(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    plain = {k: v for k, v in environ.items() if isinstance(v, (str, bool, tuple))}
    return [json.dumps(plain).encode()]


def serve_echo(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return [environ["wsgi.input"].read()]


def serve_query(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return [environ["QUERY_STRING"].encode()]


def serve_ignore(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Leave the body of the request unread."""
    start_response("200 OK", TEXT)
    return [environ["REQUEST_METHOD"].encode()]


def serve_closed(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return [json.dumps(closed).encode()]


def serve_pid(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return [str(os.getpid()).encode()]


def serve_gate(environ: Environ, start_response: Start) -> Iterable[bytes]:
    stop(environ["QUERY_STRING"])
    start_response("200 OK", TEXT)
    return [environ["QUERY_STRING"].encode()]


def serve_lazy(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Two blocks; the second only when the test allows it."""
    fields = [("Content-Length", "10")] if environ["QUERY_STRING"] == "length" else []
    start_response("200 OK", TEXT + fields)

    def blocks() -> Iterator[bytes]:
        yield b"first"
        stop("between")
        yield b"secnd"

    return Body("lazy", blocks())


def serve_write(environ: Environ, start_response: Start) -> Iterable[bytes]:
    write = start_response("200 OK", TEXT)
    write(b"first")
    stop("between")
    write(b"secnd")
    return Body("write", [])


def serve_endless(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Send until the client has gone."""
    start_response("200 OK", TEXT)

    def blocks() -> Iterator[bytes]:
        while True:
            yield b"x" * 10_000

    return Body("endless", blocks())


def serve_large(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """50 MB in one list."""
    start_response("200 OK", TEXT)
    return [b"x" * 1_000_000] * 50


def serve_broken(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Fail before, or after the head, in all sorts of ways (?where=...)."""
    where = environ["QUERY_STRING"]
    if where == "call":
        raise RuntimeError("as the test wanted")
    if where == "exit":
        sys.exit(7)
    if where == "none":
        start_response("200 OK", TEXT)
        return None  # type: ignore[return-value]
    if where == "silent":
        return [b"no start_response"]
    if where == "str":
        start_response("200 OK", TEXT)
        return ["text"]  # type: ignore[list-item]
    fields = [("Content-Length", "100")] if where.endswith("length") else []
    start_response("200 OK", TEXT + fields)

    def blocks() -> Iterator[bytes]:
        if where == "first":
            raise RuntimeError("before the first block")
        yield b"some bytes"
        if where.startswith("short"):
            return
        if where.startswith("exit"):
            sys.exit(7)
        if where.startswith("late"):
            try:
                raise RuntimeError("in the middle")
            except RuntimeError:
                start_response("500 Oh", TEXT, sys.exc_info())
                yield b"an error page"
        raise RuntimeError("in the middle")

    return Body(f"broken {where}", blocks())


def serve_long(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """More than was declared."""
    start_response("200 OK", [*TEXT, ("Content-Length", "4")])
    return Body("long", [b"12", b"345", b"678"])


def serve_status(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """?204 is answered with 204 and a body that must not be sent."""
    start_response(f"{environ['QUERY_STRING']} Status", TEXT)
    return iter([b"a body"])


def serve_header(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [("X-Evil", "a\r\nSet-Cookie: b")])
    return [b"never"]


def serve_file(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](open(__file__, "rb"), 100)


def serve_die(environ: Environ, start_response: Start) -> Iterable[bytes]:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    return []


def strict(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """The same, watched by the validator of the standard library on both sides."""
    return validator(serve_validated)(environ, start_response)


def serve_validated(environ: Environ, start_response: Start) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(5) + environ["wsgi.input"].readline()
    body += b"".join(environ["wsgi.input"])
    start_response("200 OK", [*TEXT, ("X-Length", str(len(body)))])
    return Body("validated", iter([b"", body or b"nothing", b"", b"!"]))
