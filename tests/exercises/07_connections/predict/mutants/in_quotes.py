# Writes a number as text.
# Message: called PREDICTIONS['A starved']
# Message: came back '4'
# Message: nudge The number alone: no quotes

"""Six houses and their streams. A stream holds a thread; on an event loop it is a coroutine."""

PREDICTIONS = {
    # House A: minimal-wsgi, 1 worker × 1 thread, 5 streams.
    "A served": 1,
    "A starved": "4",
    "A answered": 0,
    # House B: minimal-wsgi, 2 workers × 3 threads, 20 streams.
    "B served": 6,
    "B starved": 14,
    "B answered": 0,
    # House C: gunicorn-gthread, 1 worker × 4 threads, 3 streams: one thread is left.
    "C served": 3,
    "C starved": 0,
    "C answered": 1,
    # House D: a thread that waits for news does not look at its socket.
    "D served": 3,
    "D more": 0,
    # House E: minimal-asgi: a stream that waits costs no thread.
    "E served": 60,
    "E starved": 0,
    "E answered": 1,
    # House F: who blocks the only thread, blocks the loop.
    "F served": 1,
    "F starved": 4,
    "F answered": 0,
}
