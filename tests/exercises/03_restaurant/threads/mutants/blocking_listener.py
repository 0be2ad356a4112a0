# Leaves the listener blocking: two threads wake up for one client, and one stays in accept().
# Message: called 1 client who woke up two threads, then made `stop` readable
# Message: came back serve is still running

import select
import threading
import traceback


def serve(listener, handle, threads, stop):
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
                handle(connection)
            except Exception:
                traceback.print_exc()
