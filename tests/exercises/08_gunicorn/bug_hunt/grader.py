"""Grader of gunicorn-bug-hunt: the hooks, called as Gunicorn calls them."""

from __future__ import annotations

from typing import Any

from playground.grading import Learner, Remote, fail, fresh

WHERE = "Gunicorn: Settings, Server Hooks"
MAKE = """
def make(**named):
    from types import SimpleNamespace
    return SimpleNamespace(**named)
"""
FORKED = """
def forked(post_fork, token, worker):
    "The first token of a forked worker."
    import os
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            post_fork(None, worker)
            os.write(writer, b"%d" % token())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return int(said or -1)
"""
ABORTED = """
def aborted(worker_abort):
    "What the hook logs, and how it ends."
    from types import SimpleNamespace
    said = []
    log = SimpleNamespace(error=lambda text, *more: said.append(str(text % more if more else text)))
    try:
        worker_abort(SimpleNamespace(log=log, pid=71))
    except BaseException as error:
        return said, repr(error)
    return said, "it returned"
"""


class Worker:
    """The learner's hooks, and what they were called with."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.make = learner.define(MAKE, "make")
        self.told: list[str] = []

    def before(self, path: str) -> Remote:
        """A request comes; it is returned."""
        request = self.make(method="GET", path=path)
        self.told.append(f"pre_request({path})")
        self.learner.call("pre_request", None, request)
        return request

    def after(self, request: Remote, status: str | None = "200 OK") -> None:
        """A request is over; None: without a response."""
        response = None if status is None else self.make(status=status)
        self.told.append(f"post_request({request.get('path')}, resp={status!r})")
        self.learner.call("post_request", None, request, {}, response)

    def serves(self, expected: list[str], *, why: str, nudge: str = "") -> None:
        """Fail unless these paths are under way."""
        got = self.learner.call("serving")
        if got != expected:
            fail("; ".join([*self.told, "serving()"]), repr(got), repr(expected), why=why,
                 nudge=nudge)  # fmt: skip

    def wrote(self, name: str, expected: list[Any], *, why: str, nudge: str = "") -> None:
        """Fail unless a list of the learner's holds this."""
        got = list(self.learner.define("def look(the_list):\n    return list(the_list)", "look")(
            self.learner.name(name)))  # fmt: skip
        if got != expected:
            fail("; ".join([*self.told, name]), repr(got), repr(expected), why=why, nudge=nudge)


@fresh
def check_one_request(learner: Learner) -> None:
    """One request comes and goes."""
    worker = Worker(learner)
    request = worker.before("/soup")
    worker.serves(["/soup"], why="it is under way")
    worker.after(request)
    worker.serves([], why="it is over")
    worker.wrote("LINES", ["GET /soup 200"], why="method, path and status")


@fresh
def check_same_path(learner: Learner) -> None:
    """Counts two requests for the same path as two."""
    worker = Worker(learner)
    bread, first, second = (worker.before(path) for path in ("/soup", "/bread", "/soup"))
    why = "gthread: several threads may serve the same path at the same time"
    nudge = "Which collection holds the same thing twice?"
    worker.serves(["/bread", "/soup", "/soup"], why=why, nudge=nudge)
    worker.after(second)
    worker.serves(["/bread", "/soup"], why=why, nudge=nudge)
    worker.after(first, "404 Not Found")
    worker.after(bread)
    worker.serves([], why=why, nudge=nudge)
    lines = ["GET /soup 200", "GET /bread 404", "GET /soup 200"]
    worker.wrote("LINES", lines, why="one line each, in the order in which they ended")


@fresh
def check_failed(learner: Learner) -> None:
    """Notes a request that failed before there was a response."""
    worker = Worker(learner)
    worker.after(worker.before("/soup"), None)
    why = f"{WHERE}, post_request: resp is None if the application failed before it answered"
    worker.wrote("LINES", ["GET /soup failed"], why=why, nudge="Look at resp before you use it.")
    worker.serves([], why="it is over, even if it failed")


@fresh
def check_tokens(learner: Learner) -> None:
    """Gives each forked worker numbers of its own."""
    forked = learner.define(FORKED, "forked")
    make = learner.define(MAKE, "make")
    tokens = [
        forked(learner.name("post_fork"), learner.name("token"), make(pid=pid, age=pid))
        for pid in range(71, 75)
    ]
    if len(set(tokens)) < len(tokens):
        fail(
            "4 workers forked one after the other: post_fork(server, worker); token()",
            f"{len(set(tokens))} different tokens: {', '.join(map(str, tokens))}",
            "4 different ones",
            why="fork(2) copies the generator; the seed decides all that comes after it",
            nudge="What is different in each worker, however fast they come?",
        )  # fmt: skip


@fresh
def check_abort(learner: Learner) -> None:
    """Logs what is under way at SIGABRT, and leaves the end to Gunicorn."""
    worker = Worker(learner)
    for path in ("/soup", "/bread"):
        worker.before(path)
    said, end = learner.define(ABORTED, "aborted")(learner.name("worker_abort"))
    expected = ["was serving /bread", "was serving /soup"]
    if sorted(said) != expected:
        fail("worker_abort(worker)", f"logged {said}", f"logged {expected}", why=WHERE)
    if end != "it returned":
        fail(
            "worker_abort(worker)", end, "it returned",
            why="code 0 means that all is well; Gunicorn ends the worker with code 1",
            nudge="A hook is called in the middle of something: let it go on.",
        )  # fmt: skip


@fresh
def check_deaths(learner: Learner) -> None:
    """Notes the process id of the worker that is gone."""
    worker = Worker(learner)
    for pid in (71, 72):
        worker.told.append(f"child_exit(server, worker {pid})")
        learner.call("child_exit", None, worker.make(pid=pid))
    worker.wrote(
        "DEATHS", [71, 72], why=f"{WHERE}, child_exit: called in the parent",
        nudge="os.getpid() is whoever runs this line.",
    )  # fmt: skip
