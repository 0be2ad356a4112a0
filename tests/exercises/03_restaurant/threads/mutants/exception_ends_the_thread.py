# Lets an exception of handle out of the thread, which ends it for good.
# Message: came back 1 at the same time inside your server
# Message: why an exception that leaves the function of a thread ends the thread for good

import select
import threading


def serve(listener, handle, threads, stop):
    listener.setblocking(False)
    crew = [threading.Thread(target=work, args=(listener, handle, stop)) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()


def work(listener, handle, stop):
    while True:
        ready, _, _ = select.select([listener, stop], [], [])
        if stop in ready:
            return
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            continue
        with connection:
            handle(connection)
