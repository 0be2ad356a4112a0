"""Every server set-up, as data. A new one is one entry here and nothing else."""

import difflib
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from playground.errors import Told

Interface = Literal["wsgi", "asgi"]


class ServeError(Told, RuntimeError):
    """A server could not be started, reached or stopped; the message says why and what to do."""


@dataclass(frozen=True)
class Setup:
    """One way to serve an app.

    ``command`` has the places ``{target}`` (``{module}`` is what stands before its colon),
    ``{port}``, ``{workers}``, ``{threads}`` and ``{loop}``, one of ``loops``; ``announces`` is what
    the server's log says just before ``http://127.0.0.1:PORT``. Every worker imports the target.
    Where requests share a thread (``greenlets``), processor time tells nothing about one of them
    and is not measured.
    ``options`` are the further words that its command line may get here, those without ``=`` and a
    value by themselves: where it listens, with how many processes and in the foreground is settled.
    ``target`` is what is served in truth: it imports the app and traces it. It needs ``module``,
    and besides what is in ``needs``; ``package`` is what one installs to have them all. Where it
    ``replaces`` none of its workers, one that dies as it starts was the last.
    """

    name: str
    interface: Interface
    command: str
    announces: str
    shows: str
    module: str
    package: str
    needs: tuple[str, ...] = ()
    replaces: bool = True
    min_workers: int = 1
    max_workers: int = 64
    max_threads: int = 64
    loops: tuple[str, ...] = ()
    greenlets: bool = False
    options: tuple[str, ...] = ()
    target: str = "playground.setups.target:app"

    def line(self, target: str, port: int, workers: int, threads: int, loop: str) -> str:
        """The command as one would type it."""
        sizes = {"workers": workers, "threads": threads, "module": target.partition(":")[0]}
        return self.command.format(target=target, port=port, loop=loop, **sizes)


LOOPS = {"asyncio": "", "uvloop": "uvloop"}  # event loops, and what each needs


GUNICORN = "python -m gunicorn --no-control-socket --bind 127.0.0.1:{port} --workers {workers}"
UVICORN = (
    "python -m uvicorn --host 127.0.0.1 --port {port} --workers {workers} --loop {loop}"
    " --no-access-log"
)

GUNICORN_OPTIONS = (
    "--preload",
    "--timeout=",
    "--graceful-timeout=",
    "--keep-alive=",
    "--max-requests=",
    "--max-requests-jitter=",
    "--worker-connections=",
    "--backlog=",
    "--log-level=",
)
ASGI_OPTIONS = (*GUNICORN_OPTIONS, "--asgi-lifespan=", "--asgi-disconnect-grace-period=")
UVICORN_OPTIONS = (
    "--lifespan=",
    "--ws=",
    "--limit-concurrency=",
    "--limit-max-requests=",
    "--limit-max-requests-jitter=",
    "--timeout-keep-alive=",
    "--timeout-graceful-shutdown=",
    "--backlog=",
    "--log-level=",
)
SUPERVISOR_OPTIONS = (*UVICORN_OPTIONS, "--timeout-worker-healthcheck=")

