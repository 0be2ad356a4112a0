# Closes only after success: the connection of a client that made handle raise stays open.
# Message: called sent b'fail\n' to serve(listener)
# Message: came back no bytes, then nothing for 3 s
# Message: expected end-of-file

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
            continue
        try:
            handle(connection)
            connection.close()
        except Exception:
            traceback.print_exc()
