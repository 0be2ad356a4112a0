# Catches the exception of handle and says nothing to the client.
# Message: came back b''
# Message: expected b'HTTP/1.1 500 Internal Server Error

import queue
import select
import threading

FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Pool:
    def __init__(self, handle):
        self.handle = handle
        self.jobs = queue.Queue()

    def work(self):
        while connection := self.jobs.get():
            with connection:
                self.answer(connection)

    def answer(self, connection):
        try:
            head = read_head(connection)
            if head:
                connection.sendall(self.response(head))
        except OSError:
            pass

    def response(self, head):
        try:
            return self.handle(head)
        except Exception:
            return b""


def serve(listener, handle, threads, stop):
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


def read_head(connection):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = connection.recv(65536)
        if not data:
            return b""
        head += data
    return head
