"""Small apps to serve, each for WSGI and, where it makes sense, for ASGI. Standard library only.

Sizes are bounded: ``?s=`` seconds (30 at most), ``?ms=`` milliseconds of processor time (10,000 at
most).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

TEXT = "text/plain; charset=utf-8"

BUNDLED: dict[str, dict[str, str]] = {
    "hello": {"wsgi": f"{__name__}:hello", "asgi": f"{__name__}:async_hello"},
    "slow": {"wsgi": f"{__name__}:slow", "asgi": f"{__name__}:async_slow"},
    "cpu": {"wsgi": f"{__name__}:cpu"},
    "echo": {"wsgi": f"{__name__}:echo"},
    "crash": {"wsgi": f"{__name__}:crash"},
    "stream": {"wsgi": f"{__name__}:stream"},
    "flask-slow": {"wsgi": "playground.setups.flask_app:app"},
    "fastapi-slow": {"asgi": "playground.setups.fastapi_app:app"},
}


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Thirteen bytes at once."""
    return _answer(start_response, b"Hello, world!")


def slow(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Waits one second, or ``?s=`` seconds, and keeps its thread meanwhile."""
    time.sleep(number(environ.get("QUERY_STRING", ""), "s", 1.0, 30.0))
    return _answer(start_response, b"slept\n")


def cpu(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Computes in pure Python for 200, or ``?ms=``, milliseconds of processor time."""
    rounds = burn(number(environ.get("QUERY_STRING", ""), "ms", 200.0, 10_000.0))
    return _answer(start_response, f"{rounds} rounds\n".encode())


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Sends back the request's body (1 MiB at most)."""
    return _answer(start_response, environ["wsgi.input"].read(1 << 20))


def crash(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Raises before it has started a response."""
    raise RuntimeError("broken on purpose")


def stream(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Five blocks, 0.1 or ``?s=`` seconds apart."""
    pause = number(environ.get("QUERY_STRING", ""), "s", 0.1, 5.0)
    start_response("200 OK", [("Content-Type", TEXT)])
    for block in range(1, 6):
        time.sleep(pause)
        yield f"block {block}\n".encode()


async def async_hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Thirteen bytes at once."""
    await _send_answer(scope, send, b"Hello, world!")


async def async_slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Waits one second, or ``?s=`` seconds, and leaves the loop to others meanwhile."""
    if scope["type"] == "http":
        await asyncio.sleep(number(scope["query_string"].decode("latin-1"), "s", 1.0, 30.0))
    await _send_answer(scope, send, b"slept\n")


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


def _answer(start_response: StartResponse, body: bytes) -> list[bytes]:
    start_response("200 OK", [("Content-Type", TEXT), ("Content-Length", str(len(body)))])
    return [body]


async def _send_answer(scope: Scope, send: Send, body: bytes) -> None:
    if scope["type"] != "http":
        raise ValueError(f"this app does not speak {scope['type']}")
    headers = [(b"content-type", TEXT.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
