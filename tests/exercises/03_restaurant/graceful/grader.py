"""Grader of restaurant-graceful: who is finished, who still waits, who is told to go at once."""

import signal

from playground.grading import Client, Gate, Learner, Raised, Remote, Server, fail, fresh
from playground.grading.kitchen import (
    answered,
    answering,
    asleep,
    delivered,
    handler,
    leave,
    party,
    returns,
    someone_comes,
)

FINISH = "SIGTERM asks for an end, and who is inside is served first"
QUEUE = "who is not accepted is not lost: another process takes it from the accept queue"
WAKE = "PEP 475: after the handler, Python goes on with the sleep that the signal interrupted"


@fresh
def check_one(learner: Learner) -> None:
    """Serves three clients, one after the other, and closes their connections."""
    with Gate() as gate:
        server = open_house(learner, gate)
        for _ in range(3):
            with party(server, "quick") as client:
                answered(client, "quick", why="handle writes the answer; you close the connection")


@fresh
def check_failing(learner: Learner) -> None:
    """Survives a client that makes handle raise, and closes its connection."""
    with Gate() as gate:
        server = open_house(learner, gate)
        with party(server, "fail") as client:
            client.expect_closed(
                why="an exception from handle costs its client the connection",
                nudge="Close the connection on every way out: `with connection:` does.",
            )
        with party(server, "quick") as client:
            answered(client, "quick", why="and nobody else anything")


@fresh
def check_idle(learner: Learner) -> None:
    """Returns True at SIGTERM when nobody is there."""
    with Gate() as gate:
        server = open_house(learner, gate)
        with party(server, "quick") as client:
            answered(client, "quick", why="the house is open")
        asleep(server)
        terminate(learner)
        returns(
            server, "SIGTERM to the idle server", True, why=WAKE,
            nudge="Wait for something that the signal can make ready.",
        )  # fmt: skip


@fresh
def check_busy(learner: Learner) -> None:
    """Finishes the client that is inside, then returns True."""
    called = "SIGTERM while 1 client is inside"
    with Gate() as gate:
        server = open_house(learner, gate)
        inside = party(server, "inside")
        gate.wait_for(1, server, "1 client", why="the house is open")
        terminate(learner)
        if not inside.is_silent(0.3):
            inside.fail("the connection was closed", "its answer, when it is ready", why=FINISH)
        if ended := learner.ended():
            fail(called, f"serve {ended} with the client inside", "serve finishes it", why=FINISH)
        leave(gate, "inside")
        answered(inside, "inside", why=FINISH, nudge="The handler of SIGTERM only takes a note.")
        returns(server, called, True, why=FINISH, nudge="Look at the note before you accept again.")


@fresh
def check_nobody_new(learner: Learner) -> None:
    """Leaves everybody else in the accept queue, where the next process finds them."""
    called = "SIGTERM while 1 client is inside and 1 waits; then 1 more comes"
    with Gate() as gate:
        server = open_house(learner, gate)
        inside = party(server, "inside")
        gate.wait_for(1, server, "1 client", why="the house is open")
        outside = [party(server, "early")]
        terminate(learner)
        outside.append(party(server, "late"))
        leave(gate, "inside")
        answered(inside, "inside", why=FINISH)
        returns(
            server, called, True, why="nobody is accepted after SIGTERM",
            nudge="Look at the note before you accept again, each time.",
        )  # fmt: skip
        if someone_comes(gate, 0.0):
            fail(called, "the next one was handled", "it waits in the accept queue", why=QUEUE)
        for client in outside:
            taken_by_the_next(server, client, called)


@fresh
def check_same_moment(learner: Learner) -> None:
    """Loses nobody when a client and SIGTERM arrive at the same moment, in eight tries."""
    called = "1 client and SIGTERM at the same moment"
    with Gate() as gate:
        for _ in range(8):
            server = open_house(learner, gate)
            asleep(server)
            learner.process().suspend()  # at once or a moment later: both orders must be survived
            client = party(server, "quick")
            terminate(learner)
            learner.process().resume()
            nobody_is_lost(server, client, called)


@fresh
def check_right_after_accept(learner: Learner) -> None:
    """Loses nobody when SIGTERM arrives as soon as a client is accepted."""
    called = "1 client, and SIGTERM as soon as it is accepted"
    with Gate() as gate:
        server = open_house(learner, gate, prepare=probe(learner, "accept_second_with_sigterm"))
        client = party(server, "quick")
        nobody_is_lost(server, client, called)


@fresh
def check_now(learner: Learner) -> None:
    """Gives up at the second SIGTERM: closes the connection and returns False."""
    now(learner, "handler", "2 times SIGTERM while 1 client is inside")


@fresh
def check_now_stubborn(learner: Learner) -> None:
    """Gives up at the second SIGTERM though handle catches every Exception."""
    now(learner, "stubborn", "2 times SIGTERM while a handle that catches Exception runs")


