"""Start a server in processes of its own, wait until it answers, signal it, leave nothing."""

import contextlib
import errno
import inspect
import os
import re
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import time
import weakref
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

from playground.patience import Patience
from playground.setups import packing
from playground.setups.catalogue import (
    SETUPS,
    ServeError,
    check_loop,
    check_options,
    check_port,
    check_sizes,
    find,
)
from playground.setups.process import Guarded
from playground.setups.processes import Census, ProcessInfo, catches
from playground.setups.starting import Startup, tail
from playground.setups.usage import Usage, usage_of
from playground.setups.watching import Watch
from playground.trace.collector import Collector

HOST = "127.0.0.1"
READY_S = 30.0  # until a server must answer, if the machine lets it run
READY_SHARE_S = 5.0  # of processor time after that, if the machine is busy
SETTLE_S = 0.1  # in which a server function that fails at once is seen to fail
POLL_S = 0.01
TAIL = 8_000  # characters of a log that are shown
BACKLOG = 128
LOOP = "asyncio"  # unless another is asked for
WISHES = ("HUP", "TTIN", "TTOU", "USR2", "QUIT", "TERM")  # signals that one sends to a server
ENDS = ("QUIT", "TERM")  # of which these have an effect on every process
KILL = "kill -9"

ServerFunction = Callable[[socket.socket, Any], Awaitable[None] | None]


def serve(
    setup: str | ServerFunction,
    app: Any,
    *,
    workers: int = 1,
    threads: int = 1,
    loop: str | None = None,
    interface: str | None = None,
    options: Iterable[str] = (),
    trace: bool = True,
    cpu: bool = True,
    port: int = 0,
    look: Callable[[], None] = lambda: None,
) -> "Server":
    """Start a server and return it when it answers; use it in ``with``, or call its ``stop()``.

    ``setup`` is a name of the catalogue, or a server function ``(listener, app)`` of your own.
    ``app`` is a function, ``"module:attribute"``, or the name of a bundled app. ``loop`` is the
    event loop of an ASGI server: ``"asyncio"``, which is taken if you do not say, or ``"uvloop"``.
    ``trace`` records every request; ``cpu`` tells running from waiting as well. ``port`` 0 takes a
    free one.

    A server function that is ``async def`` speaks ASGI and gets a listener that does not block. Any
    other speaks what its app speaks; ``interface`` says so (``"wsgi"`` or ``"asgi"``) where the app
    is a name, which is WSGI otherwise. ``options`` are further words of the command line, such as
    ``["--timeout", "5"]``; a set-up takes those that its entry in the catalogue names. ``look`` is
    called again and again until it answers; what that raises ends the server.

    Raises ``ServeError`` with a sentence if the server cannot be started.
    """
    server = Server(
        setup,
        app,
        workers=workers,
        threads=threads,
        loop=loop,
        interface=interface,
        options=options,
        trace=trace,
        cpu=cpu,
        port=port,
    )
    try:
        server.await_ready(look)
    except BaseException:
        server.stop()
        raise
    return server


