"""The static twin: what stays in a notebook when nothing moves any more."""

import base64
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
# In JupyterLab a widget whose model is gone leaves an output of words only. It is hidden where a
# static picture follows; of two static pictures with the same key the later one is shown.
ONLY_WORDS = ".lm-Panel:not(:has(*))"
GONE = (
    ".jp-OutputArea-child:has(~ .jp-OutputArea-child [data-playground-static])"
    f" > .jp-OutputArea-output{ONLY_WORDS}"
)
TWICE = (
    '.jp-OutputArea-child:has([data-playground-static="KEY"])'
    ':has(~ .jp-OutputArea-child [data-playground-static="KEY"])'
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
    words = text(traces, titles)
    hidden = f"{GONE}, {TWICE.replace('KEY', key)}" if key else GONE
    rules = f"<style scoped>{hidden} {{ display: none }}</style>"
    said = f"<p>{html.escape(note)}</p>" if note else ""
    # A front end that does not trust a notebook drops the tags of the SVG and of noscript: the
    # words of the one then have no size, and the image in the other is shown.
    still = svg.render_all(traces, titles, width=WIDTH, theme="light")
    image = base64.b64encode(still.encode()).decode()
    page = (
        f'<div data-playground-static="{html.escape(key)}">{rules}{said}'
        f'<div style="font-size: 0px">{drawing}</div>'
        f'<noscript><img alt="" src="data:image/svg+xml;base64,{image}"></noscript>'
        f"<details><summary>The same as text</summary><pre>{html.escape(words)}</pre></details>"
        "</div>"
    )
    return {"text/html": page, "text/plain": words}


def text(traces: Sequence[Trace], titles: Sequence[str] | None = None) -> str:
    """The same as characters, without colours."""
    from rich.console import Console

    out = StringIO()
    console = Console(file=out, width=TEXT_COLUMNS, color_system=None, force_jupyter=False)
    for i, trace in enumerate(traces):
        console.print(terminal.render(trace, title=titles[i] if titles else None))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())