@fresh
def check_restored(learner: Learner) -> None:
    """Puts back the handler of SIGTERM that was there before."""
    with Gate() as gate:
        probe(learner, "prepare")()
        server = open_house(learner, gate)
        with party(server, "quick") as client:
            answered(client, "quick", why="the house is open")
        asleep(server)
        terminate(learner)
        returns(server, "SIGTERM to the idle server", True, why=WAKE, nudge="")
        if not probe(learner, "silent")():
            fail(
                "signal.set_wakeup_fd(-1) after serve has returned", "a descriptor of yours", "-1",
                why="a function that changes what belongs to the whole process puts it back",
                nudge="signal.set_wakeup_fd returns the old one; `finally` is the place.",
            )  # fmt: skip
        if not probe(learner, "restored")():
            fail(
                "signal.getsignal(SIGTERM) after serve has returned", "another handler",
                "the one that was there before",
                why="a function that changes what belongs to the whole process puts it back",
                nudge="signal.signal returns the old handler; `finally` is the place.",
            )  # fmt: skip


def now(learner: Learner, kind: str, called: str) -> None:
    """Interrupt a handle of that kind."""
    with Gate() as gate:
        handle = handler(learner, gate)
        if kind == "stubborn":
            handle = probe(learner, "stubborn")(handle)
        server = open_house(learner, gate, handle)
        inside = party(server, "inside")
        gate.wait_for(1, server, "1 client", why="the house is open")
        terminate(learner)
        delivered(server, signal.SIGTERM)  # two signals at the same moment would be one
        terminate(learner)
        returns(
            server, called, False, why="the second SIGTERM means now",
            nudge="A handler may raise; what it raises must get past `except Exception`.",
        )  # fmt: skip
        inside.expect_closed(why="a dropped client must notice it")


def nobody_is_lost(server: Server, client: Client, called: str) -> None:
    """Fail unless the server returns, with the client served or still in the accept queue."""
    returns(server, called, True, why=FINISH, nudge="Both may be ready when you wake up.")
    if waits(server):
        taken_by_the_next(server, client, called)
    else:
        answered(
            client, "quick", why="a client that was accepted is served to the end",
            nudge="An exception from the signal handler can land right after accept().",
        )  # fmt: skip


def open_house(
    learner: Learner, gate: Gate, handle: Remote | None = None, prepare: Remote | None = None
) -> Server:
    """Start the learner's server, and wait until it serves: then its handler is in place."""
    server = Server(learner, "serve", handle or handler(learner, gate), prepare=prepare)
    with party(server, "quick") as client:
        answered(client, "quick", why="handle writes the answer; you close the connection")
    return server


def terminate(learner: Learner) -> None:
    """Send SIGTERM to the learner's process."""
    learner.process().send_signal(signal.SIGTERM)


def waits(server: Server) -> bool:
    """Tell whether somebody is in the accept queue of the learner's listener."""
    try:
        return bool(probe(server.learner, "is_waiting")(server.listener))
    except Raised:
        return False  # closed


def taken_by_the_next(server: Server, client: Client, called: str) -> None:
    """Fail unless the client still waits in the accept queue of the listener, unharmed."""
    if not waits(server):
        fail(
            called, "a client that was not served is not in the accept queue any more",
            "it waits there for the next process", why=QUEUE,
            nudge="Leave the listener open, and accept nobody whom you will not serve.",
        )  # fmt: skip
    probe(server.learner, "take")(server.listener)
    client.expect_bytes(b"served by the next process\n", why=QUEUE)


def probe(learner: Learner, name: str) -> Remote:
    """Return a function of PROBE."""
    return learner.define(PROBE, name)


PROBE = """
import os, select, signal, socket

class Ringing(socket.socket):
    __slots__ = ()
    clients = 0

    def accept(self):
        accepted = super().accept()
        Ringing.clients += 1
        if Ringing.clients == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return accepted

def accept_second_with_sigterm(listener):
    listener.__class__ = Ringing

def own_handler(number, frame):
    pass

def prepare():
    signal.signal(signal.SIGTERM, own_handler)

def restored():
    return getattr(signal.getsignal(signal.SIGTERM), "__name__", "") == "own_handler"

def silent():
    return signal.set_wakeup_fd(-1) == -1

def is_waiting(listener):
    return bool(select.select([listener], [], [], 0)[0])

def take(listener):
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"served by the next process\\n")

def stubborn(handle):
    def patient(connection):
        try:
            handle(connection)
        except Exception:
            pass
    return patient
"""


def draw(file):  # type: ignore[no-untyped-def]
    """Four parties at once; SIGTERM after the burst ends the learner's server."""
    from playground import burst, serve

    function = file.function("serve")

    def one_at_a_time(listener, app):  # type: ignore[no-untyped-def]
        function(listener, answering(app))

    with serve(one_at_a_time, "slow") as server:
        return burst(server, 4, "/?s=0.3", timeout=10, show=False)
