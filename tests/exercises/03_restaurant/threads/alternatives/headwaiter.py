"""A head waiter at the door, who lets somebody in only when a thread is free."""

import queue
import selectors
import threading
import traceback
from contextlib import closing


def serve(listener, handle, threads, stop):
    seated = queue.SimpleQueue()
    free = threading.Semaphore(threads)
    crew = [threading.Thread(target=work, args=(seated, free, handle)) for _ in range(threads)]
    for thread in crew:
        thread.start()
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(stop, selectors.EVENT_READ)
        while True:
            free.acquire()
            if stop in [key.fileobj for key, _ in selector.select()]:
                break
            seated.put(listener.accept()[0])
    for _ in crew:
        seated.put(None)
    for thread in crew:
        thread.join()


def work(seated, free, handle):
    while (connection := seated.get()) is not None:
        try:
            with closing(connection):
                handle(connection)
        except Exception as error:
            traceback.print_exception(error)
        finally:
            free.release()
