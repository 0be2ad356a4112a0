"""``python -m minimal_servers wsgi module:app --port 8000 --workers 2 --threads 4``."""

import argparse
import importlib
import signal
import socket
import sys
import traceback
from typing import Any

from minimal_servers.threads import Server
from minimal_servers.workers import BOOT_FAILED, Arbiter, Ready, Work, log

BACKLOG = 1024  # connections that may wait in the accept queue


def main(argv: list[str] | None = None) -> int:
    """Open the socket, then hand over to the parent process. The exit status."""
    options = parse(argv)
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        log(f"cannot listen on {options.host}:{options.port}: {error.strerror}. Try --port 0.")
        return 1
    host, port = listener.getsockname()[:2]

    def announce() -> None:
        size = f"{options.workers} worker(s) x {options.threads} thread(s)"
        print(f"{options.app} is served at http://{host}:{port} by {size}", flush=True)

    work = wsgi_work(listener, options.app, options.threads, options.workers)
    return Arbiter(work, options.workers, options.grace, announce).run()


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m minimal_servers", description=__doc__)
    parser.add_argument("interface", choices=["wsgi"], help="what the application speaks")
    parser.add_argument("app", help="where it is: module:name, as in myproject.main:app")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=number(0, 65535), default=8000, help="0 takes a free one")
    parser.add_argument("--workers", type=number(1, 1024), default=1, help="processes")
    parser.add_argument("--threads", type=number(1, 1024), default=1, help="per process")
    parser.add_argument("--grace", type=float, default=30.0, help="seconds to finish on SIGTERM")
    return parser.parse_args(argv)


def number(low: int, high: int) -> Any:
    """An argparse type: an integer within bounds."""

    def convert(text: str) -> int:
        if not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"must be between {low} and {high}")
        return int(text)

    convert.__name__ = "whole number"
    return convert


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises OSError when the port is taken or not ours.

    subtle: with TCP_DEFER_ACCEPT (Linux) a connection leaves the accept queue when its first bytes
    are there, not before: a busy worker never takes a client that a free one could serve.
    """
    listener = socket.create_server((host, port), backlog=BACKLOG)
    if hasattr(socket, "TCP_DEFER_ACCEPT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
    return listener


def wsgi_work(listener: socket.socket, target: str, threads: int, workers: int) -> Work:
    """What a worker process does for WSGI."""

    def work(lifeline: int, ready: Ready) -> None:
        server = Server(listener, load(target), threads, workers, lifeline)
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        ready()
        server.run()

    return work


def load(target: str) -> Any:
    """Import "module:name". Ends the process with one sentence, or the application's traceback."""
    module_name, _, name = target.partition(":")
    sys.path.insert(0, "")
    try:
        app: Any = importlib.import_module(module_name)
        for part in (name or "app").split("."):
            app = getattr(app, part)
    except Exception as error:
        if (
            not isinstance(error, (ModuleNotFoundError, AttributeError))
            or error.__traceback__ is None
        ):
            traceback.print_exc()
        log(f"cannot load {target}: {error}")
        sys.exit(BOOT_FAILED)
    if not callable(app):
        log(f"cannot load {target}: {app!r} is not callable")
        sys.exit(BOOT_FAILED)
    return app


if __name__ == "__main__":
    sys.exit(main())
