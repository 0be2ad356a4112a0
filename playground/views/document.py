"""The frame of every page that is written to a file: it needs nothing else, and follows the
reader's light or dark theme.
"""

import html

FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: {width}px; padding: 12px;
  color: #1d1d24; background: #fff; }}
svg {{ max-width: 100%; height: auto; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #ececf1; background: #15161a; }} }}
{style}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def document(title: str, body: str, *, width: int, style: str = "") -> str:
    """A whole page: ``title`` is text, ``body`` is HTML, ``style`` is CSS, ``width`` in pixels."""
    return FRAME.format(title=html.escape(title), body=body, width=width, style=style)
