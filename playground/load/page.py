"""Curves and tables as one page that needs nothing else."""

import html
import os
from pathlib import Path

from playground.load.files import write_whole
from playground.views.document import document


def write_page(path: str | os.PathLike[str], title: str, body: str) -> Path:
    """Write the page; ``body`` is HTML. Raises ``ServeError`` when that cannot be done."""
    heading = f'<h1 style="font-size:1.3em">{html.escape(title)}</h1>'
    style = "body { overflow-wrap: anywhere; }"
    page = document(title, f"{heading}\n{body}", width=960, style=style)
    return write_whole(path, page.encode())
