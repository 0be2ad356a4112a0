# Takes the byte out of stop, so that the other threads do not see it.
# Message: came back serve is still running

import select
import threading
import traceback


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
            stop.recv(1)
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
