"""Curves and tables as one page that needs nothing else."""

import html
import os
from pathlib import Path

from playground.load.files import write_whole

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 960px; padding: 12px;
  color: #1d1d24; background: #fff; overflow-wrap: anywhere; }}
svg {{ max-width: 100%; height: auto; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #ececf1; background: #15161a; }} }}
</style>
</head>
<body>
<h1 style="font-size:1.3em">{title}</h1>
{body}
</body>
</html>
"""


def write_page(path: str | os.PathLike[str], title: str, body: str) -> Path:
    """Write the page; ``body`` is HTML. Raises ``ServeError`` when that cannot be done."""
    return write_whole(path, PAGE.format(title=html.escape(title), body=body).encode())
