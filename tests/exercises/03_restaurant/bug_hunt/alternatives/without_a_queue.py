"""Each thread accepts for itself; the accept queue of the kernel is the only queue."""

import select
import threading

FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def serve(listener, handle, threads, stop):
    door = threading.Lock()
    crew = [
        threading.Thread(target=work, args=(door, listener, handle, stop)) for _ in range(threads)
    ]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()


def work(door, listener, handle, stop):
    while True:
        with door:
            if stop in select.select([listener, stop], [], [])[0]:
                return
            connection = listener.accept()[0]
        try:
            head = b"".join(lines(connection))
            if head:
                connection.sendall(response(handle, head))
        except OSError:
            pass
        finally:
            connection.close()


def lines(connection):
    with connection.makefile("rb") as stream:
        found = []
        for line in stream:
            found.append(line)
            if line == b"\r\n":
                return found
    return []


def response(handle, head):
    try:
        return handle(head)
    except Exception:
        return FAILED
