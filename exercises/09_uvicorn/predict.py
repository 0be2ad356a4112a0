"""Five evenings at the food trucks: predict them before you look.

Each evening is a real server (Uvicorn 0.54.0, Gunicorn 27.0.1). The application awaits; whoever is
inside stays there until you let him go; each party comes over a connection of its own.

- inside: requests that are in the application at the same time, when everything has settled
- refused: parties that get a 503
- workers: worker processes that are there
- lost: parties whose connection breaks without an answer
- served: parties that get a 200
- the codes of evening E are exit codes

Write a whole number for each None. A check runs every evening for real, and shows what was measured
beside your prediction.
"""

PREDICTIONS = {
    # Evening A: `uvicorn --limit-concurrency 3`, 5 parties, one after the other.
    "A inside": None,
    "A refused": None,
    # Evening B: `uvicorn --workers 2`. TTIN, then TTOU three times.
    "B workers": None,
    # Evening C: `gunicorn --workers 1 -k uvicorn_worker.UvicornWorker`. When 3 are in it,
    # the worker gets `kill -9`. Then 2 more come, and `inside` is counted.
    "C lost": None,
    "C inside": None,
    # Evening D: `uvicorn --limit-max-requests 2`. When 4 parties are in it, they are let go, one
    # by one. `processes`: how many processes the server has after that.
    "D inside": None,
    "D served": None,
    "D processes": None,
    # Evening E: nobody comes, because the application cannot start. Its import fails; or it says
    # lifespan.startup.failed, to `uvicorn` and to `uvicorn --workers 2`.
    "E import": None,
    "E lifespan": None,
    "E lifespan, two workers": None,
}
