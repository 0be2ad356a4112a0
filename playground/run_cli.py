"""Runs in a terminal: setups, run, show, export."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from playground.waiting import working

app = typer.Typer()


def _writable(file: Path | None) -> Path | None:
    """Refuse an output file for which there is no folder, before anything is done."""
    if file and not (file.parent.is_dir() and os.access(file.parent, os.W_OK)):
        raise typer.BadParameter(f"cannot write into the folder {file.parent}: choose another.")
    return file


TraceFile = Annotated[Path, typer.Argument(help="A file that `run --save` or `.save()` wrote.")]
Out = Annotated[Path | None, typer.Option(dir_okay=False, metavar="FILE", callback=_writable)]


class Theme(StrEnum):
    """The colours of an SVG; auto follows the reader's system."""

    LIGHT = "light"
    DARK = "dark"
    AUTO = "auto"


@app.command()
def setups() -> None:
    """List the servers that `run` knows, and what each shows."""
    from playground.setups.catalogue import SETUPS

    table = Table(box=None, pad_edge=False)
    for heading in ("set-up", "interface", "shows"):
        table.add_column(heading)
    for setup in SETUPS.values():
        table.add_row(setup.name, setup.interface, escape(setup.shows))
    Console().print(table)


@app.command()
def run(
    setup: Annotated[str, typer.Argument(help="Such as gunicorn-sync; `setups` lists them.")],
    target: Annotated[
        str, typer.Option("--app", help="A bundled app (hello, slow, cpu …) or module:attribute.")
    ] = "slow",
    path: Annotated[str, typer.Option(help="The path to ask for.")] = "/",
    count: Annotated[int, typer.Option("-n", help="Requests, all at once.")] = 8,
    workers: Annotated[int, typer.Option("-w", "--workers", help="Processes.")] = 1,
    threads: Annotated[int, typer.Option("-t", "--threads", help="Threads per process.")] = 1,
    loop: Annotated[
        str | None, typer.Option(help="The event loop of an ASGI server: asyncio or uvloop.")
    ] = None,
    probe: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Ask for this path meanwhile, again and again."),
    ] = None,
    every: Annotated[float, typer.Option(help="Seconds from one probe to the next.")] = 0.05,
    save: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", callback=_writable, help="Keep the trace."),
    ] = None,
) -> None:
    """Start a server, send it requests all at once, and draw what happened."""
    from playground.load.burst import burst
    from playground.setups.server import serve

    sys.path.insert(0, os.getcwd())  # a module of one's own lies in the current folder
    with working(f"Starting {setup} …"):
        server = serve(setup, target, workers=workers, threads=threads, loop=loop)
    with server:
        result = burst(server, count, path, probe=probe, every=every)  # it draws, too
    if save:
        result.save(save)
        print(f"The trace is in {save}: playground show {save}")


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
    perfetto: Out = None,
    theme: Annotated[Theme, typer.Option(help="The colours of the SVG.")] = Theme.AUTO,
) -> None:
    """Write a saved trace as a page, a picture, or a file for the Perfetto viewer."""
    from playground.load.run import Run
    from playground.trace.trace import Trace

    if not (html or svg or perfetto):
        raise typer.BadParameter("name at least one of --html, --svg and --perfetto.")
    result = Run(Trace.load(file))
    if html:
        result.to_html(html)
    if svg:
        svg.write_text(result.to_svg(theme=theme.value), encoding="utf-8")
    if perfetto:
        result.to_perfetto(perfetto)
    for written in filter(None, (html, svg, perfetto)):
        print(f"wrote {written}")
