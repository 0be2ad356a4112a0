# A thread that finds nobody at the door, because another one was faster, goes home.
# Which check notices first is a matter of chance: the threads race.
# Message: in serve: thread.join()

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
            return
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        with connection:
            try:
                handle(connection)
            except Exception:
                traceback.print_exc()
