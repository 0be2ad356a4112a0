# Has the threads, but a lock around everything: one client at a time.
# Message: came back 1 at the same time inside your server
# Message: expected 3 at the same time

import select
import threading
import traceback

LOCK = threading.Lock()


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
            try:
                with LOCK:
                    handle(connection)
            except Exception:
                traceback.print_exc()
