"""Runs in a terminal: setups, run, compare, show, export."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from playground.errors import Told
from playground.output import print_json
from playground.waiting import advancing

if TYPE_CHECKING:
    from playground.load.order import Order
    from playground.load.outcome import Outcome
    from playground.setups.server import Server

app = typer.Typer()


def _examples(*lines: str) -> str:
    """What stands below a help text, one line each."""
    return "\n".join(["Examples:", *(f"playground {line}" for line in lines)])


class Unserved(Told, RuntimeError):
    """Some requests had no good answer; the message says how many, and what came instead."""


def _writable(file: Path | None) -> Path | None:
    """Refuse an output file for which there is no folder, before anything is done."""
    if file and not (file.parent.is_dir() and os.access(file.parent, os.W_OK)):
        raise typer.BadParameter(f"cannot write into the folder {file.parent}: choose another.")
    return file


class Theme(StrEnum):
    """The colours of a picture; auto follows the reader's system, where the format can."""

    LIGHT = "light"
    DARK = "dark"
    AUTO = "auto"


class Arrivals(StrEnum):
    """When requests are sent."""

    TOGETHER = "together"
    STEADY = "steady"
    POISSON = "poisson"
    CLOSED = "closed"


TraceFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="A file that `run --save` or `.save()` wrote.")
]


def _out(what: str) -> Any:
    return typer.Option(dir_okay=False, metavar="FILE", callback=_writable, help=what)


Html = Annotated[Path | None, _out("Write a page that needs nothing else.")]
Svg = Annotated[Path | None, _out("Write the picture, to scale.")]
Png = Annotated[Path | None, _out("Write the picture, for slides.")]
Csv = Annotated[Path | None, _out("Write a table with a line for each request.")]
Perfetto = Annotated[Path | None, _out("Write JSON that ui.perfetto.dev opens.")]
Work = Annotated[
    str | None,
    typer.Option(
        "--workload", metavar="NAME", help="What to do: hello, cpu, waiting …; see `setups`."
    ),
]
In = Annotated[
    str | None,
    typer.Option(
        "--framework",
        metavar="NAME",
        help="In which framework: flask, fastapi …; an app by hand if you do not say.",
    ),
]
App = Annotated[
    str | None,
    typer.Option(
        "--app",
        metavar="NAME",
        help="Instead of a workload: module:attribute of your own, or a bundled app (slow).",
    ),
]
AskedPath = Annotated[
    str | None, typer.Option("--path", metavar="PATH", help="What to ask that app for.")
]
Sizes = Annotated[
    list[str] | None,
    typer.Option(
        "--size", metavar="NAME=X", help="Of the workload: s=0.2 seconds, ms=50; more than once."
    ),
]
Workers = Annotated[int, typer.Option("-w", "--workers", metavar="N", help="Processes.")]
Threads = Annotated[int, typer.Option("-t", "--threads", metavar="N", help="Threads per process.")]
Loop = Annotated[
    str | None,
    typer.Option(
        "--loop", metavar="NAME", help="The event loop of an ASGI server: asyncio or uvloop."
    ),
]
When = Annotated[
    Arrivals,
    typer.Option(
        metavar="WHEN",
        help="together (all at once), steady (one each 1/rate s), poisson (at random), or closed"
        " (each client sends again when it is answered).",
    ),
]
Rate = Annotated[float, typer.Option(metavar="X", help="Requests a second, of steady and poisson.")]
Seconds = Annotated[
    float | None,
    typer.Option(metavar="X", help="How long to send; 5 without -n. Not with together."),
]
Clients = Annotated[int, typer.Option(metavar="N", help="How many, in a closed loop.")]
Seed = Annotated[
    int, typer.Option(metavar="N", help="The same seed gives the same random moments.")
]
AsJson = Annotated[bool, typer.Option("--json", help="The numbers as JSON, and no picture.")]
Shade = Annotated[Theme, typer.Option(help="The colours of the picture.")]


