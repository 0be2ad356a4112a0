# Takes what one recv() returns for the whole head.
# Message: Content-Length: 12\r\n\r\nnot the
# Message: why TCP is a stream

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
            return FAILED


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
    return connection.recv(65536)
