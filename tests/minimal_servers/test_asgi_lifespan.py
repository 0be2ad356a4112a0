"""Start and end of an ASGI application: what the process makes of its lifespan."""

import signal
from pathlib import Path

import psutil
import pytest

from tests.minimal_servers.serving import Client, Gate, Process, eventually, request, serving

LOOPS = ["asyncio", "uvloop"]
HERE = Path(__file__).parent
APP = """
import sys
from asgi_app import answer, stop


async def app(scope, receive, send):
    if scope["type"] == "http":
        return await answer(send, b"served")
    {lifespan}
"""
COMPLETE = """
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
"""


def write_app(folder: Path, lifespan: str) -> None:
    """An application of its own, with the helpers of the others at hand."""
    lines = [line.strip("\n") for line in lifespan.strip().splitlines()]
    (folder / "living.py").write_text(APP.replace("{lifespan}", "\n".join(lines)))
    for name in ("asgi_app.py", "apps.py"):
        (folder / name).write_text((HERE / name).read_text())


def start(folder: Path, *arguments: str, gate: Gate | None = None) -> Process:
    env = {"GATE": str(gate.path)} if gate else {}
    return Process(["living:app", "--port", "0", *arguments], env, folder, "asgi")


FAILED = {
    "with a reason": (
        'await receive(); await send({"type": "lifespan.startup.failed", "message": "no oven"})',
        "lifespan.startup failed: no oven",
    ),
    "without": (
        'await receive(); await send({"type": "lifespan.startup.failed"})',
        "lifespan.startup failed: no reason given",
    ),
    "and raised": (
        'await receive(); await send({"type": "lifespan.startup.failed", "message": "no oven"})'
        "; raise ValueError(5)",
        "lifespan.startup failed: no oven",
    ),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", FAILED)
def test_a_failed_startup_ends_the_server(tmp_path: Path, loop: str, how: str) -> None:
    """Its exit status tells, its log says why, and it never claimed to serve."""
    code, sentence = FAILED[how]
    write_app(tmp_path, code)
    process = start(tmp_path, "--workers", "2", "--loop", loop)
    try:
        family = process.family()
        assert process.popen.wait(30) == 3
        assert sentence in process.log()
        assert "Traceback" not in process.log()
        assert process.popen.stdout is not None
        assert process.popen.stdout.read() == ""
        assert not psutil.wait_procs(family, timeout=30)[1]
    finally:
        process.kill()


UNSUPPORTED = {
    "raises at once": 'raise RuntimeError("what is a lifespan?")',
    "asserts": 'assert scope["type"] == "http"',
    "exits": "sys.exit(7)",
    "returns": "return",
    "raises at startup": "await receive(); raise RuntimeError",
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", UNSUPPORTED)
def test_an_application_without_lifespan_is_served(tmp_path: Path, loop: str, how: str) -> None:
    """The specification: the server must continue, and not send any more of these events."""
    write_app(tmp_path, UNSUPPORTED[how])
    with serving("living:app", "--loop", loop, folder=tmp_path, interface="asgi") as server:
        assert server.get().body == b"served"
        assert server.end() == 0
        assert "never retrieved" not in server.log()


@pytest.mark.parametrize("loop", LOOPS)
def test_nobody_is_served_before_startup_is_complete(tmp_path: Path, gate: Gate, loop: str) -> None:
    write_app(tmp_path, 'await receive()\n    await stop("startup")' + COMPLETE_REST)
    process = start(tmp_path, "--loop", loop, gate=gate)
    try:
        starting = gate.arrival()
        with Client(listening_port(process)) as client:
            client.send(request())
            client.sock.settimeout(0.5)
            with pytest.raises(TimeoutError):  # it waits in the accept queue
                client.sock.recv(1)
            client.sock.settimeout(30)
            starting.go()
            assert process.await_address().port == client.sock.getpeername()[1]
            assert client.sock.recv(12) == b"HTTP/1.1 200"
        assert process.end() == 0
    finally:
        process.kill()


COMPLETE_REST = """
    await send({"type": "lifespan.startup.complete"})
    await receive()
"""


def listening_port(process: Process) -> int:
    """Where it listens, which it does not say before it is ready."""
    connections = process.process.net_connections()
    return next(c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_a_startup_that_never_ends(tmp_path: Path, gate: Gate, number: int) -> None:
    write_app(tmp_path, 'await stop("startup")')
    process = start(tmp_path, "--grace", "0.5", gate=gate)
    try:
        gate.arrival()
        assert process.end(number) == 0
    finally:
        process.kill()


@pytest.mark.parametrize("loop", LOOPS)
def test_shutdown_comes_after_the_last_request(tmp_path: Path, gate: Gate, loop: str) -> None:
    """And the process ends only when the application has put everything away."""
    write_app(
        tmp_path,
        COMPLETE
        + '    await stop("shutdown")\n    await send({"type": "lifespan.shutdown.complete"})',
    )
    text = (tmp_path / "living.py").read_text()
    text = text.replace("return await answer", 'await stop("request")\n        return await answer')
    (tmp_path / "living.py").write_text(text)
    arguments = ["--loop", loop]
    with (
        serving("living:app", *arguments, gate=gate, folder=tmp_path, interface="asgi") as server,
        server.client() as client,
    ):
        client.send(request())
        running = gate.arrival()
        server.send(signal.SIGTERM)
        eventually(lambda: not listens(server), "the door is still open")
        assert gate.nobody()
        running.go()
        assert client.reply().body == b"served"
        leaving = gate.arrival()
        assert (running.name, leaving.name) == ("request", "shutdown")
        assert server.popen.poll() is None
        leaving.go()
        assert server.popen.wait(30) == 0  # no second SIGTERM: it is on its way out
        assert "Traceback" not in server.log()


def listens(process: Process) -> bool:
    return any(c.status == psutil.CONN_LISTEN for c in process.process.net_connections())


SHUTDOWN = {
    "failed": (
        'await send({"type": "lifespan.shutdown.failed", "message": "door stuck"})',
        "lifespan.shutdown failed: door stuck",
        3,
    ),
    "failed and raised": (
        'await send({"type": "lifespan.shutdown.failed", "message": "door stuck"}); 1 / 0',
        "lifespan.shutdown failed: door stuck",
        3,
    ),
    "raises": ("raise RuntimeError(5)", "the application failed in its lifespan", 0),
    "returns": ("return", "", 0),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", SHUTDOWN)
def test_a_shutdown_that_goes_wrong_still_ends(tmp_path: Path, loop: str, how: str) -> None:
    """What the application says of itself is told by the exit status too."""
    code, sentence, status = SHUTDOWN[how]
    write_app(tmp_path, f"{COMPLETE}    {code}")
    with serving("living:app", "--loop", loop, folder=tmp_path, interface="asgi") as server:
        assert server.get().body == b"served"
        assert server.end() == status
        assert sentence in server.log()


def test_one_worker_whose_shutdown_failed_is_told_by_the_exit_status(tmp_path: Path) -> None:
    code = f"import os\n    if not os.path.exists({str(tmp_path / 'failed')!r}):\n"
    code += f"        os.close(os.open({str(tmp_path / 'failed')!r}, os.O_CREAT))\n"
    code += '        return await send({"type": "lifespan.shutdown.failed"})\n'
    code += '    await send({"type": "lifespan.shutdown.complete"})'
    write_app(tmp_path, f"{COMPLETE}    {code}")
    arguments = ["--workers", "2"]
    with serving("living:app", *arguments, folder=tmp_path, interface="asgi") as server:
        assert server.end() == 3
        assert "lifespan.shutdown failed: no reason given" in server.log()


def test_a_worker_that_fails_in_a_reload_is_no_failure_of_the_server(tmp_path: Path) -> None:
    write_app(tmp_path, COMPLETE + '    await send({"type": "lifespan.shutdown.failed"})')
    with serving("living:app", folder=tmp_path, interface="asgi") as server:
        old = server.workers()[0].pid
        app = (tmp_path / "living.py").read_text()
        (tmp_path / "living.py").write_text(app.replace("shutdown.failed", "shutdown.complete"))
        server.send(signal.SIGHUP)
        eventually(lambda: [w.pid for w in server.workers()] not in ([], [old]), "not reloaded")
        eventually(lambda: old not in {w.pid for w in server.workers()}, "the old one stays")
        assert server.end() == 0
        assert "lifespan.shutdown failed" in server.log()


def test_a_shutdown_that_never_ends_has_the_grace_period(tmp_path: Path, gate: Gate) -> None:
    write_app(tmp_path, COMPLETE + '    await stop("shutdown")')
    arguments = ["--grace", "0.5", "--workers", "2"]
    with serving("living:app", *arguments, gate=gate, folder=tmp_path, interface="asgi") as server:
        for worker in server.workers():  # before their grace period begins, which is the parent's
            worker.terminate()
        gate.arrivals(2)
        server.send(signal.SIGTERM)
        assert server.popen.wait(30) == 0


@pytest.mark.parametrize("loop", LOOPS)
def test_a_lifespan_that_dies_early_hurts_no_request(tmp_path: Path, loop: str) -> None:
    write_app(tmp_path, "await receive()" + COMPLETE_REST.replace("await receive()", "1 / 0"))
    with serving("living:app", "--loop", loop, folder=tmp_path, interface="asgi") as server:
        assert server.get().body == b"served"
        assert "ZeroDivisionError" in server.log()
        assert server.end() == 0


WRONG = """
    await receive()
    for kind in ("lifespan.shutdown.complete", "http.response.start", "lifespan.startup"):
        try:
            await send({"type": kind})
        except RuntimeError:
            print("refused", kind, file=sys.stderr)
    await send({"type": "lifespan.startup.complete"})
    try:
        await send({"type": "lifespan.startup.complete"})
    except RuntimeError:
        print("refused twice", file=sys.stderr)
    await receive()
"""


def test_wrong_messages_raise_into_the_application(tmp_path: Path) -> None:
    write_app(tmp_path, WRONG)
    with serving("living:app", folder=tmp_path, interface="asgi") as server:
        assert server.get().body == b"served"
        assert server.log().count("refused") == 4


def test_every_worker_has_a_lifespan_of_its_own(tmp_path: Path, gate: Gate) -> None:
    """None serves before all are ready, and each is told about the end."""
    write_app(tmp_path, COMPLETE + '    await stop("shutdown")')
    arguments = ["--workers", "2"]
    with serving("living:app", *arguments, gate=gate, folder=tmp_path, interface="asgi") as server:
        pids = {worker.pid for worker in server.workers()}
        server.send(signal.SIGTERM)
        leaving = gate.arrivals(2)
        assert {arrival.pid for arrival in leaving} == pids
        for arrival in leaving:
            arrival.go()
        assert server.end() == 0
