# Returns at once: nobody waits for the threads.
# Message: came back serve returned None with the client still inside
# Message: nudge join() every thread

import select
import threading
import traceback


def serve(listener, handle, threads, stop):
    listener.setblocking(False)
    crew = [threading.Thread(target=work, args=(listener, handle, stop)) for _ in range(threads)]
    for thread in crew:
        thread.start()


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
