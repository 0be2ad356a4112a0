"""The pool of the standard library, and everything about one client in one function."""

import contextlib
import selectors
from concurrent.futures import ThreadPoolExecutor

FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def serve(listener, handle, threads, stop):
    with ThreadPoolExecutor(max_workers=threads) as pool, selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(stop, selectors.EVENT_READ)
        while all(key.fileobj is listener for key, _ in selector.select()):
            pool.submit(attend, listener.accept()[0], handle)


def attend(connection, handle):
    with connection, contextlib.suppress(ConnectionError):
        received = bytearray()
        while received[-4:] != b"\r\n\r\n":
            data = connection.recv(4096)
            if not data:
                return
            received.extend(data)
        try:
            answer = handle(bytes(received))
        except Exception:
            answer = FAILED
        connection.sendall(answer)
