"""Grader of uvicorn-flags: Uvicorn reads the words, then runs with them, and is watched."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any, NoReturn

import click
from uvicorn.main import main

from playground.grading import Learner, Raised, fail
from playground.grading.house import House
from playground.setups.catalogue import ServeError

TWO_HOSTS = b"GET /two HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
PATIENCE_S = 20.0  # stops a hang
IDLE_S = 10  # the proxy's
PASSED = {
    "lifespan": "--lifespan",
    "limit_concurrency": "--limit-concurrency",
    "timeout_graceful_shutdown": "--timeout-graceful-shutdown",
    "timeout_keep_alive": "--timeout-keep-alive",
}  # what is handed on to the server that is watched


class Truck:
    """An ASGI application that asks at the gate; its lifespan may have a bug."""

    def __init__(self, port: int, bug: bool = False) -> None:
        self.port, self.bug = port, bug

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
        elif scope["path"] == "/two":
            await answer(send)
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(f"{os.getpid()} {scope['path'][1:]}\n".encode())
            await reader.read(1)
            writer.close()
            await answer(send)

    async def lifespan(self, receive: Any, send: Any) -> None:
        """Start and end, or fail."""
        await receive()
        if self.bug:
            raise KeyError("the model")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def answer(send: Any) -> None:
    """200, and one byte."""
    headers = [(b"content-length", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"."})


def check_workers(learner: Learner) -> None:
    """Objective 1: two processes, and one that dies is replaced."""
    chosen = settings(learner)
    if chosen["reload"] or chosen["workers"] != 2:
        got = "--reload: one process, the number of workers is ignored" if chosen["reload"] else (
            f"workers: {chosen['workers'] or 1}")  # fmt: skip
        refuse(
            learner, got, "two processes that serve", why="--workers starts the supervisor",
            nudge="--reload is for your desk." if chosen["reload"] else "How many trucks?",
        )  # fmt: skip
    with start(learner, workers=2) as house:
        before = serving(house)
        victim = house.server.kill_worker()
        until(lambda: victim not in serving(house) and len(serving(house)) == 2)
        if len(before) != 2:
            refuse(learner, f"{len(before)} processes", "2 processes", why="one for each worker")


def check_lifespan(learner: Learner) -> None:
    """Objective 2: a bug in the lifespan, and it does not start."""
    try:
        house = start(learner, bug=True)
    except ServeError:
        return
    with house:
        fail(
            f"{house.command}; the application raises KeyError in its lifespan",
            "it serves", "it does not start",
            why="auto: who raises does not know the lifespan, and is served without it",
            nudge="What does `--lifespan` know besides auto?",
        )  # fmt: skip


def check_room(learner: Learner) -> None:
    """Objective 3: three come in, the others get a 503."""
    with start(learner) as house:
        for name in "abcdef":
            house.come(name)
            house.settle()
        inside = len(house.inside)
        refused = [first(guest.connection) for guest in house.waiting] if inside == 3 else []
        if inside != 3 or refused != [b"503"] * 3:
            fail(
                f"{house.command}, 6 parties one after the other, and all of them stay",
                f"inside: {inside}", "inside: 3, the others get a 503",
                why="the connection that asks is counted too, before it is judged",
                nudge="With a limit of 1, who is served?",
            )  # fmt: skip


def check_end(learner: Learner) -> None:
    """Objective 4: it ends, although somebody stays."""
    limit = settings(learner)["timeout_graceful_shutdown"]
    if limit is None or not 1 <= limit <= 3:
        got = "no limit" if limit is None else f"a limit of {limit} s"
        refuse(
            learner, got, "from 1 to 3 seconds",
            why="after TERM, Uvicorn waits for those inside; unless told, for ever",
            nudge="Two words in its name: graceful, shutdown.",
        )  # fmt: skip
    with start(learner) as house:
        house.come("stream")
        house.settle()
        house.server.signal("TERM")
        if not until(lambda: not house.server.running):
            fail(f"{house.command}, one party inside, TERM", "it still runs", "it has ended")


def check_parser(learner: Learner) -> None:
    """Objective 5: two Host fields are refused."""
    with start(learner) as house, house.connect(TWO_HOSTS) as client:
        status = first(client)
        if status != b"400":
            fail(
                f"{house.command}, {TWO_HOSTS!r}", f"status {status.decode()}", "status 400",
                why="RFC 9112 §3.2: more than one Host field: a 400",
                nudge="Look at the table of the parsers in the chapter.",
            )  # fmt: skip


def check_idle(learner: Learner) -> None:
    """Objective 6: the proxy is the one who hangs up."""
    seconds = settings(learner)["timeout_keep_alive"]
    if seconds <= IDLE_S:
        refuse(
            learner, f"an idle connection is kept for {seconds} s", f"more than {IDLE_S} s",
            why="who hangs up first may do it while the other one begins to send",
            nudge="Alive is what they are kept.",
        )  # fmt: skip


def settings(learner: Learner) -> dict[str, Any]:
    """What Uvicorn makes of the words. Fails where it would not understand them."""
    words = flags(learner)
    try:
        return main.make_context("uvicorn", [*words, "app:app"]).params
    except click.exceptions.Exit:
        refuse(learner, "it shows something and ends", "a server that starts")
    except click.ClickException as error:
        told = f"Uvicorn refuses it: {error.format_message()}"
        nudge = "`python -m uvicorn --help` lists what there is."
        if any(" " in word for word in words):
            nudge = "An option and its value are two words, each in quotes of its own."
        refuse(learner, told, "words that it understands", nudge=nudge)


def flags(learner: Learner) -> list[str]:
    """The words, if they are words."""
    try:
        words = learner.name("FLAGS")
    except Raised:
        fail("FLAGS", "no list of that name", "a list of strings",
             nudge="Keep the name of the stub.")  # fmt: skip
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        fail("FLAGS", repr(words), "a list of strings",
             nudge="Each word is an item in quotes of its own, a number too.")  # fmt: skip
    return words


def refuse(
    learner: Learner, got: str, expected: str, *, why: str = "", nudge: str = ""
) -> NoReturn:
    """Fail, with the command line."""
    line = " ".join(["uvicorn", *flags(learner), "app:app"])
    fail(line, got, expected, why=why, nudge=nudge)


def start(learner: Learner, *, workers: int = 1, bug: bool = False) -> House:
    """Uvicorn with the learner's flags, on a port of its own."""
    chosen = settings(learner)
    options = [
        f"{flag}={chosen[name]}" for name, flag in PASSED.items() if chosen[name] is not None
    ]
    kind = "uvicorn-h11" if chosen["http"] == "h11" else "uvicorn"
    if workers > 1 and kind == "uvicorn":
        kind = "uvicorn-workers"
    return House(workers, 1, kind, lambda port: Truck(port, bug), options)


def serving(house: House) -> set[int]:
    """The process ids of the workers."""
    return {one.pid for one in house.server.processes() if one.role == "worker"}


def first(client: Any) -> bytes:
    """The status of the answer."""
    status: bytes = client.recv(4096)[9:12]
    return status


def until(condition: Callable[[], object]) -> bool:
    """Wait for it; the deadline only stops a hang."""
    limit = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True
