"""Processes and signals: who serves, who is replaced, who ends, and what is left (nothing)."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from minimal_servers.workers import Arbiter, Worker
from tests.minimal_servers.serving import (
    PATIENCE,
    ROOT,
    Client,
    Gate,
    Process,
    eventually,
    request,
    serving,
)

APP = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"{answer}"]
"""


def write_app(folder: Path, text: str) -> None:
    """A new version; its size differs from all others, so no stale byte code is used."""
    (folder / "changing.py").write_text(f"{text}\n#{'x' * len(list(folder.iterdir()))}{text!r}\n")


@pytest.mark.parametrize(("workers", "threads"), [(1, 1), (1, 4), (4, 1), (2, 3)])
def test_so_many_requests_run_at_the_same_time(gate: Gate, workers: int, threads: int) -> None:
    """All of them are inside the application at once, and not one more."""
    count = workers * threads
    arguments = ["--workers", str(workers), "--threads", str(threads)]
    with serving("apps:app", *arguments, gate=gate) as server:
        clients = [server.client().send(request(f"/gate?{n}")) for n in range(count + 2)]
        inside = gate.arrivals(count)
        assert len({(a.pid, a.thread) for a in inside}) == count
        assert len({a.pid for a in inside}) == workers
        assert gate.nobody()
        for arrival in reversed(inside):  # the last that came is the first to leave
            arrival.go()
        for _ in range(2):
            gate.arrival().go()
        assert {client.reply().body for client in clients} == {
            str(n).encode() for n in range(count + 2)
        }


def test_a_busy_thread_does_not_keep_the_others_from_accepting(gate: Gate) -> None:
    with serving("apps:app", "--threads", "2", gate=gate) as server:
        slow = server.client().send(request("/gate?slow"))
        stopped = gate.arrival()
        with server.client() as kept:
            for _ in range(10):
                assert kept.get().body == server.get().body == b"hello"
        stopped.go()
        assert slow.reply().body == b"slow"


def test_an_idle_process_gets_what_a_busy_one_cannot_take(gate: Gate) -> None:
    with serving("apps:app", "--workers", "2", gate=gate) as server:
        slow = server.client().send(request("/gate"))
        busy = gate.arrival()
        for _ in range(20):
            assert server.get("/pid").body != str(busy.pid).encode()
        busy.go()
        assert slow.reply().status == 200


def await_end(pid: int) -> None:
    """Until it has been reaped: while it dies it may still take a client with it."""
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(PATIENCE)


def test_a_killed_worker_is_replaced(gate: Gate) -> None:
    with serving("apps:app", "--workers", "2", gate=gate) as server:
        before = {worker.pid for worker in server.workers()}
        [victim, other] = before
        os.kill(victim, signal.SIGKILL)
        await_end(victim)
        assert server.get().body == b"hello"
        eventually(lambda: len({w.pid for w in server.workers()} - {victim}) == 2, "never replaced")
        after = {worker.pid for worker in server.workers()}
        assert other in after
        assert victim not in after
        assert not [c for c in server.process.children() if c.status() == psutil.STATUS_ZOMBIE]
        clients = [server.client().send(request("/gate")) for _ in range(2)]
        inside = gate.arrivals(2)
        assert {arrival.pid for arrival in inside} == after
        for arrival in inside:  # who arrived first need not be who was sent first
            arrival.go()
        for client in clients:
            assert client.reply().status == 200


def test_a_request_that_kills_its_worker_looks_broken_and_hurts_nobody_else() -> None:
    with serving("apps:app", "--workers", "2") as server:
        with server.client() as client:
            client.send(request("/die"))
            assert client.ended()
        assert server.get().body == b"hello"


@pytest.mark.parametrize(
    ("text", "target", "sentence"),
    [
        ("", "changing:app", "has no attribute 'app'"),
        ("", "missing:app", "No module named 'missing'"),
        ("import missing", "changing:app", "No module named 'missing'"),
        ("app = 5", "changing:app", "5 is not callable"),
        ("def app(:", "changing:app", "SyntaxError"),
        ("1/0", "changing:app", "ZeroDivisionError"),
        ("import sys; sys.exit('bye')", "changing:app", "bye"),
        ("import sys; sys.exit(0)", "changing:app", "cannot load changing:app"),
        ("import os; os._exit(0)", "changing:app", "ended"),
        ("import os; os.kill(os.getpid(), 9)", "changing:app", "signal 9"),
        ("class a: pass", "changing:a.b.c", "has no attribute 'b'"),
        ("", ":app", "cannot load :app"),
        ("", ".changing:app", "cannot load .changing:app"),
        ("", "", "cannot load"),
    ],
)
def test_an_application_that_cannot_be_loaded(
    tmp_path: Path, text: str, target: str, sentence: str
) -> None:
    write_app(tmp_path, text)
    process = Process([target, "--port", "0", "--workers", "2"], {}, tmp_path)
    try:
        family = process.family()
        assert process.popen.wait(30) == 3
        assert sentence in process.log()
        assert process.popen.stdout is not None
        assert process.popen.stdout.read() == ""  # it never claimed to serve
        assert not psutil.wait_procs(family, timeout=30)[1]
    finally:
        process.kill()


