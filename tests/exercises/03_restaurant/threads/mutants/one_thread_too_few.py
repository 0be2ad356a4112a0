# Counts the calling thread, which serves nobody.
# Message: expected 3 at the same time

import select
import threading
import traceback


def serve(listener, handle, threads, stop):
    listener.setblocking(False)
    crew = [
        threading.Thread(target=work, args=(listener, handle, stop)) for _ in range(threads - 1)
    ]
    for thread in crew:
        thread.start()
    if not crew:
        work(listener, handle, stop)
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
            try:
                handle(connection)
            except Exception:
                traceback.print_exc()
