"""One process, several waiters: threads that share one door."""

import select
import socket
import threading
import traceback
from collections.abc import Callable

Handle = Callable[[socket.socket], object]


def serve(listener: socket.socket, handle: Handle, threads: int, stop: socket.socket) -> None:
    """Serve connections with `threads` threads until `stop` becomes readable, then return None."""
    listener.setblocking(False)  # subtle: select wakes all threads at the door, and one is faster
    crew = [threading.Thread(target=work, args=(listener, handle, stop)) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()


def work(listener: socket.socket, handle: Handle, stop: socket.socket) -> None:
    """The life of a thread: wait at the door, serve, again."""
    while True:
        ready, _, _ = select.select([listener, stop], [], [])
        if stop in ready:
            return
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            continue
        connection.setblocking(True)  # subtle: some systems hand down the listener's mode
        with connection:
            attend(connection, handle)


def attend(connection: socket.socket, handle: Handle) -> None:
    """Serve one party; what goes wrong is its own affair."""
    try:
        handle(connection)
    except Exception:
        traceback.print_exc()
