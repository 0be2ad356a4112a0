# Returns early if there is no response.
# Message: came back []
# Message: expected ['GET /soup failed']

"""Hooks of a `gunicorn.conf.py`, repaired."""

import random

RANDOM = random.Random()
LINES = []
DEATHS = []
UNDER_WAY = []  # a list: the same path may be under way twice


def token():
    return RANDOM.getrandbits(64)


def serving():
    return sorted(UNDER_WAY)


def post_fork(server, worker):
    RANDOM.seed()  # from the system: not the time, which several workers may share


def pre_request(worker, req):
    UNDER_WAY.append(req.path)


def post_request(worker, req, environ, resp):
    if resp is None:
        return
    UNDER_WAY.remove(req.path)
    outcome = resp.status.split()[0] if resp else "failed"
    LINES.append(f"{req.method} {req.path} {outcome}")


def worker_abort(worker):
    for path in serving():
        worker.log.error(f"was serving {path}")


def child_exit(server, worker):
    DEATHS.append(worker.pid)  # os.getpid() is the parent, where this hook runs
