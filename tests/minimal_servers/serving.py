"""A server in a process group of its own, a client that speaks bytes, and a gate between them."""

import http.client
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds; only ever ends a test that hangs


class Reply(http.client.HTTPResponse):
    """A response as a strict client reads it, and the bytes of its body."""

    body: bytes


class Client:
    """One connection. Sends exactly the bytes it is given."""

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.sock.makefile("rb")

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.sock.close()

    def makefile(self, _mode: str) -> Any:
        """For HTTPResponse, which must not close the file that all responses share."""
        return Unclosable(self.reader)

    def send(self, data: bytes) -> "Client":
        self.sock.sendall(data)
        return self

    def get(self, path: str = "/", *fields: str) -> Reply:
        return self.send(request(path, *fields)).reply()

    def reply(self, method: str = "GET", read: bool = True) -> Reply:
        reply = Reply(self, method=method)  # type: ignore[arg-type]
        reply.begin()
        if read:
            reply.body = reply.read()
        return reply

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        return self.reader.read()

    def ended(self) -> bool:
        """Whether the server closed the connection without another byte."""
        try:
            return self.reader.read(1) == b""
        except ConnectionResetError:
            return True

    def was_reset(self) -> bool:
        """Whether the server has reset the connection, without reading from it."""
        return self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0

    def reset(self) -> None:
        """Leave with RST, as a client does that crashed."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.__exit__()


class Unclosable:
    def __init__(self, file: Any) -> None:
        self.file = file

    def __getattr__(self, name: str) -> Any:
        return (lambda: None) if name == "close" else getattr(self.file, name)


def request(path: str = "/", *fields: str, method: str = "GET", body: bytes | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: test", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


class Gate:
    """Where applications stop until the test lets them go: order without a stopwatch.

    In the application: ``gate.stop("here")`` returns when the test calls ``go()`` on what
    ``arrival()`` returned. The gate is a Unix socket, so it spans threads and processes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(512)
        self.listener.settimeout(PATIENCE)
        self.inside: list[Arrival] = []  # a forgotten one would be let go

    def arrival(self) -> "Arrival":
        sock, _ = self.listener.accept()
        sock.settimeout(PATIENCE)
        name, pid, thread = sock.recv(1000).decode().split("|")
        self.inside.append(Arrival(sock, name, int(pid), int(thread)))
        return self.inside[-1]

    def arrivals(self, count: int) -> list["Arrival"]:
        return [self.arrival() for _ in range(count)]

    def close(self) -> None:
        for arrival in self.inside:
            arrival.sock.close()
        self.listener.close()

    def nobody(self) -> bool:
        """Whether nobody has arrived so far."""
        self.listener.setblocking(False)
        try:
            self.listener.accept()
        except BlockingIOError:
            return True
        finally:
            self.listener.settimeout(PATIENCE)
        return False


class Arrival:
    def __init__(self, sock: socket.socket, name: str, pid: int, thread: int) -> None:
        self.sock, self.name, self.pid, self.thread = sock, name, pid, thread

    def go(self) -> None:
        self.sock.sendall(b"!")
        self.sock.close()


class Process:
    """``python -m minimal_servers wsgi …``, a patient one, and everything it started."""

    def __init__(
        self, arguments: list[str], env: dict[str, str], folder: Path, interface: str = "wsgi"
    ) -> None:
        self.err = tempfile.TemporaryFile()  # noqa: SIM115 - closed in kill()
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.minimal_servers.patient", interface, *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"} | env,
            stdout=subprocess.PIPE,
            stderr=self.err,
            text=True,
            start_new_session=True,
        )
        self.process = psutil.Process(self.popen.pid)
        self.port = 0

    def await_address(self) -> "Process":
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        match = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert match, f"no address in {line!r}; {self.log()}"
        self.port = int(match[1])
        return self

    def client(self, **options: Any) -> Client:
        return Client(self.port, **options)

    def get(self, path: str = "/", *fields: str) -> Reply:
        with self.client() as client:
            return client.get(path, *fields)

    def workers(self) -> list[psutil.Process]:
        return [child for child in self.process.children() if alive(child)]

    def log(self) -> str:
        """What it has said so far. subtle: a seek would move the place where it writes as well."""
        said = self.err.fileno()
        return os.pread(said, os.fstat(said).st_size, 0).decode()

    def send(self, number: int) -> None:
        self.popen.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and await the end: the exit status, with nothing left behind."""
        family = self.family()
        if self.popen.poll() is None:
            self.send(number)
        status = self.popen.wait(PATIENCE)
        left = list(psutil.wait_procs(family, timeout=PATIENCE)[1])
        assert not left, f"left behind: {left}"
        return status

    def family(self) -> list[psutil.Process]:
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """Whatever the test did: leave nothing behind."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        if self.popen.stdout is not None:
            self.popen.stdout.close()
        self.err.close()


@contextmanager
def serving(
    app: str = "apps:app",
    *arguments: str,
    gate: Gate | None = None,
    folder: Path | None = None,
    interface: str = "wsgi",
    **env: str,
) -> Iterator[Process]:
    """A running server; at the end it must stop by itself and leave nothing behind."""
    if gate is not None:
        env["GATE"] = str(gate.path)
    folder = folder or Path(__file__).parent
    process = Process([app, "--port", "0", *arguments], env, folder, interface)
    try:
        process.await_address()
        yield process
        if process.popen.poll() is None:
            process.end()
    finally:
        process.kill()


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], Any], message: str) -> Any:
    """Poll for what sends no event of its own (a process that appears or ends)."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.02)):
        if value := condition():
            return value
        pause.wait(0.02)
    raise AssertionError(message)
