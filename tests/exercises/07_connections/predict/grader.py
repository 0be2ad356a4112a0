"""Grader of stay-predict: every house is opened on a real server, and nothing is known here.

What is counted is what the clients have got. A thread that could still run is waited for.
"""

import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.grading import Learner
from playground.grading.house import House, hold_against, predictions, request

COUNTS = ("served", "starved", "answered")
EVENT = b"data: welcome\n\n"
PLAIN = "plain"
HANG_UP = 2


@dataclass(frozen=True)
class Case:
    """Which server, how large, and how many streams."""

    letter: str
    setup: str
    workers: int
    threads: int
    streams: int
    app: Callable[[int], Any]
    asked: tuple[str, ...] = COUNTS


def check_a(learner: Learner) -> None:
    """House A: minimal-wsgi, 1 worker × 1 thread, 5 streams."""
    why = "the app runs in the thread until its response ends, and this one does not end"
    compare(learner, Case("A", "minimal-wsgi", 1, 1, 5, stream), why)


def check_b(learner: Learner) -> None:
    """House B: minimal-wsgi, 2 workers × 3 threads, 20 streams."""
    why = "each open stream holds a thread: there is room for workers × threads"
    compare(learner, Case("B", "minimal-wsgi", 2, 3, 20, stream), why)


def check_c(learner: Learner) -> None:
    """House C: gunicorn-gthread, 1 worker × 4 threads, 3 streams."""
    why = "a stream holds one thread, and a page needs one as well"
    compare(learner, Case("C", "gunicorn-gthread", 1, 4, 3, stream), why)


def check_d(learner: Learner) -> None:
    """House D: minimal-wsgi, 1 worker × 3 threads, 7 streams, and two clients hang up."""
    why = "WSGI has no word for a client that goes: the thread finds out when it sends"
    compare(learner, Case("D", "minimal-wsgi", 1, 3, 7, stream, ("served", "more")), why)


def check_e(learner: Learner) -> None:
    """House E: minimal-asgi, 1 worker, 60 streams."""
    why = "a coroutine that awaits holds no thread: the loop goes on with the others"
    compare(learner, Case("E", "minimal-asgi", 1, 1, 60, awaits), why)


def check_f(learner: Learner) -> None:
    """House F: minimal-asgi, 1 worker, 5 streams, and an app that blocks."""
    why = "the loop is one thread: a call that blocks in a coroutine blocks everybody"
    compare(learner, Case("F", "minimal-asgi", 1, 1, 5, blocks), why)


def compare(learner: Learner, case: Case, why: str) -> None:
    """Take the predictions first, then open the house, then hold one against the other."""
    predicted = predictions(learner, [f"{case.letter} {what}" for what in case.asked])
    command, counts = measure(case)
    found = {f"{case.letter} {what}": counts[what] for what in case.asked}
    seen = f"{counts['served']} of {case.streams} clients have got {EVENT!r}"
    hold_against(predicted, found, called=f"{command}, {case.streams} streams", seen=seen, why=why)


def measure(case: Case) -> tuple[str, dict[str, int]]:
    """Open one house: the command, and all counts."""
    with House(case.workers, case.threads, case.setup, case.app) as house:
        for number in range(case.streams):
            house.come(f"stream{number}")
        clients = [guest.connection for guest in house.waiting]
        house.settle()
        served = [client for client in clients if EVENT in received(client)]
        starved = [client for client in clients if client not in served]
        counts = {"served": len(served), "starved": len(starved)}
        if "answered" in case.asked:
            page = house.connect(request(PLAIN))
            house.settle()
            counts["answered"] = int(b"200 OK" in received(page))
            page.close()
        if "more" in case.asked:
            for client in served[:HANG_UP]:
                client.close()
            house.settle()
            counts["more"] = sum(EVENT in received(client) for client in starved)
        return house.command, counts


def received(client: socket.socket) -> bytes:
    """What has arrived, without waiting for more."""
    data = b""
    while select.select([client], [], [], 0)[0]:
        block = client.recv(4096)
        if not block:
            break
        data += block
    return data


# ---- the apps, which run in the server --------------------------------------------------------


def stream(port: int) -> Callable[..., Any]:
    """A WSGI app: one event, then it waits at the gate."""
    wait, plain = waiting(port), PLAIN

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        name = environ["PATH_INFO"][1:]
        if name == plain:
            start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1")])
            return [b"."]
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return events(name)

    def events(name: str) -> Any:
        yield b"data: welcome\n\n"
        wait(name)

    return app


def waiting(port: int) -> Callable[[str], None]:
    """A function that reports at the gate and blocks until it is opened."""

    def wait(name: str) -> None:
        import os
        import socket

        with socket.create_connection(("127.0.0.1", port)) as gate:
            gate.sendall(f"{os.getpid()} {name}\n".encode())
            gate.recv(1)

    return wait


def asynchronous(wait: Callable[[str], Any]) -> Callable[..., Any]:
    """An ASGI app: one event, then await wait(name)."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError("http only")
        start, body = "http.response.start", "http.response.body"
        await send({"type": start, "status": 200, "headers": []})
        if scope["path"] != "/plain":
            await send({"type": body, "body": b"data: welcome\n\n", "more_body": True})
            await wait(scope["path"][1:])
        await send({"type": body, "body": b"."})

    return app


def awaits(port: int) -> Callable[..., Any]:
    """It awaits the gate."""

    async def wait(name: str) -> None:
        import asyncio
        import os

        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{os.getpid()} {name}\n".encode())
        await reader.read(1)
        writer.close()

    return asynchronous(wait)


def blocks(port: int) -> Callable[..., Any]:
    """It blocks at the gate."""
    block = waiting(port)

    async def wait(name: str) -> None:
        block(name)

    return asynchronous(wait)
