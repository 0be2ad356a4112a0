# Looks at stop only between two clients; a thread in accept() hears nothing.
# Message: came back serve is still running
# Message: why a thread that sleeps in accept() hears nothing else

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
        if select.select([stop], [], [], 0)[0]:
            return
        connection, _ = listener.accept()
        with connection:
            try:
                handle(connection)
            except Exception:
                traceback.print_exc()
