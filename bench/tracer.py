"""What the ASGI tracer costs a request: processor time of the loop's thread, with and without it.

``python -m bench.tracer``. One request after the other, each with three awaits, in turns of both
kinds, so that a slow moment of the machine hits both; the median of the differences is reported.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

import uvloop

from playground.trace.asgi import Application, Message, Scope, TracedASGI
from playground.trace.collector import Collector
from playground.trace.records import make_traceparent
from playground.trace.sender import Sender

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TURNS = 9
REQUESTS = 1000  # of each turn
PAUSE_S = 0.05  # in which the tracer's own thread catches up
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


async def app(scope: Scope, receive: Any, send: Any) -> None:
    """Three times to the end of the loop's queue, then the answer."""
    for _ in range(3):
        await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def receive() -> Message:
    """Never asked for."""
    return {"type": "http.disconnect"}


async def send(message: Message) -> None:
    """To nobody."""


def scope_of(request: int) -> Scope:
    """A request of the run that the collector is told of."""
    headers = [(b"traceparent", make_traceparent(TRACE_ID, request).encode())]
    return {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}


async def turn(served: Application) -> float:
    """Microseconds of processor time per request."""
    loop = asyncio.get_running_loop()
    scopes = [scope_of(1 + index) for index in range(REQUESTS)]
    begun = time.thread_time_ns()
    for scope in scopes:
        await loop.create_task(served(scope, receive, send))  # type: ignore[arg-type]
    return (time.thread_time_ns() - begun) / 1000 / REQUESTS


async def differences(traced: Application) -> list[float]:
    """What the tracer added in each turn, in microseconds per request."""
    found = []
    for _ in range(TURNS):
        plain = await turn(app)
        found.append(await turn(traced) - plain)
        await asyncio.sleep(PAUSE_S)
    return found


def main() -> None:
    """Measure on each loop, without and with processor time, and print."""
    for name, factory in LOOPS.items():
        for cpu in (False, True):
            with Collector() as collector, asyncio.Runner(loop_factory=factory) as runner:
                collector.begin(TRACE_ID)
                found = runner.run(differences(TracedASGI(app, Sender(collector.path), cpu)))
            what = f"{name}, {'with' if cpu else 'without'} processor time"
            low, high = min(found), max(found)
            print(f"{what}: {statistics.median(found):.1f} µs a request ({low:.1f} … {high:.1f})")


if __name__ == "__main__":
    main()
