"""Rows with headings as a table, for terminals and notebooks."""

import html
from collections.abc import Sequence

from playground.load.table import TABLE

CELL = "padding:.1em 0 .1em 1.4em;background:none;border:none;text-align:right;white-space:nowrap"
FIRST = CELL.replace("0 .1em 1.4em", "0 .1em 0").replace("right", "left")
NUMBERS = ";font-variant-numeric:tabular-nums"

Rows = Sequence[Sequence[str]]


def grid_text(head: Sequence[str], rows: Rows) -> str:
    """Columns below their headings: the first to the left, the others to the right."""
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    )


def grid_html(head: Sequence[str], rows: Rows) -> str:
    """The same as an HTML table, in the colours of the page."""
    weak = ";font-weight:normal;opacity:.75"
    heading = "".join(
        f'<th scope="col" style="{CELL if place else FIRST}{weak}">{html.escape(name)}</th>'
        for place, name in enumerate(head)
    )
    lines = "".join(
        f'<tr style="background:none"><th scope="row" style="{FIRST}">{html.escape(row[0])}</th>'
        + "".join(f'<td style="{CELL}">{html.escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    top = f'<tr style="background:none">{heading}</tr>'
    return f'<table style="{TABLE}{NUMBERS}">{top}{lines}</table>'