def test_a_traceback_shows_where_the_application_is_wrong(tmp_path: Path) -> None:
    write_app(tmp_path, "x = int('seven')")
    process = Process(["changing:app", "--port", "0"], {}, tmp_path)
    try:
        assert process.popen.wait(30) == 3
        assert "changing.py" in process.log()
    finally:
        process.kill()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "minimal_servers", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["wsgi"], ["cgi", "a:b"], ["wsgi", "a:b", "--port", "x"],
        ["wsgi", "a:b", "--workers", "0"], ["wsgi", "a:b", "--threads", "-1"],
        ["wsgi", "a:b", "--threads", "1.5"], ["wsgi", "a:b", "--grace", "-1"],
        ["wsgi", "a:b", "--grace", "nan"], ["wsgi", "a:b", "--grace", "inf"],
        ["wsgi", "a:b", "--nonsense"],
    ],
)  # fmt: skip
def test_bad_arguments_get_a_sentence(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "99999999999"])
def test_a_port_that_cannot_be(port: str) -> None:
    done = run("wsgi", "a:b", "--port", port)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert done.stderr


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1"])
def test_an_address_that_is_not_ours(host: str) -> None:
    done = run("wsgi", "a:b", "--host", host, "--port", "0")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"cannot listen on {host}" in done.stderr


