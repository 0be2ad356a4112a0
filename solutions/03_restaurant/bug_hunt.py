"""A server with a pool of threads that works."""

import queue
import select
import socket
import threading
import traceback
from collections.abc import Callable

Handle = Callable[[bytes], bytes]
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Pool:
    """Threads that take their work from one queue."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.jobs: queue.Queue[socket.socket | None] = queue.Queue()

    def work(self) -> None:
        """The life of a thread: take a client, answer, again."""
        while connection := self.jobs.get():
            with connection:
                self.answer(connection)

    def answer(self, connection: socket.socket) -> None:
        """Answer one client. What belongs to one client is local: `self` belongs to all threads."""
        try:
            head = read_head(connection)
            if head:
                connection.sendall(self.response(head))
        except OSError:
            traceback.print_exc()  # the client has gone

    def response(self, head: bytes) -> bytes:
        """What `handle` says, or FAILED."""
        try:
            return self.handle(head)
        except Exception:
            traceback.print_exc()
            return FAILED


def serve(listener: socket.socket, handle: Handle, threads: int, stop: socket.socket) -> None:
    """Serve until `stop` becomes readable."""
    pool = Pool(handle)
    crew = [threading.Thread(target=pool.work) for _ in range(threads)]
    for thread in crew:
        thread.start()
    while stop not in select.select([listener, stop], [], [])[0]:
        connection, _ = listener.accept()
        pool.jobs.put(connection)
    for _ in crew:
        pool.jobs.put(None)
    for thread in crew:
        thread.join()


def read_head(connection: socket.socket) -> bytes:
    """The head of a request, whole; empty when the client has gone before."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = connection.recv(65536)
        if not data:
            return b""
        head += data
    return head
