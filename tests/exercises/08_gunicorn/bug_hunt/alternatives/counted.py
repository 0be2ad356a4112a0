"""A counter with a lock, and a seed of the worker's own process id and random bytes."""

import os
import random
import threading
from collections import Counter

RANDOM = random.Random()
LINES = []
DEATHS = []
UNDER_WAY = Counter()
LOCK = threading.Lock()


def token():
    return RANDOM.getrandbits(64)


def serving():
    with LOCK:
        return sorted(UNDER_WAY.elements())


def post_fork(server, worker):
    RANDOM.seed(os.urandom(16) + str(os.getpid()).encode())


def pre_request(worker, req):
    with LOCK:
        UNDER_WAY[req.path] += 1


def post_request(worker, req, environ, resp):
    with LOCK:
        UNDER_WAY[req.path] -= 1
    LINES.append(" ".join([req.method, req.path, "failed" if resp is None else resp.status[:3]]))


def worker_abort(worker):
    for path in serving():
        worker.log.error("was serving %s", path)


def child_exit(server, worker):
    DEATHS.append(worker.pid)
