"""Runs a server function ``serve(listener, app)`` that somebody is just writing, in a process of
its own.

``python -m playground.setups.learner LISTENER_FD PICKLE LOOP``. A function that is ``async def``
runs on an event loop, asyncio's or uvloop's, and its listener does not block. The function's errors
go to the log, shortened to its own frames, and to the one who started it.
"""

import asyncio
import inspect
import resource
import socket
import sys
from typing import Any

from playground.setups.loading import Refused, load, load_app, reporting, shortened, traceback_of

MEMORY_LIMIT = 8 << 30  # bytes of address space


def main(descriptor: int, pickled: str, loop: str) -> None:
    """Load the app and the function, and call it with the listening socket."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    with reporting():
        listener = socket.socket(fileno=descriptor)
        serve = load(f"file:{pickled}")
        if not callable(serve):
            raise Refused("A server is a function of a listening socket and an app.")
    app = load_app(announce=False)
    with reporting(), listener:
        if inspect.iscoroutinefunction(serve):
            listener.setblocking(False)
            run_on_loop(serve(listener, app), loop)
        else:
            serve(listener, app)
    print("The server function has returned: the server is closed.", flush=True)


def run_on_loop(serving: Any, loop: str) -> None:
    """Run the coroutine until it ends, on a loop of that name."""
    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serving)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
    except Exception as error:
        sys.exit(traceback_of(shortened(error)))
