"""Grader of restaurant-prefork: who is inside in which process, who replaces whom, who is left."""

import signal
import time

import psutil

from playground.grading import Gate, Learner, Server, fresh
from playground.grading.kitchen import (
    answered,
    answering,
    find,
    handler,
    leave,
    party,
    paused,
    returns,
    someone_comes,
)

SHARED = "each worker takes one connection at a time from the shared accept queue"
REPLACED = "wait(2): a dead child stays a zombie until its parent asks; then it is replaced"
SIGNALS = "signal(7): a signal is either pending or not; two deaths may be one SIGCHLD"


def open_house(learner: Learner, gate: Gate, workers: int) -> Server:
    """Start the learner's server and wait for its workers."""
    server = Server(learner, "serve", handler(learner, gate), workers)
    server.settles(
        lambda: len(server.children()), workers, "child processes",
        called=f"serve(listener, handle, {workers})", why="fork(2): one child for each worker",
        nudge="Fork all of them before you wait for anything.",
    )  # fmt: skip
    return server


@fresh
def check_one(learner: Learner) -> None:
    """Serves two clients, one after the other, and closes their connections."""
    with Gate() as gate:
        server = open_house(learner, gate, 1)
        for _ in range(2):
            with party(server, "quick") as client:
                answered(client, "quick", why="handle writes the answer; the worker closes")


@fresh
def check_together(learner: Learner) -> None:
    """Serves three clients at the same time, each in a child of its own."""
    called = "3 clients at once, with workers=3"
    with Gate() as gate:
        server = open_house(learner, gate, 3)
        clients = {name: party(server, name) for name in ("ann", "bob", "cleo")}
        visits = gate.wait_for(3, server, called, why=SHARED)
        pids = {visit.pid for visit in visits}
        if pids != {child.pid for child in server.children()}:
            where = "the parent" if learner.process().pid in pids else "one of the children"
            server.fail(
                called, f"{where} served, and not all children did", "one client in each child",
                why=SHARED, nudge="The parent only waits; each child accepts for itself.",
            )  # fmt: skip
        for name in ("cleo", "bob", "ann"):
            leave(gate, name)
            answered(clients[name], name, why="who is ready leaves first, whoever came first")


@fresh
def check_kept(learner: Learner) -> None:
    """Keeps its workers: who waits outside is served by the same two processes."""
    called = "4 clients at once, with workers=2"
    names = ["ann", "bob", "cleo", "dan"]
    with Gate() as gate:
        server = open_house(learner, gate, 2)
        first = {child.pid for child in server.children()}
        clients = {name: party(server, name) for name in names}
        gate.wait_for(2, server, called, why=SHARED)
        if someone_comes(gate):
            server.fail(
                called, "a third one inside your server", "2 at the same time", why=SHARED,
                nudge="Fork the workers once; neither the parent nor a new child serves.",
            )  # fmt: skip
        for left in range(4, 0, -1):
            visits = gate.wait_for(min(2, left), server, called, why="workers go on")
            if not {visit.pid for visit in visits} <= first:
                server.fail(
                    called, "a process that was not there at the start", "the same 2 workers",
                    why="pre-fork: workers are forked before anybody comes, and stay",
                )  # fmt: skip
            name = next(name for name in names if find(gate, name))
            leave(gate, name)
            answered(clients[name], name, why="who waited outside is served like everybody else")


@fresh
def check_failing(learner: Learner) -> None:
    """Survives a client that makes handle raise, in the same process."""
    called = "1 client that makes handle raise, then another one, with workers=1"
    with Gate() as gate:
        server = open_house(learner, gate, 1)
        (worker,) = server.children()
        with party(server, "fail") as client:
            client.expect_closed(
                why="an exception from handle costs its client the connection",
                nudge="Close the connection on every way out: `with connection:` does.",
            )
        with party(server, "ann") as client:
            (visit,) = gate.wait_for(1, server, called, why="the worker goes on")
            if visit.pid != worker.pid:
                server.fail(
                    called, "the worker had died and was replaced", "the same worker",
                    why="an exception from handle is no reason to lose a process",
                    nudge="Catch Exception around handle(connection), inside the loop.",
                )  # fmt: skip
            leave(gate, "ann")
            answered(client, "ann", why="the worker goes on")


@fresh
def check_replaced(learner: Learner) -> None:
    """Replaces a worker that was killed, while the other one serves."""
    called = "kill -9 of the idle one of 2 workers"
    with Gate() as gate:
        server = open_house(learner, gate, 2)
        slow = party(server, "slow")
        (visit,) = gate.wait_for(1, server, "1 client, with workers=2", why=SHARED)
        idle = next(child for child in server.children() if child.pid != visit.pid)
        idle.kill()
        await_workers(server, 2, {idle.pid}, called)
        with party(server, "ann") as client:
            gate.wait_for(2, server, f"{called}, then a new client", why=REPLACED)
            leave(gate, "ann")
            answered(client, "ann", why="the new worker serves like the old one")
        leave(gate, "slow")
        answered(slow, "slow", why="the other worker did not notice anything")


