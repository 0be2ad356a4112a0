# Accepts whoever comes and lets them wait in a queue of its own.
# Message: came back 5 accepted connections while both threads are busy
# Message: why listen(2): who is not accepted waits in the kernel

import queue
import select
import threading
import traceback


def serve(listener, handle, threads, stop):
    waiting = queue.Queue()
    crew = [threading.Thread(target=work, args=(waiting, handle)) for _ in range(threads)]
    for thread in crew:
        thread.start()
    while stop not in select.select([listener, stop], [], [])[0]:
        waiting.put(listener.accept()[0])
    for _ in crew:
        waiting.put(None)
    for thread in crew:
        thread.join()


def work(waiting, handle):
    while (connection := waiting.get()) is not None:
        with connection:
            try:
                handle(connection)
            except Exception:
                traceback.print_exc()
