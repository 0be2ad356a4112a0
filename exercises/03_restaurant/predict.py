"""Six evenings in the restaurant: predict who is inside together, before you look.

Each evening is the server of the course, `python -m minimal_servers wsgi …` with `--workers W` and
`--threads T`. All parties of an evening come at once, each over a connection of its own. Whoever is
inside stays until nobody else can come in; then all of them leave together. That is one round.

- inside: the most requests that are in the app at the same time
- waiting: whole requests that have been sent and are not in the app during the first round
- rounds: how often the house fills and empties until everybody has been served
- processes: in how many different processes the first round is served

Write a whole number for each None: `"A inside": 5` if you think that all five are in the app at the
same time. A check runs every evening for real, and shows the measurement beside your prediction.
Which queue the waiting ones are in, accept(2) and listen(2) tell.
"""

PREDICTIONS = {
    # Evening A: 1 worker × 1 thread, 5 parties.
    "A inside": None,
    "A waiting": None,
    "A rounds": None,
    # Evening B: 1 worker × 3 threads, 7 parties.
    "B inside": None,
    "B waiting": None,
    "B rounds": None,
    # Evening C: 2 workers × 2 threads, 7 parties.
    "C inside": None,
    "C waiting": None,
    "C rounds": None,
    # Evening D: 2 workers × 2 threads, 3 parties.
    "D inside": None,
    "D waiting": None,
    "D processes": None,
    # Evening E: 1 worker × 4 threads, 2 parties. One of them sends three requests over its one
    # connection without waiting for the answers (pipelining, RFC 9112 §9.3.2); the other sends one.
    "E inside": None,
    "E waiting": None,
    "E rounds": None,
    # Evening F: 1 worker × 2 threads. Four parties come first and send only half a request each.
    # Then 3 parties come and send whole ones.
    "F inside": None,
    "F waiting": None,
    "F rounds": None,
}