def test_a_port_in_use_gets_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("wsgi", "a:b", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert "Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_that_keeps_dying_young_is_replaced_ever_more_slowly(tmp_path: Path) -> None:
    """What it writes when it starts shows how often it was started, and when."""
    write_app(tmp_path, APP.format(answer="one"))
    with serving("changing:app", folder=tmp_path) as server:
        births = tmp_path / "births"
        births.write_text("")
        write_app(tmp_path, DYING.format(births=str(births)))
        os.kill(server.workers()[0].pid, signal.SIGKILL)
        eventually(lambda: len(times(births)) >= 4, "the replacement was not tried again")
        first, second, third, fourth = times(births)[:4]
        pauses = [second - first, third - second, fourth - third]  # and what a start takes
        assert all(pause >= least for pause, least in zip(pauses, (0.5, 1, 2), strict=True))
        write_app(tmp_path, APP.format(answer="two"))
        tried = len(times(births))
        server.send(signal.SIGHUP)  # the repair need not wait for the next attempt
        assert server.get().body == b"two"
        assert len(times(births)) == tried


DYING = """
import os, time
with open({births!r}, "a") as file:
    print(time.monotonic(), file=file)
os._exit(1)
"""


def times(births: Path) -> list[float]:
    return [float(line) for line in births.read_text().split()]


def test_sigterm_finishes_what_runs(gate: Gate) -> None:
    arguments = ["--workers", "2", "--threads", "2"]
    with serving("apps:app", *arguments, gate=gate) as server:
        running = [server.client().send(request(f"/gate?{n}")) for n in range(4)]
        inside = gate.arrivals(4)
        server.send(signal.SIGTERM)
        eventually(lambda: refused(server.port), "the door is still open")
        for arrival in inside:
            arrival.go()
        for number, client in enumerate(running):
            reply = client.reply()
            assert reply.body == str(number).encode()
            assert client.ended()
            client.__exit__()
        assert server.end() == 0


def refused(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


def test_sigterm_ends_what_never_ends_after_the_grace_period(gate: Gate) -> None:
    with serving("apps:app", "--grace", "0.2", "--workers", "2", gate=gate) as server:
        client = server.client().send(request("/gate"))
        gate.arrival()
        assert server.end() == 0
        assert client.ended()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_idle_and_half_sent_connections_do_not_put_off_the_end(number: int, threads: str) -> None:
    """With a grace period of an hour, only the server itself can be the one that ends."""
    with serving("apps:app", "--grace", "3600", "--threads", threads) as server:
        clients: list[Client] = [server.client() for _ in range(5)]
        for client in clients[1:]:
            assert client.get().body == b"hello"
        clients[2].send(b"GET / HT")
        clients[3].send(request("/echo", "Content-Length: 10") + b"half")
        clients[4].send(request("/echo", "Transfer-Encoding: chunked"))
        assert server.end(number) == 0
        assert clients[1].rest() == b""
        for client in clients:
            client.__exit__()


def test_a_dribbling_client_does_not_put_off_the_end() -> None:
    with serving("apps:app", "--grace", "3600") as server, server.client() as client:
        client.send(request("/echo", "Content-Length: 100000"))
        over = threading.Event()

        def dribble() -> None:
            try:
                while not over.wait(0.01):
                    client.send(b"x")
            except OSError:
                pass

        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            assert server.end() == 0
        finally:
            over.set()
            thread.join()


def test_sigint_ends_even_a_running_request_soon(gate: Gate) -> None:
    with serving("apps:app", "--grace", "3600", gate=gate) as server:
        client = server.client().send(request("/gate"))
        gate.arrival()
        assert server.end(signal.SIGINT) == 0
        assert client.ended()


def test_the_port_is_free_again() -> None:
    with serving() as server:
        assert server.get().body == b"hello"
        port = server.port
        server.end()
    with serving("apps:app", "--port", str(port)) as again:
        assert again.port == port


class Load:
    """New connections, one after the other, until told to stop."""

    def __init__(self, server: Process) -> None:
        self.server = server
        self.over = threading.Event()
        self.answers: list[bytes] = []
        self.failures: list[str] = []
        self.threads = [threading.Thread(target=self.run) for _ in range(3)]

    def run(self) -> None:
        while not self.over.is_set():
            try:
                self.answers.append(self.server.get("/", "Connection: close").body)
            except Exception as error:
                self.failures.append(repr(error))

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        eventually(lambda: len(self.answers) > 20, "no answers")
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize(("workers", "threads"), [("1", "1"), ("2", "2")])
def test_sighup_loads_new_code_and_refuses_nobody(
    tmp_path: Path, workers: str, threads: str
) -> None:
    write_app(tmp_path, APP.format(answer="version 0"))
    arguments = ["--workers", workers, "--threads", threads]
    with serving("changing:app", *arguments, folder=tmp_path) as server:
        with Load(server) as load:
            for number in range(1, 4):
                write_app(tmp_path, APP.format(answer=f"version {number}"))
                server.send(signal.SIGHUP)
                eventually(
                    lambda n=number: load.answers[-1] == b"version %d" % n, f"no version {number}"
                )
        assert load.failures == []
        eventually(lambda: len(server.workers()) == int(workers), "the old workers stay")


def test_sighup_lets_the_old_code_finish(tmp_path: Path, gate: Gate) -> None:
    old = "from apps import app"
    write_app(tmp_path, old)
    (tmp_path / "apps.py").write_text((Path(__file__).parent / "apps.py").read_text())
    with serving("changing:app", folder=tmp_path, gate=gate) as server:
        client = server.client().send(request("/gate?old"))
        stopped = gate.arrival()
        write_app(tmp_path, APP.format(answer="new"))
        server.send(signal.SIGHUP)
        eventually(lambda: server_answers(server, b"new"), "no new code")
        stopped.go()
        assert client.reply().body == b"old"
        assert client.ended()


def server_answers(server: Process, answer: bytes) -> bool:
    """Whether the next connection is answered so; the busy old worker takes none."""
    return server.get().body == answer


def test_sighup_with_broken_code_keeps_the_old(tmp_path: Path) -> None:
    write_app(tmp_path, APP.format(answer="good"))
    with serving("changing:app", "--workers", "2", folder=tmp_path) as server:
        before = {worker.pid for worker in server.workers()}
        with Load(server) as load:
            for attempt, text in enumerate(["1/0", "app =", "import os; os._exit(1)"], start=1):
                write_app(tmp_path, text)
                server.send(signal.SIGHUP)
                eventually(
                    lambda n=attempt: server.log().count("the old workers stay") == n, "no report"
                )
                eventually(lambda: {w.pid for w in server.workers()} == before, "others serve")
            write_app(tmp_path, APP.format(answer="repaired"))
            server.send(signal.SIGHUP)
            eventually(lambda: load.answers[-1] == b"repaired", "no new code")
        assert load.failures == []
        assert set(load.answers) == {b"good", b"repaired"}


def test_many_reloads_at_once_leave_the_right_number_of_workers(tmp_path: Path) -> None:
    write_app(tmp_path, APP.format(answer="one"))
    with serving("changing:app", "--workers", "2", folder=tmp_path) as server:
        with Load(server) as load:
            write_app(tmp_path, APP.format(answer="two"))
            for _ in range(30):
                server.send(signal.SIGHUP)
                assert server.get().status == 200
            eventually(lambda: load.answers[-1] == b"two", "no new code")
        assert load.failures == []
        eventually(lambda: len(server.workers()) == 2, "too many or too few workers")


@pytest.mark.parametrize("busy", [False, True])
def test_workers_end_when_the_parent_is_killed(gate: Gate, busy: bool) -> None:
    """Busy or not: an endless answer cannot keep an orphan alive."""
    with serving("apps:app", "--workers", "2", "--grace", "0.2", gate=gate) as server:
        clients = [server.client().send(request("/gate")) for _ in range(2 * busy)]
        gate.arrivals(2 * busy)
        family = server.family()
        server.send(signal.SIGKILL)
        assert not psutil.wait_procs(family, timeout=30)[1]
        server.popen.wait()
        assert refused(server.port)
        for client in clients:
            assert client.ended()


SLOW = """
import os, socket
gate = socket.socket(socket.AF_UNIX)
gate.connect(os.environ["GATE"])
gate.sendall(f"loading|{os.getpid()}|0".encode())
gate.recv(1)
""" + APP.format(answer="slow")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_application_is_being_loaded(
    tmp_path: Path, gate: Gate, number: int
) -> None:
    write_app(tmp_path, SLOW)
    arguments = ["changing:app", "--port", "0", "--workers", "2"]
    process = Process(arguments, {"GATE": str(gate.path)}, tmp_path)
    try:
        gate.arrivals(2)
        assert process.end(number) == 0
        assert "Traceback" not in process.log()
    finally:
        process.kill()


def test_a_reload_while_the_new_application_is_being_loaded(tmp_path: Path, gate: Gate) -> None:
    write_app(tmp_path, APP.format(answer="old"))
    with serving("changing:app", "--workers", "2", folder=tmp_path, gate=gate) as server:
        write_app(tmp_path, SLOW)
        server.send(signal.SIGHUP)
        gate.arrivals(2)
        assert server.get().body == b"old"
        write_app(tmp_path, APP.format(answer="newest"))
        server.send(signal.SIGHUP)
        eventually(lambda: server.get().body == b"newest", "the second reload did not win")
        eventually(lambda: len(server.workers()) == 2, "workers of three generations")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_at_any_moment_of_the_start(number: int) -> None:
    """Whenever it comes: the server ends (HUP: ends, or serves), and nothing stays."""
    for delay in range(0, 300, 25):
        process = Process(["apps:app", "--port", "0"], {}, Path(__file__).parent)
        try:
            threading.Event().wait(delay / 1000)
            process.send(number)
            if number == signal.SIGHUP and process.popen.poll() is None:
                assert process.popen.stdout is not None
                process.popen.stdout.readline()  # the address, or nothing at its end
            process.end()
        finally:
            process.kill()


@pytest.fixture
def arbiter() -> Iterator[Arbiter]:
    """A parent that has started nobody yet."""
    arbiter = Arbiter(lambda *_: None, 2, 30.0, lambda: None, lambda: None)
    yield arbiter
    arbiter.selector.close()
    arbiter.alarm.close()
    arbiter.bell.close()
    for end in (arbiter.lifeline, arbiter.life):
        os.close(end)


def test_a_reload_does_not_wait_for_the_delay_after_deaths(
    arbiter: Arbiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even for that of an old worker that dies when the reload has begun."""
    spawned: list[int] = []
    monkeypatch.setattr(arbiter, "spawn", spawned.append)
    arbiter.serving = 1
    arbiter.next_spawn = float("inf")
    arbiter.handle(signal.SIGHUP)
    assert arbiter.next_spawn == 0
    arbiter.next_spawn = float("inf")
    arbiter.spawn_missing()
    assert spawned == [2, 2]


def test_a_worker_that_was_told_to_finish_counts_no_more(arbiter: Arbiter) -> None:
    """Or a reload after a broken one would count the remains of that one as its own."""
    arbiter.workers = {10: Worker(2, 0), 11: Worker(2, 0)}
    arbiter.workers[10].deadline = 5.0
    assert arbiter.pids(2) == [11]
