"""Grader of whiteboard-echo: clients that say nothing, do not read, or hang up badly."""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from playground.grading import Client, Learner, Remote, Server, fresh
from playground.patience import at_rest

ALONE = "one client's trouble is nobody else's"
SMALL = 32_768  # bytes: what we ask the kernel to keep for a connection
PIECE = bytes(range(256)) * 1024  # 256 KiB
MUCH = 16 * len(PIECE)  # more than the kernel and 64 KiB keep
LOOKS = 20  # in a row, at a process that should sleep
SMALLER = f"""
import socket

def smaller(listener):
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        listener.setsockopt(socket.SOL_SOCKET, option, {SMALL})
"""
DOOR = """
import socket, threading

class Door(socket.socket):
    __slots__ = ()
    come = []

    def accept(self):
        Door.come.append(super().accept())
        if len(Door.come) == 2:  # another process was faster
            Door.come[1][0].close()
            if self.gettimeout() is None:
                threading.Event().wait()
            raise BlockingIOError("another process was faster")
        if len(Door.come) == 3:
            Door.come[2][0].close()
            raise ConnectionAbortedError("it has gone again")
        return Door.come[-1]

def door(listener):
    listener.__class__ = Door
"""


def house(learner: Learner, prepare: Remote | None = None) -> Server:
    """The learner's server."""
    return Server(learner, "serve", prepare=prepare)


def echoes(client: Client, data: bytes, why: str, nudge: str = "") -> None:
    """Send, and fail unless the same comes back."""
    client.send(data)
    client.expect_bytes(data, why=why, nudge=nudge)


def resets(client: Client) -> None:
    """Hang up with a reset."""
    client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def stuffs(client: Client, most: int) -> int:
    """Send up to `most` bytes without reading; return how many were taken until nobody moves."""
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        client.connection.setsockopt(socket.SOL_SOCKET, option, SMALL)
    learner, count = client.server.learner, 0
    client.connection.setblocking(False)
    patience = learner.patience(0.2)
    while count < most and not patience.over():
        try:
            piece = PIECE[count % len(PIECE) :][: most - count]
            count += client.connection.send(piece)
            patience = learner.patience(0.2)
        except BlockingIOError:
            time.sleep(0.005)
    return count


def takes(client: Client, count: int) -> None:
    """Fail unless so many bytes of what was stuffed come back."""
    client.connection.setblocking(False)
    patience, got = client.server.learner.patience(), 0
    while got < count:
        data = b""
        with contextlib.suppress(OSError):
            data = client.connection.recv(65_536)
        at = got % len(PIECE)
        if data != (PIECE * 2)[at : at + len(data)] or (not data and patience.over()):
            what = "other bytes" if data else "no more"
            client.server.fail(
                f"sent {count:,} bytes without reading, then read", f"{what} after {got:,} bytes",
                "all of them, in order", why="send may take a part: the rest is yours to keep",
                nudge="send returns how many bytes it took.",
            )  # fmt: skip
        if data:
            patience = client.server.learner.patience()
        else:
            time.sleep(0.005)
        got += len(data)


@fresh
def check_echo(learner: Learner) -> None:
    """What a client sends comes back, again and again, whatever the bytes are."""
    server = house(learner)
    with server.connect() as client:
        for data in (b"soup", b"\r\n", bytes(range(256)), b"more\nand more\n"):
            echoes(client, data, why="every byte comes back to its client")
        client.shutdown()
        client.expect_closed(why="the client has ended", nudge='recv gives b"": close.')
    server.settles(server.connections, 0, "open connections", called="1 client, which has ended")


@fresh
def check_nobody_waits(learner: Learner) -> None:
    """Silent clients keep nobody waiting, and stay."""
    before = learner.process().num_threads()
    server = house(learner)
    silent = [server.connect() for _ in range(5)]
    with server.connect() as client:
        echoes(client, b"soup", why="others who say nothing are no reason to wait",
               nudge="Which line waits? accept and recv when the selector says so.")  # fmt: skip
    for number, client in enumerate(reversed(silent)):
        echoes(client, b"I am %d" % number, why="who was silent may speak")
    more = server.threads() - before, len(server.children())
    if more != (0, 0):
        server.fail("6 clients", f"{more[0]} threads and {more[1]} processes more", "none",
                    why="one thread", nudge="selectors.DefaultSelector")  # fmt: skip
    for client in silent:
        client.close()
    server.settles(server.connections, 0, "open connections", called="6 clients, all have ended",
                   why="a connection that is not closed is a file that is open")  # fmt: skip


