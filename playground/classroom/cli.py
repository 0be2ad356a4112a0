"""The classroom in a terminal: classroom for the instructor; join, leave, share for learners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from playground.classroom import PORT

app = typer.Typer()


@app.command()
def classroom(
    host: Annotated[
        str,
        typer.Option(
            help="The address of this machine in the room's network; 0.0.0.0 for all it has."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes any free one.")
    ] = PORT,
    store: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, metavar="FOLDER", help="Where it is kept, instead of the workspace."
        ),
    ] = None,
    new_link: Annotated[
        bool, typer.Option("--new-link", help="A new link for the instructor; the old one is void.")
    ] = False,
) -> None:
    """Show a board for the projector: who is where, what passes, what fails."""
    from playground.classroom import board

    board.run(host, port, store, new_link=new_link)


@app.command()
def join(
    address: Annotated[str, typer.Argument(help="Of the board, as it shows it.")],
    code: Annotated[str, typer.Argument(help="Of the board, as it shows it.")],
    name: Annotated[str, typer.Option(help="What the board calls you.")],
) -> None:
    """Join a board: it is told what your checks come to, and never your code."""
    from playground.classroom import membership

    membership.join(address, code, name=name)


@app.command()
def leave() -> None:
    """Leave the board; nothing more is told."""
    from playground.classroom import membership

    membership.leave()


@app.command()
def share(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="A saved run; otherwise your last one."),
    ] = None,
) -> None:
    """Show the timeline of your last run on the board; `run … --share` shows one as it goes on."""
    from playground.classroom.sharing import share

    share(file)
