"""Runs a server function ``serve(listener, app)`` that somebody is just writing, in a process of
its own.

``python -m playground.setups.learner LISTENER_FD PICKLE``. The function's errors go to the log,
shortened to its own frames, and to the one who started it.
"""

import resource
import socket
import sys

from playground.setups.loading import Refused, load, load_app, reporting, shortened, traceback_of

MEMORY_LIMIT = 8 << 30  # bytes of address space


def main(descriptor: int, pickled: str) -> None:
    """Load the app and the function, and call it with the listening socket."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    with reporting():
        listener = socket.socket(fileno=descriptor)
        serve = load(f"file:{pickled}")
        if not callable(serve):
            raise Refused("A server is a function of a listening socket and an app.")
    app = load_app(announce=False)
    with reporting(), listener:
        serve(listener, app)
    print("The server function has returned: the server is closed.", flush=True)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), sys.argv[2])
    except Exception as error:
        sys.exit(traceback_of(shortened(error)))
