"""The static twin: what stays in a notebook when nothing moves any more."""

import html
from collections.abc import Sequence
from io import StringIO
from typing import Any

from playground.trace.trace import Trace
from playground.views import svg, terminal

WIDTH = 960  # pixels
TEXT_COLUMNS = 100
NO_FRONT_END = (
    "No moving picture above? This front end has not loaded the anywidget extension; the picture"
    " below shows the same run."
)
# A widget output that only says that its model is gone is hidden when a static twin follows it.
ONLY_WORDS = '[data-mime-type="application/vnd.jupyter.widget-view+json"]:not(:has(*))'
HIDE_FAILED = (
    "<style scoped>.jp-OutputArea-child:has(~ .jp-OutputArea-child [data-playground-static])"
    f" > .jp-OutputArea-output{ONLY_WORDS} {{ display: none }}</style>"
)


def bundle(
    traces: Sequence[Trace],
    titles: Sequence[str] | None = None,
    *,
    key: str = "",
    note: str | None = None,
) -> dict[str, Any]:
    """A MIME bundle: an SVG in HTML, and plain text.

    A view of the widget with the same ``key`` hides this output while it lives. ``note`` is one
    sentence above the picture.
    """
    drawing = svg.render_all(traces, titles, width=WIDTH, theme="auto")
    said = f"<p>{html.escape(note)}</p>" if note else ""
    page = f'<div data-playground-static="{html.escape(key)}">{HIDE_FAILED}{said}{drawing}</div>'
    return {"text/html": page, "text/plain": text(traces, titles)}


def text(traces: Sequence[Trace], titles: Sequence[str] | None = None) -> str:
    """The same as characters, without colours."""
    from rich.console import Console

    out = StringIO()
    console = Console(file=out, width=TEXT_COLUMNS, color_system=None, force_jupyter=False)
    for i, trace in enumerate(traces):
        console.print(terminal.render(trace, title=titles[i] if titles else None))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())