@fresh
def check_at_once(learner: Learner) -> None:
    """Who sends and ends at once still gets everything."""
    server = house(learner)
    with server.exchange(b"soup and fish", shutdown=True) as client:
        client.expect_bytes(b"soup and fish", why="the end of sending is not the end of reading")
        client.expect_closed(why="then it is over")


@fresh
def check_reset(learner: Learner) -> None:
    """A reset costs its own connection only: while it is silent, and with bytes on the way."""
    server = house(learner)
    with server.connect() as guest:
        echoes(guest, b"one", why="every byte comes back")
        for data in (b"", b"soup"):
            other = server.connect()
            if data:
                echoes(other, data, why="every byte comes back")
            server.settles(server.connections, 2, "open connections", called="2 clients")
            resets(other)
            server.settles(server.connections, 1, "open connections", called="a client resets",
                           why=ALONE, nudge="Close it, take it out of the selector.")  # fmt: skip
            echoes(guest, b"two", why=ALONE, nudge="recv may raise ConnectionResetError.")


@fresh
def check_gone_again(learner: Learner) -> None:
    """Survives clients that are gone before they are accepted."""
    server = house(learner, learner.define(DOOR, "door"))
    with server.connect() as guest:
        echoes(guest, b"one", why="every byte comes back to its client")
        server.connect().close()
        echoes(guest, b"two", why="another process took the client: nobody is at the door",
               nudge="A listener that waits in accept keeps everybody waiting.")  # fmt: skip
        server.connect().close()
        echoes(guest, b"three", why="accept(2): ECONNABORTED, a connection has been aborted",
               nudge="accept may raise an OSError as well.")  # fmt: skip
    with server.connect() as client:
        echoes(client, b"four", why="the door is still open")


@fresh
def check_does_not_read(learner: Learner) -> None:
    """Who does not read is kept waiting, with 64 KiB at most; the others are served."""
    server = house(learner, learner.define(SMALLER, "smaller"))
    called = f"a client sends up to {MUCH:,} bytes and reads nothing"
    with server.connect() as guest, server.connect() as greedy:
        count = stuffs(greedy, MUCH)
        echoes(guest, b"soup", why=ALONE, nudge="Is any call to send one that waits?")
        sleeps(server, "nothing can be sent or read")
        takes(greedy, count)
        if count == MUCH:
            server.fail(called, "the server took all of them", "it stops reading",
                        why="memory: what is not read is kept by somebody",
                        nudge="While something waits to be sent, do not read more.")  # fmt: skip
        echoes(greedy, b"more", why="who reads again is served again")


@fresh
def check_ends_full(learner: Learner) -> None:
    """Who ends its side before it reads gets everything; who resets then is nobody's trouble."""
    server = house(learner, learner.define(SMALLER, "smaller"))
    with server.connect() as guest:
        echoes(guest, b"one", why="every byte comes back to its client")
        before = learner.process().num_fds()
        for resetting in (True, False):
            greedy = server.connect()
            count = stuffs(greedy, MUCH // 4)
            if resetting:
                resets(greedy)
            else:
                greedy.shutdown()
                takes(greedy, count)
                greedy.expect_closed(why="it has got everything", nudge="Then recv, and its end.")
            server.settles(
                learner.process().num_fds, before, "open files", called=f"a client sends {count:,}"
                " bytes, reads nothing, and resets" if resetting else "a client has ended",
                why=ALONE, nudge="send may raise, too: close the connection.",
            )  # fmt: skip
        echoes(guest, b"two", why=ALONE)


@fresh
def check_sleeps(learner: Learner) -> None:
    """Sleeps while nobody says anything."""
    server = house(learner)
    with server.connect() as client:
        echoes(client, b"soup", why="every byte comes back")
        sleeps(server, "1 client that says nothing")
    with contextlib.suppress(OSError):
        client.close()


def sleeps(server: Server, called: str) -> None:
    """Fail unless the server's process comes to rest."""
    patience, is_over, asleep = server.learner.patience(), False, 0
    while asleep < LOOKS:
        if is_over:
            server.fail(called, "the process is never at rest", "it sleeps in the selector",
                        why="a loop that never sleeps takes a whole processor",
                        nudge="Which socket is always ready? Ask for EVENT_WRITE only when"
                        " something waits to be sent.")  # fmt: skip
        time.sleep(0.005)
        asleep = asleep + 1 if at_rest([server.learner.pid]) else 0
        is_over = patience.over() and not asleep
