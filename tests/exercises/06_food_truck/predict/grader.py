"""Grader of truck-predict: every lunch is served by a real server, and nothing is known here.

Who is inside stays until the server is at rest; in which order answers left is counted by the app.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from playground.grading import Learner
from playground.grading.house import House, hold_against, predictions, request

COUNTS = ("inside", "rounds", "answered")
ALONE = "the loop is one thread: a call that blocks in a coroutine blocks everybody"
POOL = "`def` endpoints run in AnyIO's threads, and those have a limit; the loop stays free"


@dataclass(frozen=True)
class Case:
    """Which server, how many guests, and the app."""

    letter: str
    setup: str
    guests: int
    app: Callable[[int], Any]


def check_a(learner: Learner) -> None:
    """Lunch A: minimal-asgi, 50 guests; the app awaits."""
    compare(
        learner, Case("A", "minimal-asgi", 50, awaits), "a coroutine that awaits holds no thread"
    )


def check_b(learner: Learner) -> None:
    """Lunch B: minimal-asgi, 5 guests; the app blocks."""
    compare(learner, Case("B", "minimal-asgi", 5, blocks), ALONE)


def check_c(learner: Learner) -> None:
    """Lunch C: uvicorn and FastAPI, 100 guests; the endpoint is `def`."""
    compare(learner, Case("C", "uvicorn", 100, pool), POOL)


def check_d(learner: Learner) -> None:
    """Lunch D: uvicorn and FastAPI, 41 guests; /health is `def` as well."""
    why = "all `def` endpoints of a process share one pool, a health check too"
    compare(learner, Case("D", "uvicorn", 41, pool_with_def_health), why)


def check_e(learner: Learner) -> None:
    """Lunch E: minimal-asgi, 8 guests; a semaphore of 3, and threads."""
    why = "a semaphore lets three in; who waits for it awaits, and holds nothing"
    compare(learner, Case("E", "minimal-asgi", 8, semaphore), why)


def check_f(learner: Learner) -> None:
    """Lunch F: one waits, one blocks, one comes."""
    predicted = predictions(learner, ["F order"])
    command, order = measure_order()
    why = (
        "the step that blocked goes on to its answer; then the loop asks its selector what is ready"
    )
    seen = "the app counts its answers"
    called = f"{command}, guests 1 (awaits), 2 (blocks) and 3 (/health)"
    hold_against(predicted, {"F order": order}, called=called, seen=seen, why=why)


def compare(learner: Learner, case: Case, why: str) -> None:
    """Take the predictions first, then serve the lunch, then hold one against the other."""
    predicted = predictions(learner, [f"{case.letter} {what}" for what in COUNTS])
    command, rounds, answered = measure(case)
    numbers = {"inside": rounds[0], "rounds": len(rounds), "answered": answered}
    found = {f"{case.letter} {what}": number for what, number in numbers.items()}
    seen = f"guests in each round: {', '.join(map(str, rounds))}"
    hold_against(predicted, found, called=f"{command}, {case.guests} guests", seen=seen, why=why)


@cache
def measure(case: Case) -> tuple[str, list[int], int]:
    """Serve one lunch: the command, the guests in each round, and whether /health answered."""
    with House(1, 1, case.setup, case.app) as house:
        for number in range(case.guests):
            house.come(f"guest{number}")
        house.settle()
        with house.connect(request("health")) as client:
            house.settle()
            answered = int(has_come(client))
            rounds = []
            while house.inside:
                rounds.append(len(house.inside))
                for guest in list(house.inside):
                    house.leave(guest)
                house.settle()
        return house.command, rounds, answered


@cache
def measure_order() -> tuple[str, int]:
    """Serve lunch F: the command, and the order of the answers."""
    with House(1, 1, "minimal-asgi", counting) as house:
        house.come("1-await")
        house.settle()
        house.come("2-block")
        house.settle()
        third = house.connect(request("3-health"))
        house.settle()
        clients = {1: house.inside[0].connection, 2: house.inside[1].connection, 3: third}
        for guest in house.inside:
            assert guest.gate is not None
            guest.gate.close()
            house.settle()
        places = {number: int(answer(client)) for number, client in clients.items()}
        third.close()
        return house.command, int("".join(map(str, sorted(places, key=places.__getitem__))))


def has_come(client: Any) -> bool:
    """Tell whether an answer is there."""
    import select

    return bool(select.select([client], [], [], 0)[0])


def answer(client: Any) -> bytes:
    """Read a response whose body is one byte; return the body."""
    data = b""
    while len(data.partition(b"\r\n\r\n")[2]) < 1:
        block = client.recv(4096)
        if not block:
            raise ConnectionError(f"got only {data!r}")
        data += block
    body: bytes = data.partition(b"\r\n\r\n")[2]
    return body


# ---- the apps, which run in the server --------------------------------------------------------


def blocking(port: int) -> Callable[[str], None]:
    """A function that reports at the gate and blocks until it is opened."""

    def wait(name: str) -> None:
        import os
        import socket

        with socket.create_connection(("127.0.0.1", port)) as gate:
            gate.sendall(f"{os.getpid()} {name}\n".encode())
            gate.recv(1)

    return wait


def awaiting(port: int) -> Callable[[str], Any]:
    """As `blocking`, but it awaits."""

    async def wait(name: str) -> None:
        import asyncio
        import os

        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{os.getpid()} {name}\n".encode())
        await reader.read(1)
        writer.close()

    return wait


def application(wait: Callable[[str], Any], text: Callable[[], str] = lambda: ".") -> Any:
    """An ASGI app: /health at once, everything else after `await wait(name)`."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError("http only")
        if not scope["path"].endswith("health"):
            await wait(scope["path"][1:])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text().encode()})

    return app