@fresh
def check_all_replaced(learner: Learner) -> None:
    """Replaces all three workers when they die at the same moment."""
    called = "kill -9 of all 3 workers while the parent was stopped (SIGSTOP), then SIGCONT"
    with Gate() as gate:
        server = open_house(learner, gate, 3)
        workers = server.children()
        with paused(server):
            for worker in workers:
                worker.kill()
            await_zombies(workers)
        await_workers(server, 3, {worker.pid for worker in workers}, called, why=SIGNALS)


@fresh
def check_worker_terminates(learner: Learner) -> None:
    """Lets a worker die of SIGTERM, and replaces it."""
    called = "SIGTERM to one of 2 workers"
    with Gate() as gate:
        server = open_house(learner, gate, 2)
        worker = server.children()[0]
        worker.terminate()
        await_workers(
            server, 2, {worker.pid}, called, why="fork(2): a child inherits handlers and the mask",
            nudge="In the child: SIG_DFL for what the parent handles, then unblock.",
        )  # fmt: skip


@fresh
def check_child_ends(learner: Learner) -> None:
    """Keeps a child that leaves its loop from going on as if it were the parent."""
    called = "a client whose handle calls sys.exit(), with workers=1"
    with Gate() as gate:
        server = open_house(learner, gate, 1)
        (worker,) = server.children()
        with party(server, "exit") as client:
            client.expect_closed(why="its worker has ended")
        await_workers(server, 1, {worker.pid}, called)
        learner.process().terminate()
        learner.define("back = True", "back")  # fails if two processes came back from serve


@fresh
def check_stop(learner: Learner) -> None:
    """Ends all workers at SIGTERM, idle or busy, reaps them, and returns how many it replaced."""
    called = "3 workers, 2 times one killed; 1 client inside; then SIGTERM to the parent"
    with Gate() as gate:
        server = open_house(learner, gate, 3)
        for _ in range(2):
            idle = server.children()[0]
            idle.kill()
            await_workers(server, 3, {idle.pid}, "kill -9 of one of 3 workers")
        client = party(server, "slow")
        gate.wait_for(1, server, "1 client, with workers=3", why=SHARED)
        learner.process().terminate()
        returns(
            server, called, 2, why="who dies at the end is not replaced, and does not count",
            nudge="After SIGTERM: signal every child, wait for every child, return.",
        )  # fmt: skip
        server.settles(
            lambda: len(server.children()), 0, "child processes (zombies count)", called=called,
            why=REPLACED, nudge="waitpid(pid, 0) for each of them, before you return.",
        )  # fmt: skip
        client.expect_closed(why="its worker has ended")


@fresh
def check_nothing_replaced(learner: Learner) -> None:
    """Returns 0 when nobody had to be replaced."""
    with Gate() as gate:
        server = open_house(learner, gate, 2)
        learner.process().send_signal(signal.SIGTERM)
        returns(
            server, "2 workers, then SIGTERM to the parent", 0,
            why="only deaths before SIGTERM are replacements", nudge="Count in one place only.",
        )  # fmt: skip


def await_zombies(processes: list[psutil.Process]) -> None:
    """Wait until all have ended, though nobody has reaped them."""
    limit = time.monotonic() + 5.0
    while any(p.status() != psutil.STATUS_ZOMBIE for p in processes) and time.monotonic() < limit:
        time.sleep(0.01)


def await_workers(
    server: Server, count: int, gone: set[int], called: str, *, why: str = REPLACED, nudge: str = ""
) -> None:
    """Fail unless there are `count` children, none of them one of `gone`."""

    def living() -> int:
        return len([child for child in server.children() if child.pid not in gone])

    def dead() -> int:
        return len([child for child in server.children() if child.pid in gone])

    what = "old ones that are still there, alive or as zombies"
    server.settles(dead, 0, what, called=called, why=why, nudge=nudge)
    what = "workers that live"
    server.settles(living, count, what, called=called, why=why, nudge=nudge)


def draw(file):  # type: ignore[no-untyped-def]
    """Six parties at once in the learner's house with two workers."""
    from playground import burst, serve

    function = file.function("serve")

    def two_workers(listener, app):  # type: ignore[no-untyped-def]
        function(listener, answering(app), 2)

    with serve(two_workers, "slow") as server:
        return burst(server, 6, "/?s=0.3", timeout=10, show=False)