class Server:
    """A running server: ``url``, ``host``, ``port``, ``pid`` (its first process) and ``collector``.

    ``collector`` is None without trace.
    """

    host = HOST

    def __init__(
        self,
        setup: str | ServerFunction,
        app: Any,
        *,
        workers: int = 1,
        threads: int = 1,
        loop: str | None = None,
        interface: str | None = None,
        options: Iterable[str] = (),
        trace: bool = True,
        cpu: bool = True,
        port: int = 0,
    ) -> None:
        self.setup = find(setup) if isinstance(setup, str) else None
        self.function = None if isinstance(setup, str) else setup
        self.workers, self.threads, self.port, self.pid = workers, threads, port, 0
        self.loop = loop or LOOP
        self._check_sizes(loop)
        self.options = check_options(self.setup, options)
        self.name = self.setup.name if self.setup else packing.name_of(setup)
        self.app_name = app if isinstance(app, str) else packing.name_of(app)
        self._speaks = self._settle_interface(interface)
        self.interface = packing.interface_for(app, self._speaks)
        self._shown_target = packing.target(app, self.interface)
        self.collector: Collector | None = None
        self._process: Guarded | None = None
        self.last_run: Any = None  # what the last burst left, even if it was interrupted
        self._last_log = ""
        self._folder = Path(tempfile.mkdtemp(prefix="server-"))
        cpu = cpu and not (self.setup and self.setup.greenlets)
        try:
            place = packing.place(app, self.interface, self._folder)
            sample = cpu and self.interface == "wsgi"
            self.collector = Collector(self._meta(cpu), sample=sample) if trace else None
            self._process = self._launch(place, cpu)
        finally:
            self._end = weakref.finalize(
                self, _end, self._process, self.collector, self._folder, os.getpid()
            )
            if self._process is None:
                self._end()
        self.pid = self._process.pid
        several = self.setup is None or workers > 1 or "--preload" in self.options
        self._startup = Startup(self._folder, self.setup, workers, self.options)
        self._census = Census(self.pid, self._folder, forks=several)
        self._watch: Watch | None = None

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "running" if self.running else "stopped"
        return f"<{self.name} serving {self.app_name} at {self.url}, {state}>"

    @property
    def url(self) -> str:
        """Where it answers: ``http://127.0.0.1:PORT``."""
        return f"http://{self.host}:{self.port}"

    @property
    def command(self) -> str:
        """The command as one would type it in a terminal."""
        if self.setup is None:
            return f"{self.name}(listener, {self.app_name})"
        return self._line(self._shown_target)

    @property
    def running(self) -> bool:
        """Whether the server's first process has not ended."""
        return self._process is not None and not self._process.exited

    @property
    def log(self) -> str:
        """The end of what the server has written to its output."""
        with contextlib.suppress(FileNotFoundError), (self._folder / "log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            self._last_log = file.read().decode(errors="replace")
        return self._last_log

    def read_log(self, place: int) -> tuple[int, str]:
        """What it has written from byte ``place`` on, and the place after that."""
        with contextlib.suppress(FileNotFoundError), (self._folder / "log").open("rb") as file:
            file.seek(place)
            said = file.read()
            return place + len(said), said.decode(errors="replace")
        return place, ""

    def signal(self, name: str | int) -> None:
        """Send a signal, ``"HUP"`` for example, to the server's first process.

        A run that goes on meanwhile shows the moment. Raises ``ServeError`` for a signal that does
        not exist, a server that has ended, and for one that would only be stopped by it (TTIN,
        TTOU).
        """
        number = getattr(signal, f"SIG{str(name).upper().removeprefix('SIG')}", name)
        if number not in set(signal.Signals):
            known = ", ".join(known.name.removeprefix("SIG") for known in signal.Signals)
            raise ServeError(f"There is no signal {name!r}. There are: {known}.")
        if not self.running:
            raise ServeError(f"{self.name} has ended, so it cannot get a signal: serve again.")
        word = signal.Signals(number).name.removeprefix("SIG")
        if word in ("TTIN", "TTOU"):
            self._check_resize(word, number)
        self._note(word, self.pid)
        if word == "TTIN":
            self._census.ask()
        os.kill(self.pid, number)

    def kill_worker(self, pid: int | None = None) -> int:
        """End a worker with SIGKILL, which it cannot see coming: ``kill -9``. Returns its id.

        Without ``pid`` it is one that has a request in service, if one is known to, or else the
        first. Raises ``ServeError`` if there is none, or if that is not one.
        """
        workers = [one for one, role in self._census.members().items() if role == "worker"]
        if not workers:
            raise ServeError(f"{self.name} has no worker now: serve again, or wait for the next.")
        if pid is not None and pid not in workers:
            ids = ", ".join(map(str, workers))
            raise ServeError(f"{pid} is no worker of {self.name}. Its workers are: {ids}.")
        busy = self.collector.serving_pids if self.collector else []
        chosen = pid or next((one for one in workers if one in busy), workers[0])
        self._note(KILL, chosen)
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended by itself
            psutil.Process(chosen).kill()
        return chosen

    @property
    def actions(self) -> list[str]:
        """What ``act`` understands here: the signals that its first process has a handler for,
        those that end it, and ``"kill -9"``, for a worker.
        """
        if not self.running:
            return []
        numbers = {name: int(getattr(signal, f"SIG{name}")) for name in WISHES}
        caught = [name for name in WISHES if name in ENDS or catches(self.pid, numbers[name])]
        return [*caught, KILL]

    def act(self, name: str) -> None:
        """Send a signal to the first process, or with ``"kill -9"`` to a worker, by name."""
        if name == KILL:
            self.kill_worker()
        else:
            self.signal(name)

    def processes(self) -> list[ProcessInfo]:
        """Its parents and workers, now, the first process first; empty if it has ended.

        What else there is, such as the helper of a supervisor that spawns, is in ``pids()``.
        """
        return self._census.infos() if self.running else []

    def watch(self, collector: Collector) -> Watch:
        """Write down into a collector what becomes of the processes, until it is closed."""
        if self._watch is not None:
            self._watch.close()
        self._watch = Watch(self._census, collector)
        return self._watch

    def _note(self, name: str, pid: int) -> None:
        if self._watch is not None:
            self._watch.mark(name, pid)

    def _check_resize(self, word: str, number: int) -> None:
        if not catches(self.pid, number):
            raise ServeError(
                f"{self.name} does not listen to {word}, and the system would stop it instead:"
                " serve with several workers of gunicorn or uvicorn-workers."
            )

    def pids(self) -> list[int]:
        """The process ids of the server, its first process first; empty if it has ended."""
        if self.running:
            with contextlib.suppress(psutil.NoSuchProcess):
                first = psutil.Process(self.pid)
                return [self.pid, *sorted(child.pid for child in first.children(recursive=True))]
        return []

    def usage(self) -> Usage:
        """Memory, threads, processes and open connections of the server, now.

        Raises ``ServeError`` if it has ended.
        """
        pids = self.pids()
        if not pids:
            raise ServeError(f"{self.name} has ended and uses nothing any more: serve again.")
        return usage_of(pids, self.port)

    def stop(self) -> None:
        """End the server: SIGTERM, a few seconds to finish, then SIGKILL for all that is left."""
        if self._process is not None and os.getpid() == self._process.owner:
            if self._watch is not None:
                self._watch.close()
            self._process.end()
        _ = self.log
        self._end()

    def await_ready(self, look: Callable[[], None] = lambda: None) -> None:
        """Return when the app has started in every worker and the port answers.

        Raises ``ServeError`` if the app cannot be served, if the server ends, or its workers do
        again and again, and if it does not get there in time.
        """
        patience, is_over = Patience(self.pids, READY_S, READY_SHARE_S), False
        while not self._ready():
            look()
            self._check_alive()
            if is_over:
                raise ServeError(
                    f"{self.name} did not get ready within {READY_S:g} s."
                    f" {self._startup.stuck()}{tail(self.log)}"
                )
            time.sleep(POLL_S)
            is_over = patience.over()  # at rest may mean that it has just got ready
        if self.setup is None:
            settled = Patience(self.pids, SETTLE_S)
            while not settled.over():
                time.sleep(POLL_S)
            self._check_alive()
        self._census.ready()
        if self.collector is not None:
            self.collector.begin("0" * 32, command=self.command)

    def _ready(self) -> bool:
        complete = self._startup.complete
        if self.setup is None or not complete:
            return complete
        if "--preload" in self.options and len(self.pids()) <= self.workers:
            return False  # the first process has loaded it, and is about to fork
        return self._find_port() and _accepts(self.port)

    def _find_port(self) -> bool:
        """Read the port from what the server announces."""
        announces = self.setup.announces if self.setup else ""
        said = re.search(re.escape(announces) + r"http://127\.0\.0\.1:(\d+)", self.log)
        if said:
            self.port = int(said[1])
        return said is not None

    def _check_alive(self) -> None:
        if self._startup.failed or not self.running:
            raise ServeError(self._startup.why(self.name, self.app_name, self.log))
        if lost := self._startup.endless(self.pids):
            raise ServeError(
                f"{self.name} does not get ready: {lost} worker{'s' * (lost != 1)} ended while"
                " starting, without an exception that could be shown (an exit, a signal, too"
                f" little memory?).{tail(self.log)}"
            )

    def _line(self, target: str) -> str:
        assert self.setup is not None
        line = self.setup.line(target, self.port, self.workers, self.threads, self.loop)
        return shlex.join([*shlex.split(line), *self.options]) if self.options else line

    def _settle_interface(self, interface: str | None) -> str:
        """What the server speaks, as far as it is known without its app."""
        if interface not in (None, "wsgi", "asgi"):
            raise ServeError(f"interface= is 'wsgi' or 'asgi', not {interface!r}.")
        own = self.setup.interface if self.setup else ""
        if inspect.iscoroutinefunction(self.function):
            own = "asgi"
        if interface and own and interface != own:
            raise ServeError(
                f"{self.name} speaks {own.upper()}, not {interface.upper()}: leave out interface=."
            )
        return own or interface or ""

    def _check_sizes(self, loop: str | None) -> None:
        check_port(self.port)
        if self.setup is not None:
            check_sizes(self.setup, self.workers, self.threads)
        elif not callable(self.function):
            raise ServeError(
                f"A set-up is a name ({', '.join(SETUPS)}) or a server function (listener, app),"
                f" not {self.function!r}."
            )
        elif (self.workers, self.threads) != (1, 1):
            raise ServeError(
                "How many workers and threads there are is up to your own server function:"
                " leave out workers= and threads=."
            )
        elif loop is not None and not inspect.iscoroutinefunction(self.function):
            raise ServeError(
                f"{packing.name_of(self.function)} is no `async def`, so its loop is up to itself:"
                " leave out loop=."
            )
        check_loop(self.setup, loop)

    def _meta(self, cpu: bool) -> dict[str, Any]:
        size: dict[str, Any] = {}
        if self.setup:
            size = {"workers": self.workers, "threads": self.threads}
        if self.setup and self.setup.loops:
            size["loop"] = self.loop
        return {
            "title": f"{self.app_name} on {self.name}",
            "command": self.command,
            "setup": self.name,
            "interface": self.interface,
            **size,  # how many a server function starts is its own business
            "traced": True,
            "sampled": cpu,
        }

    def _launch(self, place: str, cpu: bool) -> Guarded:
        environment, log = self._environment(place, cpu), self._folder / "log"
        folders = [self._folder, *([self.collector.folder] if self.collector else [])]
        if self.setup is not None:
            if self.port:
                _listen(self.port).close()  # a port in use is told at once, in a sentence
            words = shlex.split(self._line(self.setup.target))
            return Guarded([sys.executable, *words[1:]], environment, log, folders=folders)
        pickled = packing.pack(self.function, self._folder / "server.pickle", "server function")
        with _listen(self.port) as listener:
            self.port = listener.getsockname()[1]
            words = ["-m", "playground.setups.learner", str(listener.fileno()), str(pickled)]
            words.append(self.loop)
            passed = (listener.fileno(),)
            return Guarded([sys.executable, *words], environment, log, passed, folders)

    def _environment(self, place: str, cpu: bool) -> dict[str, str]:
        """This process's own, plus what ``playground.setups.loading`` reads."""
        told = {
            "PLAYGROUND_APP": place,
            "PLAYGROUND_INTERFACE": self._speaks,
            "PLAYGROUND_STATE": str(self._folder),
            "PLAYGROUND_TRACE": self.collector.path if self.collector else "",
            "PLAYGROUND_CPU": "1" if cpu else "",
            "PYTHONPATH": packing.import_path(),
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **told}


def _end(process: Guarded | None, collector: Collector | None, folder: Path, owner: int) -> None:
    """What is left to do when a server is stopped, forgotten, or this interpreter exits."""
    if os.getpid() != owner:
        return  # a forked child must not stop its parent's server
    if process is not None:
        process.end()
    if collector is not None:
        collector.close()
    shutil.rmtree(folder, ignore_errors=True)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        problem = (
            "is in use: stop what listens there"
            if taken
            else f"cannot be had ({error.strerror}): take another"
        )
        raise ServeError(f"Port {port} {problem}, or leave out port= for a free one.") from error
    return listener


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
        return True
    return False