@app.command(epilog=_examples("setups", "setups gunicorn-sync", "setups --json"))
def setups(
    setup: Annotated[
        str | None, typer.Argument(metavar="SETUP", help="Show what goes with this one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the servers, frameworks and workloads that `run` knows; of one server, what fits it."""
    from playground.setups import fitting

    if setup is None:
        _list_everything(as_json)
    elif as_json:
        print_json(fitting.as_data(setup))
    else:
        Console().print(fitting.as_table(setup))


def _list_everything(as_json: bool) -> None:
    from playground.setups.catalogue import SETUPS
    from playground.setups.workloads import FRAMEWORKS, WORKLOADS

    if as_json:
        told = {"setups": [_setup_told(setup) for setup in SETUPS.values()]}
        told["frameworks"] = [
            {"name": one.name, "interfaces": list(one.targets), "shows": one.shows}
            for one in FRAMEWORKS.values()
        ]
        told["workloads"] = [
            {"name": one.name, "path": one.ask(), "sizes": one.sizes, "shows": one.shows}
            for one in WORKLOADS.values()
        ]
        print_json(told)
        return
    console = Console()
    served = [[one.name, one.interface, one.shows] for one in SETUPS.values()]
    console.print(_listed(["set-up", "interface", "shows"], served))
    written = [[one.name, ", ".join(one.targets), one.shows] for one in FRAMEWORKS.values()]
    console.print(_listed(["framework", "interface", "shows"], written))
    done = [[one.name, ", ".join(one.sizes), one.shows] for one in WORKLOADS.values()]
    console.print(_listed(["workload", "sizes", "shows"], done))


@app.command(
    epilog=_examples(
        "run gunicorn-sync -w 2",
        "run gunicorn-gthread --workload waiting -n 24 -w 2 -t 4",
        "run uvicorn --framework fastapi --workload cpu --arrivals poisson",
        "run uvicorn --workload cpu --size ms=300 -n 4 --probe /health",
        "run waitress --app mine:app --path /hello --save a.trace",
        "run uvicorn --arrivals steady --seconds 20 --share",
    )
)
def run(
    setup: Annotated[
        str, typer.Argument(metavar="SETUP", help="Such as gunicorn-sync; `setups` lists them.")
    ],
    workload: Work = None,
    framework: In = None,
    size: Sizes = None,
    target: App = None,
    path: AskedPath = None,
    count: Annotated[
        int | None, typer.Option("-n", metavar="N", help="Requests; 8 if they come together.")
    ] = None,
    workers: Workers = 1,
    threads: Threads = 1,
    loop: Loop = None,
    arrivals: When = Arrivals.TOGETHER,
    rate: Rate = 20.0,
    seconds: Seconds = None,
    clients: Clients = 8,
    seed: Seed = 1,
    probe: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Ask for this path meanwhile: a health check."),
    ] = None,
    every: Annotated[
        float, typer.Option(metavar="X", help="Seconds from one probe to the next.")
    ] = 0.05,
    as_json: AsJson = False,
    save: Annotated[
        Path | None,
        _out("Keep the trace, for `show` and `export`."),
    ] = None,
    share: Annotated[
        bool,
        typer.Option(
            "--share", help="Show it on the classroom's board, while it goes on and after."
        ),
    ] = False,
) -> None:
    """Start a server, send it requests, and draw what happened."""
    from playground.classroom import membership
    from playground.load.arrivals import plan
    from playground.load.outcome import outcome
    from playground.load.paced import load
    from playground.load.percentiles import Percentiles

    plan(arrivals.value, count, seconds, rate, clients, seed)  # before a server is started for it
    if share:
        membership.joined_or_refuse()
    order = _order(setup, target, path, workload, framework, size)
    sizes = {"workers": workers, "threads": threads, "loop": loop}
    with _served(order, setup, f"Starting {setup} …", **sizes) as server:
        try:
            with advancing(f"Asking {setup} …", as_json) as told:  # else the picture moves
                result = load(
                    server,
                    order.path,
                    arrivals=arrivals.value,
                    n=count,
                    seconds=seconds,
                    rate=rate,
                    clients=clients,
                    seed=seed,
                    probe=probe,
                    every=every,
                    show=not as_json,
                    share=share,
                    progress=told,
                    **order.how,
                )
        finally:
            kept = _keep(server, save)  # of an interrupted run what there is
    told_of = outcome(result, server.name)
    if as_json:
        print_json({"title": result.trace.meta["title"], **result.summary()})
    elif arrivals is not Arrivals.TOGETHER:
        _say(Percentiles([replace(told_of, notes=())]).to_text())  # they have been told
    _check([told_of], [order])
    if not kept:
        raise typer.Exit(1)


@app.command(
    epilog=_examples(
        "compare gunicorn-sync gunicorn-gthread:1x8 uvicorn --workload cpu",
        "compare waitress:1x8 minimal-wsgi:2x4 --arrivals steady --png a.png",
        "compare uvicorn gunicorn-asgi --workload hello --rounds 6 --json",
    )
)
def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="SETUP",
            help="From two to four set-ups; gunicorn-gthread:2x8 has 2 workers of 8 threads each.",
        ),
    ],
    workload: Work = None,
    framework: In = None,
    size: Sizes = None,
    target: App = None,
    path: AskedPath = None,
    count: Annotated[
        int | None, typer.Option("-n", metavar="N", help="Requests in each round.")
    ] = None,
    workers: Workers = 1,
    threads: Threads = 1,
    arrivals: When = Arrivals.POISSON,
    rate: Rate = 20.0,
    seconds: Seconds = None,
    clients: Clients = 8,
    seed: Seed = 1,
    rounds: Annotated[int, typer.Option(metavar="N", help="How often each is asked, in turn.")] = 4,
    as_json: AsJson = False,
    html: Html = None,
    svg: Svg = None,
    png: Png = None,
    csv: Csv = None,
    theme: Shade = Theme.LIGHT,
) -> None:
    """Put the same load on several servers, in rounds that take turns, and tell the ratios.

    They wait for 0.1 s in each request if you do not say what to do.
    """
    from playground.load.arrivals import plan
    from playground.load.files import write_whole
    from playground.load.interleaved import interleaved

    if not 2 <= len(names) <= 4:
        raise typer.BadParameter("name from two to four set-ups, as in `compare waitress uvicorn`.")
    if not any((workload, framework, size, target, path)):
        workload = "waiting"
    together = arrivals is Arrivals.TOGETHER
    settled = plan(arrivals.value, count, seconds, rate, clients, seed)
    timing: dict[str, Any] = {"n": settled.n, "clients": clients, "seed": seed}
    timing |= {} if together else {"seconds": settled.seconds, "rate": rate}
    sized = [_sized(one, workers, threads) for one in names]
    orders = [_order(name, target, path, workload, framework, size) for name, *_ in sized]
    order = orders[0]
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(
                _served(
                    one,
                    name,
                    f"Starting {name} ({place} of {len(sized)}) …",
                    workers=w,
                    threads=t,
                    trace=False,
                )
            )
            for place, (one, (name, w, t)) in enumerate(zip(orders, sized, strict=True), 1)
        ]
        with advancing(f"Asking {len(servers)} servers in turn …") as told:
            found = interleaved(
                servers,
                order.path,
                rounds=rounds,
                titles=names,
                progress=told,
                arrivals=arrivals.value,
                **timing,
                **order.how,
            )
    if as_json:
        print_json({"load": settled.words(), **found.summary()})
    else:
        what, turns = workload or order.target, f"{rounds} round{'s' * (rounds > 1)}"
        _say(f"{order.path} ({what}), {settled.words()}, {turns}\n{found.to_text()}")
    shade = "light" if theme is Theme.AUTO else theme.value
    _write(
        (html, found.to_html),
        (csv, found.to_csv),
        (png, lambda file: found.to_png(file, theme=shade)),
        (svg, lambda file: write_whole(file, found.to_svg(theme.value).encode())),
    )
    _check(found.outcomes, orders)