SETUPS = {
    setup.name: setup
    for setup in (
        Setup(
            name="minimal-wsgi",
            interface="wsgi",
            command="python -m minimal_servers wsgi {target} --port {port}"
            " --workers {workers} --threads {threads}",
            announces="is served at ",
            shows="the WSGI server that the chapters build: pre-forked processes with threads",
            module="minimal_servers",
            package="this checkout",
        ),
        Setup(
            name="gunicorn-sync",
            interface="wsgi",
            command=GUNICORN + " --worker-class sync {target}",
            announces="Listening at: ",
            shows="pre-forked processes, each with one request at a time",
            module="gunicorn",
            package="gunicorn",
            max_threads=1,
            options=GUNICORN_OPTIONS,
        ),
        Setup(
            name="gunicorn-gthread",
            interface="wsgi",
            command=GUNICORN + " --worker-class gthread --threads {threads} {target}",
            announces="Listening at: ",
            shows="pre-forked processes, each with a pool of threads",
            module="gunicorn",
            package="gunicorn",
            options=GUNICORN_OPTIONS,
        ),
        Setup(
            name="gunicorn-gevent",
            interface="wsgi",
            command=GUNICORN + " --worker-class gevent {target}",
            announces="Listening at: ",
            shows="pre-forked processes, each with a greenlet per connection: what waits lets go",
            module="gevent",
            package="gunicorn gevent",
            needs=("gunicorn",),
            max_threads=1,
            greenlets=True,
            options=GUNICORN_OPTIONS,
        ),
        Setup(
            name="waitress",
            interface="wsgi",
            command="python -m waitress --listen=127.0.0.1:{port} --threads={threads} {target}",
            announces="Serving on ",
            shows="one process: an event loop for the connections, threads for the app",
            module="waitress",
            package="waitress",
            max_workers=1,
        ),
        Setup(
            name="flask-dev",
            interface="wsgi",
            command="python -m flask --app {target} run --host 127.0.0.1 --port {port}",
            announces="Running on ",
            shows="Flask's development server: one process, a new thread for each connection",
            module="flask",
            package="flask",
            max_workers=1,
            max_threads=1,
            target="playground.setups.flask_target:app",
        ),
        Setup(
            name="django-dev",
            interface="wsgi",
            command="python -m django runserver --noreload --settings {module} 127.0.0.1:{port}",
            announces="development server at ",
            shows="Django's development server: one process, a new thread for each connection",
            module="django",
            package="django",
            max_workers=1,
            max_threads=1,
            target="playground.setups.django_target:application",
        ),
        Setup(
            name="minimal-asgi",
            interface="asgi",
            command="python -m minimal_servers asgi {target} --port {port}"
            " --workers {workers} --loop {loop}",
            announces="is served at ",
            shows="the ASGI server that the chapters build: one event loop per process",
            module="minimal_servers",
            package="this checkout",
            max_threads=1,
            loops=tuple(LOOPS),
        ),
        Setup(
            name="uvicorn",
            interface="asgi",
            command=UVICORN + " --http httptools {target}",
            announces="Uvicorn running on ",
            shows="one event loop per process: every request is a task on it",
            module="uvicorn",
            package='"uvicorn[standard]"',
            needs=("httptools",),
            max_threads=1,
            loops=tuple(LOOPS),
            options=UVICORN_OPTIONS,
        ),
        Setup(
            name="uvicorn-h11",
            interface="asgi",
            command=UVICORN + " --http h11 {target}",
            announces="Uvicorn running on ",
            shows="the same with a parser in pure Python, which a bare `pip install uvicorn` uses",
            module="uvicorn",
            package="uvicorn",
            needs=("h11",),
            max_threads=1,
            loops=tuple(LOOPS),
            options=UVICORN_OPTIONS,
        ),
        Setup(
            name="uvicorn-workers",
            interface="asgi",
            command=UVICORN + " --http httptools {target}",
            announces="Uvicorn running on ",
            shows="Uvicorn's own supervisor: it spawns several processes and replaces the dead",
            module="uvicorn",
            package='"uvicorn[standard]"',
            needs=("httptools",),
            min_workers=2,
            max_threads=1,
            loops=tuple(LOOPS),
            options=SUPERVISOR_OPTIONS,
        ),
        Setup(
            name="uvicorn-reload",
            interface="asgi",
            command="python -m uvicorn --host 127.0.0.1 --port {port} --reload --loop {loop}"
            " --no-access-log {target}",
            announces="Uvicorn running on ",
            shows="one process, replaced whenever a Python file of the current folder changes",
            module="uvicorn",
            package='"uvicorn[standard]"',
            replaces=False,
            max_workers=1,
            max_threads=1,
            loops=tuple(LOOPS),
            options=UVICORN_OPTIONS,
        ),
        Setup(
            name="gunicorn-asgi",
            interface="asgi",
            command=GUNICORN + " --worker-class asgi --asgi-loop {loop} {target}",
            announces="Listening at: ",
            shows="Gunicorn's own ASGI worker: pre-forked processes, each with an event loop",
            module="gunicorn",
            package="gunicorn",
            max_threads=1,
            loops=tuple(LOOPS),
            options=ASGI_OPTIONS,
        ),
        Setup(
            name="gunicorn-uvicorn",
            interface="asgi",
            command=GUNICORN + " --worker-class uvicorn_worker.UvicornWorker {target}",
            announces="Listening at: ",
            shows="Gunicorn's processes with Uvicorn in each, on uvloop where it is installed",
            module="uvicorn_worker",
            package="gunicorn uvicorn-worker",
            needs=("gunicorn", "uvicorn"),
            max_threads=1,
            options=GUNICORN_OPTIONS,
        ),
        Setup(
            name="hypercorn",
            interface="asgi",
            command="python -m hypercorn --bind 127.0.0.1:{port} --workers {workers}"
            " --worker-class {loop} {target}",
            announces="Running on ",
            shows="one event loop per process, each the child of a manager",
            module="hypercorn",
            package="hypercorn",
            max_threads=1,
            loops=tuple(LOOPS),
        ),
    )
}


