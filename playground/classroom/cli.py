"""The classroom in a terminal: classroom for the instructor; join, leave, share for learners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    ] = 8770,
    store: Annotated[
        Path | None,
        typer.Option(file_okay=False, metavar="FOLDER", help="Where it is kept, if elsewhere."),
    ] = None,
    new_link: Annotated[
        bool, typer.Option("--new-link", help="A new link for the instructor; the old one is void.")
    ] = False,
) -> None:
    """Show a board for the projector: who is where, what passes, what fails."""
    from playground.classroom import board

    board.run(host, port, store, new_link=new_link)
