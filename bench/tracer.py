"""What the ASGI tracer costs a request that awaits three times: processor time, with and without.

``python -m bench.tracer``. A process of its own serves; the collector is in another one. Many short
rounds, traced and plain in turns, and of each kind the shortest counts: what neighbours on the
machine do only ever adds. Two numbers: what the loop's thread spends, which a client could notice,
and what the whole process does, the tracer's sending thread included.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import uvloop

from playground.trace.asgi import Application, Message, Scope, TracedASGI
from playground.trace.collector import Collector
from playground.trace.records import make_traceparent
from playground.trace.sender import Sender

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
ROUNDS = 40
REQUESTS = 250  # of each round
TOGETHER = 25  # in service at once, where they sleep
PAUSE_S = 0.03  # belongs to the round: the sending thread catches up
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


async def answer(send: Any) -> None:
    """The two messages of a short answer."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def turns(scope: Scope, receive: Any, send: Any) -> None:
    """Three times to the end of the loop's queue."""
    for _ in range(3):
        await asyncio.sleep(0)
    await answer(send)


async def sleeps(scope: Scope, receive: Any, send: Any) -> None:
    """Three timers."""
    for _ in range(3):
        await asyncio.sleep(0.001)
    await answer(send)


async def receive() -> Message:
    """Never asked for."""
    return {"type": "http.disconnect"}


async def send(message: Message) -> None:
    """To nobody."""


APPS: dict[str, tuple[Application, int]] = {"turns": (turns, 1), "sleeps": (sleeps, TOGETHER)}


def scope_of(request: int) -> Scope:
    """A request of the run that the collector is told of."""
    headers = [(b"traceparent", make_traceparent(TRACE_ID, request).encode())]
    return {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}


async def serve(app: Application, together: int) -> tuple[float, float]:
    """Microseconds a request: of the loop's thread, and of the process."""
    loop = asyncio.get_running_loop()
    scopes = [scope_of(1 + index) for index in range(REQUESTS)]
    thread, process = time.thread_time_ns(), time.process_time_ns()
    for first in range(0, REQUESTS, together):
        tasks: list[asyncio.Task[None]] = [
            loop.create_task(app(scope, receive, send))  # type: ignore[arg-type]
            for scope in scopes[first : first + together]
        ]
        for task in tasks:
            await task
    thread = time.thread_time_ns() - thread
    await asyncio.sleep(PAUSE_S)
    process = time.process_time_ns() - process
    return thread / 1000 / REQUESTS, process / 1000 / REQUESTS


def measure(path: str, loop: str, name: str, cpu: str) -> None:
    """In the process that serves: print what the tracer adds to the loop's thread, and to the
    process. Each kind has a loop of its own, since the tracer installs itself on its loop.
    """
    app, together = APPS[name]
    traced = TracedASGI(app, Sender(path), cpu == "cpu")
    apps: list[Application] = [app, traced]
    rounds: list[list[tuple[float, float]]] = [[], []]
    with ExitStack() as runners:
        runs = [runners.enter_context(asyncio.Runner(loop_factory=LOOPS[loop])).run for _ in rounds]
        for _ in range(ROUNDS):
            for run, served, found in zip(runs, apps, rounds, strict=True):
                found.append(run(serve(served, together)))
    plain, with_it = ([min(each) for each in zip(*found, strict=True)] for found in rounds)
    print(json.dumps([more - less for more, less in zip(with_it, plain, strict=True)]))


def main() -> None:
    """Measure on each loop, without and with processor time, and print."""
    for loop in LOOPS:
        for name in APPS:
            for cpu in ("", "cpu"):
                with Collector() as collector:
                    collector.begin(TRACE_ID)
                    own = [sys.executable, "-m", "bench.tracer", collector.path, loop, name, cpu]
                    told = subprocess.run(own, check=True, capture_output=True, text=True).stdout
                thread, process = json.loads(told)
                what = f"{loop}, three {name}{', with processor time' if cpu else ''}"
                print(f"{what}: {thread:.1f} µs a request ({process:.1f} µs in all threads)")


if __name__ == "__main__":
    main() if len(sys.argv) == 1 else measure(*sys.argv[1:])