def find(name: str) -> Setup:
    """The set-up of that name. Raises ``ServeError`` with the nearest name, or if it is not
    installed.
    """
    setup = SETUPS.get(name)
    if setup is None:
        raise ServeError(f"There is no set-up {name!r}.{nearest(name, SETUPS)}")
    if lacks := missing(setup):
        raise ServeError(
            f"{setup.name} needs {lacks}, which is not installed here:"
            f" run `pip install {setup.package}` in this environment and try again."
        )
    return setup


def missing(setup: Setup) -> str:
    """The first module that the set-up needs and that is not installed here; "" if none is."""
    wanted = (setup.module, *setup.needs)
    return next((name for name in wanted if importlib.util.find_spec(name) is None), "")


def nearest(name: str, names: Iterable[str]) -> str:
    """``" Did you mean 'x'? There are: …"`` for a sentence about an unknown name."""
    known = sorted(names)
    begins = [found for found in known if name and found.startswith(name)]
    close = begins or difflib.get_close_matches(name, known, 1, 0.5)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return f"{guess} There are: {', '.join(known)}."


def check_port(port: Any) -> None:
    """Raises ``ServeError`` for what is no TCP port."""
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ServeError(f"A port is a number from 1 to 65535, or 0 for a free one, not {port!r}.")


def check_loop(setup: Setup | None, loop: Any) -> None:
    """Raises ``ServeError`` for an event loop that the set-up, or a server function that is
    ``async def`` (None), cannot have here.
    """
    if loop is None:
        return
    loops = LOOPS if setup is None else setup.loops
    if not loops:
        choices = ", ".join(name for name, known in SETUPS.items() if known.loops)
        raise ServeError(
            f"{setup.name if setup else 'This'} has no event loop to choose: leave out loop=,"
            f" or take one of {choices}."
        )
    if loop not in loops:
        raise ServeError(f"loop= is one of {', '.join(loops)}, not {loop!r}.")
    if LOOPS[loop] and importlib.util.find_spec(LOOPS[loop]) is None:
        raise ServeError(
            f"{loop} is not installed here: run `pip install {LOOPS[loop]}` in this environment,"
            ' or use loop="asyncio".'
        )


def check_options(setup: Setup | None, options: Any) -> tuple[str, ...]:
    """The further words of a command line, as ``"--name"`` or ``"--name=value"``.

    ``["--timeout", "5"]`` is ``["--timeout=5"]``. Raises ``ServeError`` for what the set-up does
    not take here.
    """
    words: list[str] = []
    for word in [options] if isinstance(options, str) else list(options):
        if words and isinstance(word, str) and word[:1] != "-" and "=" not in words[-1]:
            words[-1] += f"={word}"
        else:
            words.append(word)
    known = setup.options if setup else ()
    for word in words:
        name, equals, _ = str(word).partition("=")
        if not isinstance(word, str) or name + equals not in known:
            raise ServeError(
                f"options= of {setup.name if setup else 'your own server function'} cannot hold"
                f" {word!r}. It can hold: {', '.join(known) or 'nothing'}."
            )
    return tuple(words)


def check_sizes(setup: Setup, workers: int, threads: int) -> None:
    """Raises ``ServeError`` for numbers of workers or threads that the set-up cannot have."""
    for name, value, least, most in (
        ("workers", workers, setup.min_workers, setup.max_workers),
        ("threads", threads, 1, setup.max_threads),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            allowed = f"{name}=1 only" if most == 1 else f"{name} from {least} to {most}"
            raise ServeError(
                f"{setup.name} takes {allowed}, not {value!r}: it shows {setup.shows}."
            )
