"""Small apps to serve. Standard library only; here those for WSGI (PEP 3333), and the list of all.

Sizes are bounded: ``?s=`` seconds (30 at most), ``?ms=`` milliseconds of processor time (10,000 at
most). Every app of the list answers ``/health`` at once and, except in the frameworks' slow ones,
``/counts`` with what its process has open and has made.
"""

import functools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

TEXT = "text/plain; charset=utf-8"
EVENTS = "text/event-stream"
BLOCK = 1 << 16  # bytes of each block of a big body, or of an upload that is read
MOST_EVENTS = 100_000
ASGI = "playground.setups.async_apps"
FASTAPI = "playground.setups.fastapi_app"
DISHES = "playground.setups.dishes"

BUNDLED: dict[str, dict[str, str]] = {
    "hello": {"wsgi": f"{__name__}:hello", "asgi": f"{ASGI}:hello"},
    "slow": {"wsgi": f"{__name__}:slow", "asgi": f"{ASGI}:slow"},
    "cpu": {"wsgi": f"{__name__}:cpu", "asgi": f"{ASGI}:cpu"},
    "events": {"wsgi": f"{__name__}:events", "asgi": f"{ASGI}:events"},
    "big": {"wsgi": f"{__name__}:big", "asgi": f"{ASGI}:big"},
    "upload": {"wsgi": f"{__name__}:upload", "asgi": f"{ASGI}:upload"},
    "echo": {"wsgi": f"{__name__}:echo"},
    "crash": {"wsgi": f"{__name__}:crash"},
    "stream": {"wsgi": f"{__name__}:stream"},
    "block": {"asgi": f"{ASGI}:block"},
    "threads": {"asgi": f"{ASGI}:threads"},
    "ws": {"asgi": f"{ASGI}:ws"},
    "flask-slow": {"wsgi": "playground.setups.flask_app:app"},
    "django-slow": {
        "wsgi": "playground.setups.django_app:application",
        "asgi": "playground.setups.django_app:asgi_application",
    },
    "fastapi-slow": {"asgi": f"{FASTAPI}:app"},
    "pool": {"asgi": f"{FASTAPI}:pool"},
    "truck": {"asgi": f"{FASTAPI}:truck"},
    "chat": {"asgi": "playground.setups.chat_app:app"},
    "wsgi": {"wsgi": f"{DISHES}.wsgi_app:app"},
    "asgi": {"asgi": f"{DISHES}.asgi_app:app"},
    "flask": {"wsgi": f"{DISHES}.flask_app:app"},
    "django": {
        "wsgi": f"{DISHES}.django_app:application",
        "asgi": f"{DISHES}.django_async:application",
    },
    "fastapi": {"asgi": f"{DISHES}.fastapi_app:app"},
    "starlette": {"asgi": f"{DISHES}.starlette_app:app"},
}

# What this process has open (streams of events, WebSockets) and the bytes of big bodies it made.
COUNTS = Counter(streams=0, sockets=0, made=0)


def aside(path: str) -> bytes | None:
    """What every app answers at once: its health, and its counts as JSON; None elsewhere."""
    if path == "/health":
        return b"ok\n"
    return json.dumps(COUNTS).encode() if path == "/counts" else None


def with_health(app: Application) -> Application:
    """``app``, with ``/health`` and ``/counts`` answered beside it."""

    @functools.wraps(app)
    def either(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        said = aside(environ.get("PATH_INFO", ""))
        return app(environ, start_response) if said is None else answer(start_response, said)

    return either


@with_health
def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Thirteen bytes at once."""
    return answer(start_response, b"Hello, world!")


@with_health
def slow(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Waits one second, or ``?s=`` seconds, and keeps its thread meanwhile."""
    time.sleep(number(environ.get("QUERY_STRING", ""), "s", 1.0, 30.0))
    return answer(start_response, b"slept\n")


@with_health
def cpu(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Computes in pure Python for 200, or ``?ms=``, milliseconds of processor time."""
    rounds = burn(number(environ.get("QUERY_STRING", ""), "ms", 200.0, 10_000.0))
    return answer(start_response, f"{rounds} rounds\n".encode())


@with_health
def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Sends back the request's body (1 MiB at most)."""
    return answer(start_response, environ["wsgi.input"].read(1 << 20))


@with_health
def crash(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Raises before it has started a response."""
    raise RuntimeError("broken on purpose")


@with_health
def stream(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Five blocks, 0.1 or ``?s=`` seconds apart."""
    pause = number(environ.get("QUERY_STRING", ""), "s", 0.1, 5.0)
    start_response("200 OK", [("Content-Type", TEXT)])
    for block in range(1, 6):
        time.sleep(pause)
        yield f"block {block}\n".encode()


@with_health
def events(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Server-sent events, 0.1 or ``?s=`` seconds apart: ``?n=`` of them, or until the client goes.

    The server notices that when it sends the next one; the thread is kept until then.
    """
    pause, last = pace(environ.get("QUERY_STRING", ""))
    start_response("200 OK", [("Content-Type", EVENTS), ("Cache-Control", "no-store")])
    return event_stream(pause, last)


def event_stream(pause: float, last: int) -> Iterator[bytes]:
    """So many server-sent events with pauses, counted as long as they are read."""
    COUNTS["streams"] += 1
    try:
        for count in range(1, last + 1):
            yield event(count)
            time.sleep(pause)
    finally:
        COUNTS["streams"] -= 1


@with_health
def big(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """A body of ``?mb=`` MiB (1024), produced block by block as the server takes them."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    block = bytes(BLOCK)
    for _ in range(blocks(environ.get("QUERY_STRING", ""))):
        COUNTS["made"] += BLOCK
        yield block


@with_health
def upload(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Reads the request's body, with ``?s=`` seconds (0) before each block, and tells its size."""
    pause, size = number(environ.get("QUERY_STRING", ""), "s", 0.0, 5.0), 0
    while True:
        time.sleep(pause)
        block = environ["wsgi.input"].read(BLOCK)
        size += len(block)
        if not block:
            return answer(start_response, f"{size} bytes\n".encode())


def event(count: int) -> bytes:
    """One server-sent event (HTML Living Standard, section 9.2)."""
    return f"id: {count}\ndata: event {count}\n\n".encode()


def pace(query: str) -> tuple[float, int]:
    """Seconds between events, and how many there are (0 = as many as anybody wants)."""
    pause = number(query, "s", 0.1, 5.0)
    return pause, int(number(query, "n", 0.0, MOST_EVENTS)) or MOST_EVENTS


def blocks(query: str) -> int:
    """How many blocks a big body has."""
    return int(number(query, "mb", 1024.0, 1024.0) * (1 << 20)) // BLOCK


def burn(milliseconds: float) -> int:
    """Count in pure Python until the thread has used that much processor time."""
    end = time.thread_time() + milliseconds / 1000
    rounds = 0
    while time.thread_time() < end:
        rounds += 1
    return rounds


def number(query: str, name: str, default: float, most: float) -> float:
    """A number from a query string; the default for anything that is none, ``most`` at most."""
    try:
        value = float(parse_qs(query)[name][0])
    except (KeyError, ValueError):
        return default
    return min(max(value, 0.0), most) if value == value else default


def answer(start_response: StartResponse, body: bytes) -> list[bytes]:
    """A whole response."""
    start_response("200 OK", [("Content-Type", TEXT), ("Content-Length", str(len(body)))])
    return [body]
