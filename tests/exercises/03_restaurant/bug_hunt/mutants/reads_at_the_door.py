# The thread that accepts still waits for the request of each client.
# Message: came back no bytes, then nothing for 3 s
# Message: sent b'GET /quick HTTP/1.1
# Message: in read_head: data = connection.recv(65536)

import queue
import select
import threading

FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Pool:
    def __init__(self, handle):
        self.handle = handle
        self.jobs = queue.Queue()

    def work(self):
        while job := self.jobs.get():
            connection, head = job
            with connection:
                self.answer(connection, head)

    def answer(self, connection, head):
        try:
            if head:
                connection.sendall(self.response(head))
        except OSError:
            pass

    def response(self, head):
        try:
            return self.handle(head)
        except Exception:
            return FAILED


def serve(listener, handle, threads, stop):
    pool = Pool(handle)
    crew = [threading.Thread(target=pool.work) for _ in range(threads)]
    for thread in crew:
        thread.start()
    while stop not in select.select([listener, stop], [], [])[0]:
        connection, _ = listener.accept()
        try:
            pool.jobs.put((connection, read_head(connection)))
        except OSError:
            connection.close()
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
