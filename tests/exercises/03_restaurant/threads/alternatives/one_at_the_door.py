"""A lock is the door: one thread at a time waits there, and the next one follows."""

import contextlib
import select
from concurrent.futures import ThreadPoolExecutor
from threading import Lock


def serve(listener, handle, threads, stop):
    door = Lock()

    def life():
        while (connection := next_client()) is not None:
            with connection, contextlib.suppress(Exception):
                handle(connection)

    def next_client():
        with door:
            ready = select.select([stop, listener], [], [])[0]
            return None if stop in ready else listener.accept()[0]

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(threads):
            pool.submit(life)
