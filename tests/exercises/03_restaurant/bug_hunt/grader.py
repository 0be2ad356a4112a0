"""Grader of restaurant-bug-hunt: one check for each planted bug, and for what repairs break."""

import socket
import struct
import time

from playground.grading import Client, Gate, Learner, Server, fresh
from playground.grading.kitchen import Bell, find, leave, replying, returns, someone_comes

POOL = "each thread runs one call of handle at a time"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
PIECES = "TCP is a stream: one send of the client may be several recv here (RFC 9112 §2.1)"
LEAK = "a connection that nobody closes stays open until the process ends"


@fresh
def check_one(learner: Learner) -> None:
    """Answers two clients, one after the other."""
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 1)
        for path in ("quick", "quick?again"):
            with server.exchange(request(path)) as client:
                answered(client, path, why="handle(head) returns the response; send it and close")


@fresh
def check_own_answer(learner: Learner) -> None:
    """Gives each of three clients at the same time its own answer."""
    shared = "all threads share one Pool, and its attributes"
    nudge = "What happens to self.connection when the next thread takes a job?"
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 3)
        clients = {}
        for number, path in enumerate(("ann", "bob", "cleo"), 1):
            clients[path] = server.exchange(request(path))
            gate.wait_for(number, server, f"{number} clients at once, with threads=3", why=POOL)
        for path in ("ann", "bob", "cleo"):
            client = clients.pop(path)
            leave(gate, path)
            for waiting, other in clients.items():
                if not other.is_silent():
                    other.expect_bytes(answer(waiting), why=shared, nudge=nudge)
            answered(client, path, why=shared, nudge=nudge)


@fresh
def check_bounded(learner: Learner) -> None:
    """Runs as many calls of handle at once as there are threads, and no more."""
    called = "3 clients at once, with threads=2"
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 2)
        clients = {path: server.exchange(request(path)) for path in ("ann", "bob", "cleo")}
        gate.wait_for(2, server, called, why=POOL)
        if someone_comes(gate):
            server.fail(called, "a third call of handle", "2 at the same time", why=POOL)
        for left in (3, 2, 1):
            gate.wait_for(min(2, left), server, called, why=POOL)
            path = next(path for path in clients if find(gate, path))
            leave(gate, path)
            answered(clients.pop(path), path, why="each thread goes on with the next client")


@fresh
def check_silent_client(learner: Learner) -> None:
    """Serves others while one client says nothing, and that one when it speaks."""
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 2)
        with server.connect() as silent:
            for _ in range(3):
                with server.exchange(request("quick")) as client:
                    answered(
                        client, "quick", why="who says nothing occupies one thread at most",
                        nudge="Which thread waits in recv()? Nobody accepts meanwhile.",
                    )  # fmt: skip
            silent.send(request("quick"))
            answered(silent, "quick", why="it took its time, and gets its answer")


@fresh
def check_pieces(learner: Learner) -> None:
    """Puts together a head that arrives byte by byte, and in two halves."""
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 1)
        whole = request("quick")
        for pieces in ([whole[:20], whole[20:]], [whole[:-2], whole[-2:]], bytewise(whole[:40])):
            with server.connect() as client:
                client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for piece in [*pieces, whole[40:]] if len(pieces) > 2 else pieces:
                    client.send(piece)
                    if not client.is_silent(0.02):
                        break
                answered(client, "quick", why=PIECES, nudge="Read until the empty line is there.")


@fresh
def check_raising(learner: Learner) -> None:
    """Answers 500 when handle raises, and keeps its threads."""
    called = "3 clients that make handle raise, then 2 at once, with threads=2"
    why = "an exception that leaves the function of a thread ends the thread for good"
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 2)
        for _ in range(3):
            with server.exchange(request("fail")) as client:
                client.expect_bytes(
                    FAILED, why="the client must learn that it is not its own fault"
                )
                client.expect_closed(why=LEAK)
        clients = {path: server.exchange(request(path)) for path in ("ann", "bob")}
        gate.wait_for(2, server, called, why=why, nudge="Catch Exception around handle(head).")
        for path, client in clients.items():
            leave(gate, path)
            answered(client, path, why="both threads are still there")


@fresh
def check_hung_up(learner: Learner) -> None:
    """Keeps its threads when a client hangs up before its answer."""
    called = "1 client that reset its connection while handle ran, then another, with threads=1"
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 1)
        rude = server.exchange(request("rude"))
        gate.wait_for(1, server, "1 client, with threads=1", why=POOL)
        reset(rude)
        leave(gate, "rude")
        with server.exchange(request("ann")) as client:
            gate.wait_for(
                1, server, called, why="send(2) to a client that has gone raises OSError",
                nudge="Which lines may raise because of the client? The thread must survive them.",
            )  # fmt: skip
            leave(gate, "ann")
            answered(client, "ann", why="the thread is still there")
        server.settles(server.connections, 0, "open connections", called=called, why=LEAK)


