"""Grader of uvicorn-predict: every evening is run on a real server, and nothing is known here.

What is measured is who was in the app together. A thread that could still run is waited for.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from playground.grading import Learner
from playground.grading.house import House, hold_against, predictions

PATIENCE_S = 60.0  # stops a hang
QUICK = ("--timeout-worker-healthcheck", "3")  # how fast a death is noticed; the code is the same
BROKEN = {
    "no_import": "open('no-such-model')\n",
    "no_start": "async def app(scope, receive, send):\n"
    "    assert scope['type'] == 'lifespan'\n"
    "    await receive()\n"
    "    await send({'type': 'lifespan.startup.failed', 'message': 'no model'})\n",
}


def awaits(port: int) -> Callable[..., Any]:
    """An ASGI app that reports at the gate and awaits until it is opened."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        import asyncio

        if scope["type"] != "http":
            raise RuntimeError("http only")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{os.getpid()} {scope['path'][1:]}\n".encode())
        await reader.read(1)
        writer.close()
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"."})

    return app


def check_a(learner: Learner) -> None:
    """Evening A: a limit of 3, and 5 parties."""
    predicted = predictions(learner, ["A inside", "A refused"])
    with House(1, 1, "uvicorn", awaits, ["--limit-concurrency=3"]) as house:
        for name in "abcde":
            house.come(name)
            house.settle()
        refused = [guest.name for guest in house.waiting if status(guest.connection) == b"503"]
        hold_against(
            predicted, {"A inside": len(house.inside), "A refused": len(refused)},
            called=f"{house.command}, 5 parties", seen=inside(house),
            why="the connection that asks is counted too, before it is judged",
        )  # fmt: skip


def check_b(learner: Learner) -> None:
    """Evening B: TTIN, TTOU, TTOU, TTOU."""
    predicted = predictions(learner, ["B workers"])
    with House(2, 1, "uvicorn-workers", awaits) as house:
        for name, said in (
            ("TTIN", "increasing"), ("TTOU", "decreasing"), ("TTOU", "decreasing"),
            ("TTOU", "cannot decrease"),
        ):  # fmt: skip
            heard = house.server.log.count(said)
            house.server.signal(name)
            until(lambda said=said, heard=heard: house.server.log.count(said) > heard)
        until(lambda: house.server.log.count("Waiting for child") == 2)
        hold_against(
            predicted, {"B workers": len(workers(house))},
            called=f"{house.command}, TTIN, TTOU, TTOU, TTOU", seen="its processes were counted",
            why="TTIN is one worker more, TTOU one less, and one always stays",
        )  # fmt: skip


def check_c(learner: Learner) -> None:
    """Evening C: kill -9 of Gunicorn's only worker."""
    predicted = predictions(learner, ["C lost", "C inside"])
    with House(1, 1, "gunicorn-uvicorn", awaits) as house:
        for name in "abc":
            house.come(name)
        until(lambda: settled(house) and len(house.inside) == 3)
        victims = list(house.inside)
        os.kill(victims[0].pid, signal.SIGKILL)
        until(lambda: select.select([victims[0].connection], [], [], 0)[0])
        lost = [guest for guest in victims if not status(guest.connection)]
        house.inside.clear()
        for name in "de":
            house.come(name)
        until(lambda: settled(house) and not house.waiting)
        hold_against(
            predicted, {"C lost": len(lost), "C inside": len(house.inside)},
            called=f"{house.command}, 3 parties, kill -9 of the worker, 2 more parties",
            seen=inside(house),
            why="one process holds them all, and takes them with it; the door is the parent's",
        )  # fmt: skip
        for guest in victims:
            guest.connection.close()


def check_d(learner: Learner) -> None:
    """Evening D: a limit of 2 requests, and 4 parties inside."""
    predicted = predictions(learner, ["D inside", "D served", "D processes"])
    with House(1, 1, "uvicorn", awaits, ["--limit-max-requests=2"]) as house:
        for name in "abcd":
            house.come(name)
        until(lambda: settled(house) and not house.waiting)
        together, served = len(house.inside), 0
        for guest in list(house.inside):
            house.leave(guest)
            served += 1
            guest.connection.close()
        until(lambda: not house.server.running)
        hold_against(
            predicted,
            {
                "D inside": together, "D served": served, "D processes": len(house.server.pids()),
            },
            called=f"{house.command}, 4 parties inside, then they are let go",
            seen="the server has ended",
            why="a limit of requests is counted when they are over; those inside are finished;"
            " without --workers nobody starts another process",
        )  # fmt: skip


def check_e(learner: Learner) -> None:
    """Evening E: an application that cannot start."""
    keys = ["E import", "E lifespan", "E lifespan, two workers"]
    predicted = predictions(learner, keys)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in BROKEN.items():
            Path(folder, f"{name}.py").write_text(text)
        lines = (
            ["no_import:app"], ["no_start:app"], [*QUICK, "--workers", "2", "no_start:app"],
        )  # fmt: skip
        with ThreadPoolExecutor() as pool:
            codes = list(pool.map(lambda line: exit_code(folder, *line), lines))
    hold_against(
        predicted, dict(zip(keys, codes, strict=True)),
        called="uvicorn, an application that cannot start", seen="exit codes of three processes",
        why="1: the import failed; 3: the lifespan did; a supervisor that stops is content",
    )  # fmt: skip


def exit_code(folder: str, *words: str) -> int:
    """How Uvicorn ends. Nothing of it is left behind."""
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "--port", "0", *words],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        return server.wait(PATIENCE_S)
    finally:
        try:
            os.killpg(server.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        server.wait()


def status(connection: Any) -> bytes:
    """The status of an answer, b"" if the connection has ended without one."""
    try:
        found: bytes = connection.recv(4096)[9:12]
    except ConnectionError:
        return b""
    return found


def workers(house: House) -> list[int]:
    """The process ids of the workers."""
    return [one.pid for one in house.server.processes() if one.role == "worker"]


def inside(house: House) -> str:
    """Who is inside, in words."""
    return "inside: " + " ".join(sorted(guest.name for guest in house.inside))


def settled(house: House) -> bool:
    """Wait until nobody else can come in for now."""
    house.settle()
    return True


def until(condition: Callable[[], object]) -> None:
    """Wait for it; the deadline only stops a hang."""
    limit = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"the evening did not settle within {PATIENCE_S:g} s")
        time.sleep(0.01)