@app.command(epilog=_examples("show a.trace"))
def show(file: TraceFile) -> None:
    """Draw a saved trace."""
    from playground.trace.trace import Trace
    from playground.views import terminal

    Console().print(terminal.render(Trace.load(file)))


@app.command(
    epilog=_examples(
        "export a.trace --html a.html --svg a.svg --png a.png",
        "export a.trace --csv a.csv --perfetto a.json",
    )
)
def export(
    file: TraceFile,
    html: Html = None,
    svg: Svg = None,
    png: Png = None,
    csv: Csv = None,
    perfetto: Perfetto = None,
    theme: Shade = Theme.AUTO,
) -> None:
    """Write a saved trace as a page, a picture, a table, or a file for the Perfetto viewer."""
    from playground.load.files import write_whole
    from playground.load.outcome import outcome, write_csv
    from playground.load.percentiles import to_png
    from playground.load.reopen import reopen

    if not (html or svg or png or csv or perfetto):
        raise typer.BadParameter("name at least one of --html, --svg, --png, --csv and --perfetto.")
    with advancing(f"Reading {file} …"):
        result = reopen(file)
    told = [outcome(result, str(result.trace.meta.get("setup", "run")))]
    shade = "light" if theme is Theme.AUTO else theme.value
    _write(
        (html, result.to_html),
        (svg, lambda file: write_whole(file, result.to_svg(theme=theme.value).encode())),
        (png, lambda file: write_whole(file, to_png(result.to_svg(theme=shade)))),
        (csv, lambda file: write_csv(file, told)),
        (perfetto, result.to_perfetto),
    )


