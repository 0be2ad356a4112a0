"""Runs in a terminal: setups, run, compare, show, export."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Sequence
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
from playground.waiting import advancing, working

if TYPE_CHECKING:
    from playground.load.order import Order
    from playground.load.outcome import Outcome
    from playground.setups.server import Server

app = typer.Typer()


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


TraceFile = Annotated[Path, typer.Argument(help="A file that `run --save` or `.save()` wrote.")]
Out = Annotated[Path | None, typer.Option(dir_okay=False, metavar="FILE", callback=_writable)]
App = Annotated[
    str | None,
    typer.Option("--app", help="A bundled app (slow if you do not say) or module:attribute."),
]
AskedPath = Annotated[str | None, typer.Option("--path", help="The path to ask for.")]
Work = Annotated[
    str | None, typer.Option("--workload", help="What to do: hello, cpu, waiting …; see `setups`.")
]
In = Annotated[
    str | None, typer.Option("--framework", help="Who does it: flask, fastapi …; see `setups`.")
]
Sizes = Annotated[
    list[str] | None,
    typer.Option("--size", metavar="NAME=NUMBER", help="Of the workload, such as s=0.2 or ms=50."),
]
Workers = Annotated[int, typer.Option("-w", "--workers", help="Processes.")]
Threads = Annotated[int, typer.Option("-t", "--threads", help="Threads per process.")]
Loop = Annotated[
    str | None, typer.Option("--loop", help="The event loop of an ASGI server: asyncio or uvloop.")
]
When = Annotated[
    Arrivals,
    typer.Option(
        help="All together, at a steady pace, at random (Poisson), or closed: each client sends"
        " again when it is answered."
    ),
]
Rate = Annotated[float, typer.Option(help="Requests a second (steady, poisson).")]
Seconds = Annotated[float | None, typer.Option(help="For so long (not together).")]
Clients = Annotated[int, typer.Option(help="Clients of a closed loop.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same random moments.")]
AsJson = Annotated[bool, typer.Option("--json", help="The numbers as JSON, and no picture.")]
Shade = Annotated[Theme, typer.Option(help="The colours of the picture.")]


@app.command()
def setups(
    setup: Annotated[str | None, typer.Argument(help="Show what goes with this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the servers, frameworks and workloads that `run` knows; of one server, what fits it."""
    from playground.setups import fitting

    if setup is None:
        _list_everything(as_json)
    elif as_json:
        _print_json(fitting.as_data(setup))
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
        _print_json(told)
        return
    console = Console()
    served = [[one.name, one.interface, one.shows] for one in SETUPS.values()]
    console.print(_listed(["set-up", "interface", "shows"], served))
    written = [[one.name, ", ".join(one.targets), one.shows] for one in FRAMEWORKS.values()]
    console.print(_listed(["framework", "interface", "shows"], written))
    done = [[one.name, ", ".join(one.sizes), one.shows] for one in WORKLOADS.values()]
    console.print(_listed(["workload", "sizes", "shows"], done))


@app.command()
def run(
    setup: Annotated[str, typer.Argument(help="Such as gunicorn-sync; `setups` lists them.")],
    target: App = None,
    path: AskedPath = None,
    workload: Work = None,
    framework: In = None,
    size: Sizes = None,
    count: Annotated[
        int | None, typer.Option("-n", help="Requests; 8 if they come together.")
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
        typer.Option(metavar="PATH", help="Ask for this path meanwhile, again and again."),
    ] = None,
    every: Annotated[float, typer.Option(help="Seconds from one probe to the next.")] = 0.05,
    as_json: AsJson = False,
    save: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", callback=_writable, help="Keep the trace."),
    ] = None,
) -> None:
    """Start a server, send it requests, and draw what happened."""
    from playground.load.arrivals import plan
    from playground.load.burst import burst
    from playground.load.outcome import outcome
    from playground.load.paced import load
    from playground.load.percentiles import Percentiles

    together = arrivals is Arrivals.TOGETHER
    if probe is not None and not together:
        raise typer.BadParameter("a probe goes with --arrivals together only: leave one out.")
    settled = plan(arrivals.value, count, seconds, rate, clients, seed)
    timing: dict[str, Any] = {
        "arrivals": arrivals.value,
        "n": count,
        "seconds": seconds,
        "rate": rate,
    }
    timing |= {"clients": clients, "seed": seed}
    order = _order(setup, target, path, workload, framework, size)
    with _served(order, setup, workers=workers, threads=threads, loop=loop) as server:
        try:
            with advancing(f"Asking {setup} …", as_json) as told:
                if together:
                    show = not as_json  # it draws, too
                    n = settled.most
                    result = burst(
                        server, n, order.path, probe=probe, every=every, show=show, **order.how
                    )
                else:
                    show = not as_json
                    result = load(
                        server, order.path, **timing, **order.how, show=show, progress=told
                    )
        finally:
            if save and server.last_run:  # of an interrupted run what there is
                server.last_run.save(save)
                print(f"The trace is in {save}: playground show {save}", file=sys.stderr)
    told_of = outcome(result, server.name)
    if as_json:
        _print_json({"title": result.trace.meta["title"], **result.summary()})
    elif not together:
        _say(Percentiles([replace(told_of, notes=())]).to_text())  # they have been told
    _check([told_of], [order])


