"""Hooks of a `gunicorn.conf.py` that almost work. Five bugs are in it: find and repair them.

Gunicorn calls a **hook** by its name (Settings, Server Hooks). With one guest at a time, one worker
and no accidents this file does its work, so its author was content. What it promises:

- `post_fork(server, worker)` runs in each worker right after fork(2). From then on, `token()` gives
  other numbers here than in the parent and in every other worker, however fast they were forked.
- `pre_request(worker, req)` and `post_request(worker, req, environ, resp)` run before and after
  each request, in the thread that serves it; several threads may be at it. `serving()` returns the
  paths that are under way, sorted. Two requests for the same path are two.
- `post_request` also adds to `LINES` what happened: "GET /soup 200". Gunicorn calls it as well when
  the request failed before there was a response; `resp` is None then, and the line is "GET /soup
  failed".
- `worker_abort(worker)` runs in a worker that gets SIGABRT, because its bell was silent for too
  long. It logs each path under way, `worker.log.error("was serving /soup")`, and returns: to end
  the worker is Gunicorn's business, which does it with code 1.
- `child_exit(server, worker)` runs in the *parent* when a worker is gone, and adds its process id,
  `worker.pid`, to `DEATHS`.

The names are used from outside and stay. `req` has `method` and `path`; `resp.status` is a string
such as "200 OK".
"""

import os
import random
import sys
import time

RANDOM = random.Random()
LINES = []
DEATHS = []
UNDER_WAY = set()


def token():
    return RANDOM.getrandbits(64)


def serving():
    return sorted(UNDER_WAY)


def post_fork(server, worker):
    RANDOM.seed(int(time.time()))


def pre_request(worker, req):
    UNDER_WAY.add(req.path)


def post_request(worker, req, environ, resp):
    UNDER_WAY.discard(req.path)
    LINES.append(f"{req.method} {req.path} {resp.status.split()[0]}")


def worker_abort(worker):
    for path in serving():
        worker.log.error(f"was serving {path}")
    sys.exit(0)


def child_exit(server, worker):
    DEATHS.append(os.getpid())
