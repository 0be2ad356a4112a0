"""Five evenings at Gunicorn's: predict them before you look.

Each evening is a real Gunicorn. Whoever is inside the application stays there until you let him go;
each party comes over a connection of its own.

- inside: the most requests that are in the application at the same time
- waiting: whole requests that have been sent and are not in the application during the first round
- rounds: how often the house fills, and then empties, until everybody has been served
- processes: in how many different processes the requests were served
- lost: parties that get no answer

Write a whole number for each None. A check runs every evening for real, and shows what was measured
beside your prediction.
"""

PREDICTIONS = {
    # Evening A: `--workers 1 --threads 3`, 5 parties at once.
    "A inside": None,
    "A waiting": None,
    "A rounds": None,
    # Evening B: `--workers 2` (sync). TTIN, TTIN and TTOU; then 6 parties at once.
    "B inside": None,
    "B waiting": None,
    "B processes": None,
    # Evening C: `--workers 2` (sync). One party sends half a request. Then 3 send whole ones.
    "C inside": None,
    "C rounds": None,
    # Evening D: `--workers 2` (sync), 3 parties at once. When two are inside, the process of one of
    # them gets `kill -9`. `inside` counts those who are inside when everything has settled again.
    "D lost": None,
    "D inside": None,
    # Evening E: `--workers 1 --max-requests 2`. 5 parties, each comes when the last one has left.
    "E processes": None,
    "E lost": None,
}
