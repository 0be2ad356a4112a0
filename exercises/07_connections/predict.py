"""Six houses and their streams: predict who gets the first event, before you look.

A stream is a response that does not end: the app sends one event and then waits for news, which do
not come. The clients come all at once, each over a connection of its own, and stay. When nobody
else gets anything, we count:

- served: streams that have got their first event
- starved: streams that have sent their request and got nothing
- answered: somebody now asks for a plain page. 1 if the page comes although all streams are still
  open, 0 if not
- more: now two of the served clients hang up. How many of the starved ones get their first event?

Write a whole number for each None. A check runs every house for real, and shows the measurement
beside your prediction. The servers are those of the course (`python -m minimal_servers wsgi …` and
`asgi …`), in house C it is Gunicorn with threads.
"""

PREDICTIONS = {
    # House A: minimal-wsgi, 1 worker × 1 thread, 5 streams.
    "A served": None,
    "A starved": None,
    "A answered": None,
    # House B: minimal-wsgi, 2 workers × 3 threads, 20 streams.
    "B served": None,
    "B starved": None,
    "B answered": None,
    # House C: gunicorn-gthread, 1 worker × 4 threads, 3 streams.
    "C served": None,
    "C starved": None,
    "C answered": None,
    # House D: minimal-wsgi, 1 worker × 3 threads, 7 streams. The app waits for news and sends
    # nothing meanwhile, also when the two have gone.
    "D served": None,
    "D more": None,
    # House E: minimal-asgi, 1 worker: one loop in one thread. 60 streams; the app awaits its news.
    "E served": None,
    "E starved": None,
    "E answered": None,
    # House F: minimal-asgi, 1 worker, 5 streams. The app is `async def`, but it waits for its news
    # in a call that blocks, such as recv of an ordinary socket.
    "F served": None,
    "F starved": None,
    "F answered": None,
}
