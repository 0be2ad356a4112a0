"""Grader of restaurant-threads: who is inside together, who waits outside, how it ends."""

import socket
import time

from playground.grading import Gate, Learner, Remote, Server, fresh
from playground.grading.kitchen import (
    Bell,
    answered,
    answering,
    find,
    handler,
    leave,
    party,
    returns,
    someone_comes,
    stays,
)

POOL = "a thread takes one connection at a time, as a waiter takes one table"
OUTSIDE = "listen(2): who is not accepted waits in the kernel, where another process may take it"


def open_house(
    learner: Learner, gate: Gate, threads: int, prepare: Remote | None = None
) -> tuple[Server, Bell]:
    """Start the learner's server."""
    bell = Bell(learner)
    handle = handler(learner, gate)
    return Server(learner, "serve", handle, threads, bell.socket, prepare=prepare), bell


@fresh
def check_one(learner: Learner) -> None:
    """Serves two clients, one after the other, and closes their connections."""
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 1)
        for _ in range(2):
            with party(server, "quick") as client:
                answered(client, "quick", why="handle writes the answer; you close the connection")


@fresh
def check_together(learner: Learner) -> None:
    """Serves three clients at the same time, and the last one first."""
    called = "3 clients at once, with threads=3"
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 3)
        clients = {name: party(server, name) for name in ("ann", "bob", "cleo")}
        visits = gate.wait_for(
            3,
            server,
            called,
            why=POOL,
            nudge="Every thread runs the loop that accepts and handles.",
        )
        if len({visit.thread for visit in visits}) != 3 or len({v.pid for v in visits}) != 1:
            server.fail(
                called, "not each in a thread of its own", "3 threads of one process", why=POOL
            )
        for name in ("cleo", "bob", "ann"):
            leave(gate, name)
            answered(clients[name], name, why="who is ready leaves first, whoever came first")


@fresh
def check_slow(learner: Learner) -> None:
    """Serves six others while one client takes its time."""
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 2)
        slow = party(server, "slow")
        gate.wait_for(1, server, "1 client, with threads=2", why=POOL)
        for _ in range(6):
            with party(server, "quick") as client:
                answered(client, "quick", why="the second thread is free all the time")
        leave(gate, "slow")
        answered(slow, "slow", why="it took its time, and gets its answer")


@fresh
def check_bounded(learner: Learner) -> None:
    """Lets no more in than there are threads; the others wait in the accept queue."""
    called = "5 clients at once, with threads=2"
    names = ["ann", "bob", "cleo", "dan", "eve"]
    with Gate() as gate:
        before = learner.process().num_threads()
        server, _bell = open_house(learner, gate, 2)
        clients = {name: party(server, name) for name in names}
        gate.wait_for(2, server, called, why=POOL)
        if someone_comes(gate):
            server.fail(
                called, "a third one inside your server", "2 at the same time", why=POOL,
                nudge="Start all threads once, before anybody comes; not one for each client.",
            )  # fmt: skip
        extra = server.threads() - before
        if extra > 2:
            server.fail(
                called, f"{extra} threads besides the calling one", "2",
                why="a bounded number of threads is what memory and database connections rely on",
            )  # fmt: skip
        accepted = stays(server, server.connections, 2)
        if accepted != 2:
            server.fail(
                called, f"{accepted} accepted connections while both threads are busy", "2",
                why=OUTSIDE, nudge="Accept in the thread that will handle.",
            )  # fmt: skip
        for left in range(5, 0, -1):
            gate.wait_for(min(2, left), server, called, why="each thread goes on with the next one")
            name = next(name for name in names if find(gate, name))
            leave(gate, name)
            answered(clients[name], name, why="who waited outside is served like everybody else")


@fresh
def check_failing(learner: Learner) -> None:
    """Survives a client that makes handle raise, and closes its connection."""
    called = "1 client that makes handle raise, then 2 at once, with threads=2"
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 2)
        with party(server, "fail") as client:
            client.expect_closed(
                why="an exception from handle costs its client the connection",
                nudge="Close the connection on every way out: `with connection:` does.",
            )
        clients = {name: party(server, name) for name in ("ann", "bob")}
        gate.wait_for(
            2, server, called,
            why="an exception that leaves the function of a thread ends the thread for good",
            nudge="Catch Exception around handle(connection), inside the loop.",
        )  # fmt: skip
        for name, client in clients.items():
            leave(gate, name)
            answered(client, name, why="both threads are still there")


