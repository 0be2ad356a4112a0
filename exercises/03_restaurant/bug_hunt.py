r"""A server with a pool of threads that almost works. Seven bugs are in it: find and repair them.

It answers one client who behaves, so its author was content. What it promises:

- `serve(listener, handle, threads, stop)` answers with `threads` threads. `handle(head)` gets the
  head of a request, all bytes up to and with the empty line (RFC 9112 §2.1), and returns the whole
  response, which goes to the client who asked. Then the connection is closed.
- `threads` calls of `handle` run at the same time.
- A head may arrive in pieces. A client who sends one slowly, or says nothing at all, occupies one
  thread at most, and nobody else.
- When `handle` raises an Exception, its client gets FAILED, and the thread goes on.
- A client may hang up at any time: before the head is complete (then `handle` is not called) or
  before the answer is sent. The thread goes on, and the connection is closed.
- No connection stays open, whatever happened on it.
- When `stop` becomes readable, nobody is accepted any more. Who has been accepted is answered, all
  threads end, and `serve` returns None.

    serve(listener, lambda head: b"HTTP/1.1 204 No Content\r\n\r\n", 3, bell)

You may change everything but the name and the arguments of `serve`.
"""

import queue
import select
import socket
import threading
from collections.abc import Callable

Handle = Callable[[bytes], bytes]
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Pool:
    """Threads that take their work from one queue."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.jobs: queue.Queue[tuple[socket.socket, bytes] | None] = queue.Queue()

    def work(self) -> None:
        """The life of a thread: take a request, answer it, again."""
        while job := self.jobs.get():
            self.connection, self.head = job
            self.answer()

    def answer(self) -> None:
        """Answer one request."""
        response = self.handle(self.head)
        self.connection.sendall(response)
        self.connection.close()


def serve(listener: socket.socket, handle: Handle, threads: int, stop: socket.socket) -> None:
    """Serve until `stop` becomes readable."""
    pool = Pool(handle)
    crew = [threading.Thread(target=pool.work) for _ in range(threads)]
    for thread in crew:
        thread.start()
    while stop not in select.select([listener, stop], [], [])[0]:
        connection, _ = listener.accept()
        head = read_head(connection)
        if head:
            pool.jobs.put((connection, head))
    pool.jobs.put(None)
    for thread in crew:
        thread.join()


def read_head(connection: socket.socket) -> bytes:
    """The head of a request; empty when the client has gone."""
    return connection.recv(65536)