def _order(
    setup: str,
    target: str | None,
    path: str | None,
    workload: str | None,
    framework: str | None,
    size: list[str] | None,
) -> Order:
    """What is asked of that set-up: a workload, or an app and a path."""
    from playground.load.order import Order, of_workload

    if workload is None:
        if framework is not None or size:
            raise typer.BadParameter("--framework and --size go with a --workload: name one.")
        return Order(target or "slow", path or "/")
    if target is not None or path is not None:
        raise typer.BadParameter("a --workload has an app and a path: leave out --app and --path.")
    sizes = {}
    for part in size or []:
        name, equals, value = part.partition("=")
        try:
            sizes[name] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise typer.BadParameter(f"a --size is NAME=NUMBER, such as s=0.2, not {part!r}.")
    return of_workload(setup, workload, framework, **sizes)


@contextlib.contextmanager
def _served(order: Order, setup: str, what: str, **sizes: Any) -> Iterator[Server]:
    """The server, from when it answers; ``what`` is shown until then."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # a module of one's own lies in the current folder
    with advancing(what):
        server = order.serve(setup, **sizes)
    with server:
        yield server


def _keep(server: Server, file: Path | None) -> bool:
    """Save the last run, if that is wished and there is one; whether nothing went wrong."""
    if file is None or server.last_run is None:
        return True
    try:
        server.last_run.save(file)
    except Told as error:  # its numbers are told all the same
        print(f"playground: {error}", file=sys.stderr)
        return False
    print(f"The trace is in {file}: playground show {file}", file=sys.stderr)
    return True


def _write(*files: tuple[Path | None, Callable[[Path], object]]) -> None:
    """Write those files that are wished, each whole or not at all."""
    wished = [(file, write) for file, write in files if file]
    with advancing("Writing …") as told:
        for place, (file, write) in enumerate(wished):
            told(place / len(wished))
            write(file)
            print(f"wrote {file}", file=sys.stderr)


def _sized(text: str, workers: int, threads: int) -> tuple[str, int, int]:
    """``gunicorn-gthread:2x8`` is 2 workers with 8 threads each; what is not said is as for all."""
    from playground.load.order import SIZED

    found = SIZED.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no set-up with a size such as gunicorn-gthread:2x8.")
    own_workers, own_threads = found["workers"], found["threads"]
    return found["name"], int(own_workers or workers), int(own_threads or threads)


def _check(some: list[Outcome], orders: list[Order]) -> None:
    """Raises ``Unserved`` if requests had no complete answer, or one that is wrong."""
    for one, order in zip(some, orders, strict=True):
        if complaint := order.complaint(one.name, one.replies):
            raise Unserved(complaint)


def _listed(headings: list[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, min_width=16 if heading == headings[0] else 9)
    for row in rows:
        table.add_row(*map(escape, row))
    table.add_row("")
    return table


def _setup_told(setup: Any) -> dict[str, Any]:
    from playground.setups.catalogue import missing

    names = ("name", "interface", "shows", "min_workers", "max_workers", "max_threads", "loops")
    told = {name: getattr(setup, name) for name in names}
    return {**told, "installed": not missing(setup)}


def _say(text: str) -> None:
    """Print it; in a terminal no word is broken."""
    if sys.stdout.isatty():
        Console(highlight=False).print(Text(text))
    else:
        print(text)
