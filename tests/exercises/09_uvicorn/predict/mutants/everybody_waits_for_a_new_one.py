# Those inside are kept for the replacement.
# Message: you predicted lost 0, inside 5
# Message: measured: lost 3, inside 2

"""Five evenings at the food trucks: predicted."""

PREDICTIONS = {
    # Evening A: `uvicorn --limit-concurrency 3`, 5 parties, one after the other.
    "A inside": 2,
    "A refused": 3,
    # Evening B: `uvicorn --workers 2`. TTIN, then TTOU three times.
    "B workers": 1,
    # Evening C: `gunicorn --workers 1 -k uvicorn_worker.UvicornWorker`. When 3 are in it,
    # the worker gets `kill -9`. Then 2 more come, and `inside` is counted.
    "C lost": 0,
    "C inside": 5,
    # Evening D: `uvicorn --limit-max-requests 2`. When 4 parties are in it, they are let go, one
    # by one. `processes`: how many processes the server has after that.
    "D inside": 4,
    "D served": 4,
    "D processes": 0,
    # Evening E: nobody comes, because the application cannot start. Its import fails; or it says
    # lifespan.startup.failed, to `uvicorn` and to `uvicorn --workers 2`.
    "E import": 1,
    "E lifespan": 3,
    "E lifespan, two workers": 0,
}