def awaits(port: int) -> Any:
    """It awaits the gate."""
    return application(awaiting(port))


def blocks(port: int) -> Any:
    """It blocks at the gate, in `async def`."""
    block = blocking(port)

    async def wait(name: str) -> None:
        block(name)

    return application(wait)


def semaphore(port: int) -> Any:
    """It blocks in threads, three at a time."""
    block = blocking(port)
    places: list[Any] = []

    async def wait(name: str) -> None:
        import asyncio

        if not places:
            places.append(asyncio.Semaphore(3))
        async with places[0]:
            await asyncio.to_thread(block, name)

    return application(wait)


def counting(port: int) -> Any:
    """It awaits or blocks, as the path says, and answers with the number of its answer."""
    block, wait_at_gate = blocking(port), awaiting(port)
    answers: list[int] = []

    async def wait(name: str) -> None:
        if name.endswith("block"):
            block(name)
        else:
            await wait_at_gate(name)

    def text() -> str:
        answers.append(1)
        return str(len(answers))

    return application(wait, text)


def pool(port: int, def_health: bool = False) -> Any:
    """FastAPI with a `def` endpoint that blocks; made in the server, where its threads are."""
    block = blocking(port)
    made: list[Any] = []

    def make() -> Any:
        from fastapi import FastAPI
        from fastapi.responses import PlainTextResponse

        app = FastAPI()

        async def health() -> PlainTextResponse:
            return PlainTextResponse(".")

        def health_in_the_pool() -> PlainTextResponse:
            return PlainTextResponse(".")

        # subtle: for any other return type FastAPI needs the pool a second time, to check it
        def inside(name: str) -> PlainTextResponse:
            block(name)
            return PlainTextResponse(".")

        app.get("/health")(health_in_the_pool if def_health else health)
        app.get("/{name}")(inside)
        return app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if not made:
            made.append(make())
        await made[0](scope, receive, send)

    return app


def pool_with_def_health(port: int) -> Any:
    """As `pool`, but the health check needs a thread of the pool."""
    return pool(port, True)
