# Starts a thread for each client, however many come.
# Message: called 5 clients at once, with threads=2
# Message: came back a third one inside your server

import select
import threading
import traceback


def serve(listener, handle, threads, stop):
    crew = []
    while True:
        ready, _, _ = select.select([listener, stop], [], [])
        if stop in ready:
            break
        connection, _ = listener.accept()
        crew.append(threading.Thread(target=attend, args=(connection, handle)))
        crew[-1].start()
    for thread in crew:
        thread.join()


def attend(connection, handle):
    with connection:
        try:
            handle(connection)
        except Exception:
            traceback.print_exc()
