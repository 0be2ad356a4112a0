"""Grader of gunicorn-conf: Gunicorn reads the values, then runs with them, and is watched."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable
from typing import Any

from gunicorn.config import Config

from playground.grading import Learner, Raised, fail
from playground.grading.house import House, gated
from playground.setups.catalogue import ServeError

READ = (
    "bind", "workers", "worker_class", "threads", "preload_app", "max_requests", "keepalive",
    "max_requests_jitter", "timeout", "graceful_timeout", "worker_connections",
)  # fmt: skip
FEWEST, MOST = 50, 60  # requests of one worker
LATE = 4  # let in by the loop before it hears that a thread has served the last one
PATIENCE_S = 20.0  # stops a hang


class Leaky:
    """An application that knows who imported it; without a word it asks at the gate."""

    def __init__(self, port: int) -> None:
        self.gated = gated(port)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.importer = os.getpid()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if environ["PATH_INFO"] != "/who":
            return self.gated(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d %d %d" % (self.importer, os.getppid(), os.getpid())]


def check_bind(learner: Learner) -> None:
    """Objective 1: port 8000, from this machine only."""
    wish(
        learner, "bind", lambda bind: bind in ("127.0.0.1:8000", ["127.0.0.1:8000"]),
        "'127.0.0.1:8000'", why="127.0.0.1 is this machine; 0.0.0.0 is everybody who can reach it",
        nudge="An address, a colon, the port. With no address, everybody can reach it.",
    )  # fmt: skip


def check_seconds(learner: Learner) -> None:
    """Objectives 5, 6 and 7: the seconds."""
    wish(
        learner, "timeout", lambda seconds: seconds == 20, "20",
        why="`timeout` limits the silence of the bell, and nothing else",
        nudge="Objective 5 says how long this silence may be.",
    )  # fmt: skip
    wish(
        learner, "graceful_timeout", lambda seconds: 20 <= seconds < 30, "from 20 to 29",
        why="it is how long requests may go on after TERM; at 30 s the platform kills",
        nudge="Objective 6: long enough for the requests, and Gunicorn has to end before the kill.",
    )  # fmt: skip
    wish(
        learner, "keepalive", lambda seconds: seconds == 5, "5",
        why="so long an idle connection is kept open",
        nudge="Objective 7 says how long.",
    )  # fmt: skip


def check_limits(learner: Learner) -> None:
    """Objective 4: the limits of a worker's requests."""
    config = settings(learner)
    least, jitter = config.max_requests, config.max_requests_jitter
    if not (least >= FEWEST and 0 < jitter <= MOST - least):
        fail(
            f"max_requests = {least}, max_requests_jitter = {jitter}",
            f"a limit from {least} to {least + jitter}" if least else "no limit",
            f"from {FEWEST} to {MOST}, and not always the same",
            why="the limit of a worker is max_requests, plus a random number from 0 to the jitter",
            nudge="What is the smallest limit that can come out, what the largest?",
        )  # fmt: skip


def check_room(learner: Learner) -> None:
    """Objective 2: two processes, four requests at a time in each."""
    with start(learner) as house:
        there = len(house.server.pids()) - 1
        if there != 2:
            fail(
                house.command, f"{there} worker processes", "2 worker processes",
                why="each worker is one process", nudge="The setting has the name of the thing.",
            )  # fmt: skip
        one_worker(house)
        for name in "abcdef":
            house.come(name)
        until(lambda: settled(house) and house.inside)
        if len(house.inside) != 4:
            names = " ".join(sorted(guest.name for guest in house.inside))
            fail(
                f"{house.command}, one worker dismissed by TTOU, then 6 parties at once",
                f"inside together: {len(house.inside)} ({names})", "4 inside together",
                why="sync serves one request at a time, gthread as many as it has threads",
                nudge="A class of workers, and a number for each of them.",
            )  # fmt: skip