@fresh
def check_hung_up_early(learner: Learner) -> None:
    """Survives clients that hang up, with end-of-file or a reset, before they have asked."""
    called = "clients that hung up before they had sent a whole head, then another, with threads=1"
    with Gate() as gate:
        server, _bell = open_house(learner, gate, 1)
        for data in (b"", b"GET /half HTTP/1.1\r\nHo"):
            with server.exchange(data, shutdown=True) as polite:
                polite.expect_closed(
                    why="end-of-file before the empty line: there is nothing to answer",
                    nudge="Close the connection on every way out: `with connection:` does.",
                )
            rude = server.exchange(data)
            rude.is_silent(0.05)  # it may be in recv() by now
            reset(rude)
        with server.exchange(request("quick")) as client:
            answered(client, "quick", why="recv(2) from a client that has gone may raise OSError")
        server.settles(server.connections, 0, "open connections", called=called, why=LEAK)


@fresh
def check_stop_idle(learner: Learner) -> None:
    """Ends all of its threads when stop becomes readable."""
    called = "made `stop` readable while all 3 threads were idle"
    with Gate() as gate:
        before = learner.process().num_threads()
        server, bell = open_house(learner, gate, 3)
        with server.exchange(request("quick")) as client:
            answered(client, "quick", why="the house is open")
        bell.ring()
        returns(
            server, called, None, why="a thread that waits in get() ends only if it gets something",
            nudge="How many threads does one None reach?",
        )  # fmt: skip
        server.settles(server.threads, before, "threads", called=called, why="no thread is left")


@fresh
def check_stop_busy(learner: Learner) -> None:
    """Answers who has been accepted, and nobody else, before it returns."""
    called = "made `stop` readable while 1 client was inside and 1 waited, with threads=1"
    with Gate() as gate:
        server, bell = open_house(learner, gate, 1)
        clients = {"ann": server.exchange(request("ann"))}
        gate.wait_for(1, server, "1 client, with threads=1", why=POOL)
        clients["bob"] = server.exchange(request("bob"))
        if not accepted(server, 2):
            del clients["bob"]  # it waits in the accept queue, as it does when each thread accepts
        bell.ring()
        late = server.exchange(request("late"))
        if someone_comes(gate) or learner.ended():
            server.fail(
                called, learner.ended() or "one more was let in", "serve finishes its clients",
                why="threads that are still at work are not gone", nudge="join() every thread.",
            )  # fmt: skip
        for path, client in clients.items():
            visits = gate.wait_for(1, server, called, why="who has been accepted is answered")
            if find(gate, path) is None:
                server.fail(
                    called, f"{visits[0].label} is inside", f"{(path,)} is inside",
                    why="nobody is accepted after stop, and the others come in order",
                )  # fmt: skip
            leave(gate, path)
            answered(client, path, why="who has been accepted is answered")
        returns(server, called, None, why="then all threads end", nudge="join() them.")
        if someone_comes(gate, 0.0):
            server.fail(called, "a client that came later was answered", "it is not accepted")
        server.settles(server.connections, 0, "accepted connections", called=called, why=LEAK)
        late.close()


def open_house(learner: Learner, gate: Gate, threads: int) -> tuple[Server, Bell]:
    """Start the learner's server."""
    bell = Bell(learner)
    handle = learner.define(HANDLE, "make")(gate.handler(learner))
    return Server(learner, "serve", handle, threads, bell.socket), bell


def accepted(server: Server, count: int) -> bool:
    """Wait a moment for the server to accept so many."""
    patience = server.learner.patience(2.0)
    while server.connections() != count and not patience.over():
        time.sleep(0.01)
    return server.connections() == count


def request(path: str) -> bytes:
    """A whole head."""
    return f"GET /{path} HTTP/1.1\r\nHost: restaurant.example\r\n\r\n".encode()


def bytewise(data: bytes) -> list[bytes]:
    """One byte at a time."""
    return [data[place : place + 1] for place in range(len(data))]


def answered(client: Client, path: str, *, why: str, nudge: str = "") -> None:
    """Fail unless the client gets the answer to its own request, and then end-of-file."""
    client.expect_bytes(answer(path), why=why, nudge=nudge)
    client.expect_closed(why=LEAK, nudge=nudge)


def answer(path: str) -> bytes:
    """What HANDLE returns for this path."""
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(path)}\r\n\r\n{path}".encode()


def reset(client: Client) -> None:
    """Hang up so that the server notices at once: with RST (SO_LINGER, socket(7))."""
    client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


HANDLE = """
def make(enter):
    def handle(head):
        path = head.split(b" ")[1].decode()[1:]
        if path == "fail":
            raise ValueError("this dish fails")
        if not head.startswith(b"GET ") or not head.endswith(b"\\r\\n\\r\\n"):
            path = "not the head"
        elif not path.startswith("quick"):
            enter(path)
        return f"HTTP/1.1 200 OK\\r\\nContent-Length: {len(path)}\\r\\n\\r\\n{path}".encode()

    return handle
"""


def draw(file):  # type: ignore[no-untyped-def]
    """Six parties at once in the learner's pool of two threads."""
    from playground import burst, serve

    function = file.function("serve")

    def two_threads(listener, app):  # type: ignore[no-untyped-def]
        stop, rope = socket.socketpair()
        with stop, rope:
            function(listener, replying(app), 2, stop)

    with serve(two_threads, "slow") as server:
        return burst(server, 6, "/?s=0.3", timeout=10, show=False)