@app.command()
def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="SETUP…",
            help="From two to four set-ups; gunicorn-gthread:2x8 has 2 workers of 8 threads each.",
        ),
    ],
    target: App = None,
    path: AskedPath = None,
    workload: Work = None,
    framework: In = None,
    size: Sizes = None,
    count: Annotated[int | None, typer.Option("-n", help="Requests in each round.")] = None,
    workers: Workers = 1,
    threads: Threads = 1,
    arrivals: When = Arrivals.POISSON,
    rate: Rate = 20.0,
    seconds: Seconds = None,
    clients: Clients = 8,
    seed: Seed = 1,
    rounds: Annotated[int, typer.Option(help="How often each is asked, in turn.")] = 4,
    as_json: AsJson = False,
    html: Out = None,
    svg: Out = None,
    png: Out = None,
    csv: Out = None,
    theme: Shade = Theme.LIGHT,
) -> None:
    """Put the same load on several servers, in rounds that take turns, and tell the ratios."""
    from playground.load.arrivals import plan
    from playground.load.interleaved import interleaved

    if not 2 <= len(names) <= 4:
        raise typer.BadParameter("name from two to four set-ups, as in `compare waitress uvicorn`.")
    together = arrivals is Arrivals.TOGETHER
    settled = plan(arrivals.value, count, seconds, rate, clients, seed)
    timing: dict[str, Any] = {"n": settled.n, "clients": clients, "seed": seed}
    timing |= {} if together else {"seconds": settled.seconds, "rate": rate}
    sized = [_sized(one, workers, threads) for one in names]
    orders = [_order(name, target, path, workload, framework, size) for name, *_ in sized]
    order = orders[0]
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(_served(one, name, workers=w, threads=t, trace=False))
            for one, (name, w, t) in zip(orders, sized, strict=True)
        ]
        with advancing(f"Asking {len(servers)} servers in turn …", True) as told:
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
        _print_json({"load": settled.words(), **found.summary()})
    else:
        what = workload or order.target
        _say(f"{order.path} ({what}), {settled.words()}, {rounds} rounds\n{found.to_text()}")
    if html:
        found.to_html(html)
    if csv:
        found.to_csv(csv)
    if png:
        found.to_png(png, theme="light" if theme is Theme.AUTO else theme.value)
    if svg:
        svg.write_text(found.to_svg(theme.value), encoding="utf-8")
    _tell_written(html, svg, png, csv)
    _check(found.outcomes, orders)


@app.command()
def show(file: TraceFile) -> None:
    """Draw a saved trace."""
    from playground.trace.trace import Trace
    from playground.views import terminal

    Console().print(terminal.render(Trace.load(file)))


@app.command()
def export(
    file: TraceFile,
    html: Out = None,
    svg: Out = None,
    png: Out = None,
    csv: Out = None,
    perfetto: Out = None,
    theme: Shade = Theme.AUTO,
) -> None:
    """Write a saved trace as a page, a picture, a table, or a file for the Perfetto viewer."""
    from playground.load.files import write_whole
    from playground.load.outcome import outcome, write_csv
    from playground.load.percentiles import to_png
    from playground.load.reopen import reopen

    if not (html or svg or png or csv or perfetto):
        raise typer.BadParameter("name at least one of --html, --svg, --png, --csv and --perfetto.")
    result = reopen(file)
    if html:
        result.to_html(html)
    if svg:
        svg.write_text(result.to_svg(theme=theme.value), encoding="utf-8")
    if png:
        shade = "light" if theme is Theme.AUTO else theme.value
        write_whole(png, to_png(result.to_svg(theme=shade)))
    if csv:
        write_csv(csv, [outcome(result, str(result.trace.meta.get("setup", "run")))])
    if perfetto:
        result.to_perfetto(perfetto)
    _tell_written(html, svg, png, csv, perfetto)


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
def _served(order: Order, setup: str, **sizes: Any) -> Iterator[Server]:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # a module of one's own lies in the current folder
    with working(f"Starting {setup} …"):
        server = order.serve(setup, **sizes)
    with server:
        yield server


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
    names = ("name", "interface", "shows", "min_workers", "max_workers", "max_threads", "loops")
    told = {name: getattr(setup, name) for name in names}
    return {**told, "installed": importlib.util.find_spec(setup.module) is not None}


def _say(text: str) -> None:
    """Print it; in a terminal no word is broken."""
    if sys.stdout.isatty():
        Console(highlight=False).print(Text(text))
    else:
        print(text)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _tell_written(*files: Path | None) -> None:
    for written in filter(None, files):
        print(f"wrote {written}", file=sys.stderr)