def check_life(learner: Learner) -> None:
    """Objectives 3 and 4, watched: who imports, and who is replaced when."""
    with start(learner) as house:
        importer, parent, _ = who(house)
        if importer != parent:
            fail(
                house.command, "the worker had imported the application itself",
                "imported by the parent, before it forked",
                why="fork(2): what is there before is shared until somebody writes to it",
                nudge="The option is --preload; the setting is called a little differently.",
            )  # fmt: skip
    with start(learner) as house:
        one_worker(house)
        served: list[int] = []
        while len(set(served)) < 3 and len(served) < 2 * MOST + 10:
            served.append(who(house)[2])
        lives = [served.count(pid) for pid in sorted(set(served), key=served.index)][:-1]
        if not lives or not all(FEWEST <= life <= MOST + LATE for life in lives):
            told = ", ".join(map(str, lives)) or f"nobody was replaced in {len(served)} requests"
            fail(
                f"{house.command}, one worker dismissed by TTOU, {len(served)} requests one by one",
                f"requests until a worker was replaced: {told}", f"from {FEWEST} to {MOST}",
                why="max_requests, plus a random number from 0 to max_requests_jitter",
                nudge="What is the smallest limit that can come out, what the largest?",
            )  # fmt: skip


def settings(learner: Learner) -> Config:
    """What Gunicorn makes of the file. Fails where it would refuse a value."""
    config = Config()
    for name in READ:
        try:
            value = learner.name(name)
        except Raised:
            continue  # not given: the default
        try:
            config.set(name, value)
        except Exception as error:
            fail(
                f"{name} = {value!r}", f"Gunicorn refuses it: {error}", "a value for this setting",
                nudge="The documentation of the setting says what it may be.",
            )  # fmt: skip
    kind = config.settings["worker_class"].get()
    if not isinstance(kind, str):
        fail("worker_class", repr(kind), "the name of a class of workers, such as 'sync'")
    return config


def wish(
    learner: Learner,
    name: str,
    fulfilled: Callable[[Any], bool],
    expected: str,
    *,
    why: str,
    nudge: str,
) -> None:
    """Fail unless the setting has a value that fulfils an objective."""
    setting = settings(learner).settings[name]
    value = setting.get()
    if not fulfilled(value):
        told = ", which is Gunicorn's default" if value == setting.default else ""
        fail(name, f"{value!r}{told}", expected, why=why, nudge=nudge)


def start(learner: Learner) -> House:
    """Gunicorn with the learner's values, on a port of its own."""
    config = settings(learner)
    options = [
        f"--max-requests={config.max_requests}",
        f"--max-requests-jitter={config.max_requests_jitter}",
        f"--worker-connections={config.settings['worker_connections'].get()}",
        *(["--preload"] if config.preload_app else []),
    ]
    kind = config.worker_class_str
    try:
        return House(config.workers, config.threads, f"gunicorn-{kind}", Leaky, options)
    except ServeError as error:
        fail(
            f"workers = {config.workers}, worker_class = {kind!r}, threads = {config.threads}",
            str(error).splitlines()[0], "a server with two workers for a WSGI application",
            nudge="Which class of workers serves several requests with threads?",
        )  # fmt: skip


def one_worker(house: House) -> None:
    """Dismiss all workers but one, so that one can be watched."""
    for _ in range(len(house.server.pids()) - 2):
        house.server.signal("TTOU")
    until(lambda: len(house.server.pids()) == 2)


def who(house: House) -> list[int]:
    """Who imported the application, the worker's parent, and the worker."""
    client = http.client.HTTPConnection(house.server.host, house.server.port, timeout=PATIENCE_S)
    client.request("GET", "/who", headers={"Connection": "close"})
    told = client.getresponse().read()
    client.close()
    return list(map(int, told.split()))


def settled(house: House) -> bool:
    """Wait until nobody else can come in for now."""
    house.settle()
    return True


def until(condition: Callable[[], object]) -> None:
    """Wait for it; the deadline only stops a hang."""
    limit = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"Gunicorn did not settle within {PATIENCE_S:g} s")
        time.sleep(0.01)
