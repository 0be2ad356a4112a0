"""``python -m minimal_servers wsgi module:app --port 8000 --workers 2 --threads 4``."""

import argparse
import asyncio
import gc
import importlib
import importlib.util
import logging
import signal
import socket
import sys
from typing import Any

from minimal_servers import tasks
from minimal_servers.asgi import LifespanFailed
from minimal_servers.threads import Server
from minimal_servers.workers import BOOT_FAILED, Arbiter, Ready, Work

BACKLOG = 1024  # connections that may wait in the accept queue
log = logging.getLogger("minimal_servers")


def main(argv: list[str] | None = None) -> int:
    """Open the socket, then hand over to the parent process. The exit status."""
    options = parse(argv)
    try:
        listener = listen(options.host, options.port)
    except (OSError, OverflowError) as error:
        log.error("cannot listen on %s:%d: %s", options.host, options.port, error)
        return 1
    url = "http://{}:{}".format(*listener.getsockname()[:2])
    size = f"{options.workers} worker(s)"
    if options.interface == "wsgi":
        size += f" x {options.threads} thread(s)"
        work = wsgi_work(listener, options.app, options.threads, options.workers)
    else:
        size += f" on {options.loop}"
        work = asgi_work(listener, options.app, options.loop, options.grace)
    announcement = f"{options.app} is served at {url} by {size}"
    announce = lambda: print(announcement, flush=True)  # noqa: E731
    close_door = lambda: listener.shutdown(socket.SHUT_RD)  # noqa: E731 - for all workers at once
    return Arbiter(work, options.workers, options.grace, announce, close_door).run()


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m minimal_servers", description=__doc__)
    parser.add_argument("interface", choices=["wsgi", "asgi"], help="what the application speaks")
    parser.add_argument("app", help="where it is: module:name, as in myproject.main:app")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="threads in each process (wsgi)")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio", help="(asgi)")
    parser.add_argument("--grace", type=float, default=30.0, help="seconds to finish on SIGTERM")
    options = parser.parse_args(argv)
    if options.workers < 1 or options.threads < 1 or not 0 <= options.grace <= 3600:
        parser.error("--workers and --threads are 1 or more, --grace is 0 to 3600")
    if options.interface == "asgi" and options.threads != 1:
        parser.error("--threads is for wsgi: with asgi, every request is a task on one event loop")
    if importlib.util.find_spec(options.loop) is None:
        parser.error(f"--loop {options.loop} needs the package {options.loop}")
    return options


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises OSError when the port is taken or not ours.

    subtle: with TCP_DEFER_ACCEPT (Linux, tcp(7)) a connection can be accepted when its first bytes
    are there, or after a second: no worker takes a guest who is silent, to find itself busy when
    that guest speaks, while another worker is free.
    """
    listener = socket.create_server((host, port), backlog=BACKLOG)
    if hasattr(socket, "TCP_DEFER_ACCEPT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
    return listener


def wsgi_work(listener: socket.socket, target: str, threads: int, workers: int) -> Work:
    """What a worker process does for WSGI."""

    def work(lifeline: int, ready: Ready) -> None:
        server = Server(listener, load(target), threads, workers)
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        ready()
        server.run(lifeline)

    return work


def asgi_work(listener: socket.socket, target: str, loop: str, grace: float) -> Work:
    """What a worker process does for ASGI. Raises SystemExit(BOOT_FAILED)."""

    def work(lifeline: int, ready: Ready) -> None:
        app = load(target)
        new_loop = importlib.import_module(loop).new_event_loop
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                server = tasks.Server(listener, app, grace)
                runner.get_loop().add_signal_handler(signal.SIGTERM, server.stop)
                try:
                    runner.run(server.run(ready, lifeline))
                finally:  # told once more to end, it would die of that, and not say how it went
                    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
                    runner.get_loop().remove_signal_handler(signal.SIGTERM)
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
        except LifespanFailed as error:
            log.error("%s", error)
            sys.exit(BOOT_FAILED)

    return work


def load(target: str) -> Any:
    """Import "module:name". Ends the process with a sentence, and the traceback of a failed import.

    Raises SystemExit(BOOT_FAILED).
    """
    module_name, _, name = target.partition(":")
    sys.path.insert(0, "")
    try:
        app: Any = importlib.import_module(module_name)
        for part in (name or "app").split("."):
            app = getattr(app, part)
        if not callable(app):
            raise TypeError(f"{app!r} is not callable")
    except BaseException as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == module_name
        ours = error.__traceback__ is None or error.__traceback__.tb_next is None
        log.error("cannot load %s: %r", target, error, exc_info=not (missing or ours))
        sys.exit(BOOT_FAILED)
    gc.collect()
    gc.freeze()  # what is loaded stays: no need to search it for garbage again and again
    return app


if __name__ == "__main__":
    sys.exit(main())
