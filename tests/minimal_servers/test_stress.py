"""Everything at once, for a bounded number of rounds: nothing hangs, dies or leaks."""

import contextlib
import http.client
import random
import signal
import threading
from collections.abc import Callable

import psutil
import pytest

from tests.minimal_servers.serving import Process, eventually, request, serving

ENDS = (ConnectionError, TimeoutError)


PIECES = [
    b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"\r\n", b"\n", b"\x00", b"Content-Length: 9\r\n", b": ",
    b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"x" * 3000,
]  # fmt: skip


def noise(server: Process, chance: random.Random) -> None:
    with server.client() as client:
        for _ in range(chance.randrange(12)):
            client.send(chance.choice([*PIECES, chance.randbytes(20)]))
        if chance.random() < 0.3:
            client.reset()


def pipeline(server: Process, chance: random.Random) -> None:
    with server.client() as client:
        numbers = [str(chance.random()) for _ in range(chance.randrange(1, 30))]
        client.send(b"".join(request(f"/query?{n}") for n in numbers))
        for number in numbers:
            assert client.reply().body == number.encode()


def dialogue(server: Process, chance: random.Random) -> None:
    with server.client() as client:
        for _ in range(chance.randrange(1, 10)):
            body = chance.randbytes(chance.choice([0, 10, 100_000]))
            wire = request("/echo", method="POST", body=body)
            cut = chance.randrange(len(wire))
            client.send(wire[:cut]).send(wire[cut:])
            assert client.reply().body == body


def leave(server: Process, chance: random.Random) -> None:
    client = server.client()
    client.send(request(chance.choice(["/endless", "/large", "/hello", "/broken?middle"])))
    if chance.random() < 0.5:
        client.sock.recv(chance.choice([1, 100_000]))
    chance.choice([client.reset, client.__exit__])()


POLITE = (pipeline, dialogue)  # what they say is always answered
Behaviour = Callable[[Process, random.Random], None]


def crowd(server: Process, behaviours: list[Behaviour], rounds: int, people: int = 6) -> list[str]:
    """Let people behave at the same time, each ``rounds`` times; what surprised them."""
    surprises: list[str] = []

    def person(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(rounds):
            behaviour = chance.choice(behaviours)
            try:
                behaviour(server, chance)
            except Exception as error:
                if behaviour in POLITE or not isinstance(error, ENDS):
                    surprises.append(f"{behaviour.__name__}: {error!r}")

    threads = [threading.Thread(target=person, args=(seed,)) for seed in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return surprises


@pytest.mark.parametrize(("workers", "threads"), [(1, 1), (1, 4), (2, 3)])
def test_a_crowd_of_all_kinds(workers: int, threads: int) -> None:
    arguments = ["--workers", str(workers), "--threads", str(threads)]
    with serving("apps:app", *arguments) as server:
        before = {worker.pid for worker in server.workers()}
        surprises = crowd(server, [noise, pipeline, dialogue, leave], rounds=40)
        assert surprises == []
        assert {worker.pid for worker in server.workers()} == before
        assert all(worker.num_threads() >= threads for worker in server.workers())
        with server.client() as client:
            assert client.get().body == b"hello"
        assert "Exception in thread" not in server.log()


def knock(server: Process, over: threading.Event) -> None:
    """Keep one connection busy until the server ends it."""
    while not over.is_set():
        try:
            with server.client() as client:
                while not over.is_set():
                    client.get()
        except (*ENDS, http.client.HTTPException):
            over.wait(0.001)  # the door is closed by now


@pytest.mark.parametrize("threads", ["1", "4"])
def test_stopping_under_load_again_and_again(threads: int) -> None:
    """The end meets every state of a connection; a grace period of an hour must not be needed."""
    for _ in range(6):
        with serving("apps:app", "--threads", threads, "--grace", "3600") as server:
            over = threading.Event()
            knockers = [threading.Thread(target=knock, args=(server, over)) for _ in range(6)]
            for knocker in knockers:
                knocker.start()
            try:
                server.get()
                assert server.end() == 0
            finally:
                over.set()
                for knocker in knockers:
                    knocker.join()
            assert "Traceback" not in server.log()


def test_kills_and_reloads_in_any_order_leave_a_healthy_server() -> None:
    chance = random.Random(1)
    with serving("apps:app", "--workers", "3") as server:
        for action in [chance.random() for _ in range(25)]:
            if action < 0.5:
                server.send(signal.SIGHUP)
            else:
                for worker in server.workers()[:1]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        worker.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
            threading.Event().wait(chance.random() / 20)
        server.send(signal.SIGHUP)
        eventually(lambda: len(server.workers()) == 3, "too many or too few workers")
        for _ in range(20):
            assert server.get().body == b"hello"
        assert "Traceback" not in server.log()