@fresh
def check_silent_client(learner: Learner) -> None:
    """Gives handle a connection that waits for a client that says nothing yet."""
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 1)
        with server.connect() as client:
            server.settles(server.connections, 1, "accepted connections", called="1 silent client")
            client.is_silent()
            client.send(b"quick\n")
            answered(
                client, "quick", why="accept(2): a connection blocks, unless told otherwise",
                nudge="Only the listener may be non-blocking: connection.setblocking(True).",
            )  # fmt: skip


@fresh
def check_crowd_at_the_door(learner: Learner) -> None:
    """Keeps all threads when several of them wake up for one client."""
    called = "1 client who wakes up two threads, then 8 at once, with threads=8"
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 8, crowd(learner))
        wake_two(server)
        clients = {f"guest {number}": party(server, f"guest {number}") for number in range(8)}
        gate.wait_for(
            8, server, called, why="a thread that finds nobody at the door goes back and waits",
            nudge="BlockingIOError from accept() means that another thread was faster. Go on.",
        )  # fmt: skip
        for name, client in clients.items():
            leave(gate, name)
            answered(client, name, why="all threads are still there")


@fresh
def check_stop_idle(learner: Learner) -> None:
    """Returns when stop becomes readable and nobody is there."""
    called = "1 client who woke up two threads, then made `stop` readable while all 8 were idle"
    with Gate() as gate:
        before = learner.process().num_threads()
        server, bell = open_house(learner, gate, 8, crowd(learner))
        wake_two(server)
        bell.ring()
        returns(
            server, called, None, why="a thread that sleeps in accept() hears nothing else",
            nudge="Wait for the listener and for stop at once, and never in accept().",
        )  # fmt: skip
        server.settles(server.threads, before, "threads", called=called, why="no thread is left")


@fresh
def check_stop_busy(learner: Learner) -> None:
    """Serves who is inside to the end, lets nobody in after stop, then returns."""
    called = "made `stop` readable while 1 client was inside, with threads=2"
    with Gate() as gate:
        before = learner.process().num_threads()
        server, bell = open_house(learner, gate, 2)
        inside = party(server, "inside")
        gate.wait_for(1, server, "1 client, with threads=2", why=POOL)
        bell.ring()
        late = [party(server, f"late {number}") for number in range(3)]
        if someone_comes(gate):
            late_one_inside(server, called)
        if ended := learner.ended():
            server.fail(
                called, f"serve {ended} with the client still inside", "serve waits for it",
                why="who is inside is served to the end", nudge="join() every thread.",
            )  # fmt: skip
        leave(gate, "inside")
        answered(inside, "inside", why="who is inside is served to the end")
        limit = time.monotonic() + learner.deadline_s
        while not learner.ended() and time.monotonic() < limit:
            if someone_comes(gate, 0.02):
                late_one_inside(server, called)
        returns(
            server, called, None, why="all threads end when the last party has left",
            nudge="The thread that was busy must learn of the end as well.",
        )  # fmt: skip
        server.settles(server.threads, before, "threads", called=called, why="no thread is left")
        server.settles(
            server.connections, 0, "accepted connections", called=called, why=OUTSIDE,
            nudge="Look at stop before you accept, each time.",
        )  # fmt: skip
        for client in late:
            client.close()


def wake_two(server: Server) -> None:
    """Let two idle threads go to the door for the same client, if two can."""
    with party(server, "quick") as quick:
        answered(quick, "quick", why="the house is open")


def crowd(learner: Learner) -> Remote:
    """Return what makes the first thread at the door wait for a second one, but not for ever."""
    return learner.define(CROWD, "crowd")


CROWD = """
import itertools, socket, threading

class Crowded(socket.socket):
    __slots__ = ()
    number = itertools.count(1)
    two_are_there = threading.Event()

    def accept(self):
        if next(Crowded.number) == 2:
            Crowded.two_are_there.set()
        Crowded.two_are_there.wait(2.0)
        Crowded.two_are_there.set()
        return super().accept()

def crowd(listener):
    listener.__class__ = Crowded
"""


def late_one_inside(server: Server, called: str) -> None:
    """Fail: somebody was let in after the end."""
    server.fail(
        f"{called}; then 3 more clients came", "one of them was handled", "none is accepted",
        why=OUTSIDE, nudge="Look at stop before you accept, each time.",
    )  # fmt: skip


def draw(file):  # type: ignore[no-untyped-def]
    """Six parties at once in the learner's house with two threads."""
    from playground import burst, serve

    function = file.function("serve")

    def two_threads(listener, app):  # type: ignore[no-untyped-def]
        stop, rope = socket.socketpair()
        with stop, rope:
            function(listener, answering(app), 2, stop)

    with serve(two_threads, "slow") as server:
        return burst(server, 6, "/?s=0.3", timeout=10, show=False)
