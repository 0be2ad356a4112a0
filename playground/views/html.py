"""One self-contained HTML file: the same module, the same bytes, interactive without a network."""

import base64
import html
import math
from collections.abc import Sequence

from playground.trace.trace import Trace
from playground.views import frontend, svg, wire
from playground.views.document import document
from playground.views.look import percent, seconds
from playground.views.summary import Picture, picture

STYLE = """table { border-collapse: collapse; margin: 16px 0; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 3px 14px 3px 0; border-bottom: 1px solid #8a909c66; }
.tables { overflow-x: auto; }
th:first-child, td:first-child { text-align: left; }
"""

BODY = """<div id="view"></div>
<div id="still">{drawing}</div>
<div class="tables">{tables}</div>
<script type="application/octet-stream;base64" id="trace">{data}</script>
<script type="module">
{module}
const text = document.getElementById("trace").textContent;
const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const model = {{
  get: (name) => (name === "final" ? new DataView(bytes.buffer) : ""),
  on() {{}}, off() {{}}, send() {{}},
}};
document.getElementById("still").hidden = true;
render({{ model, el: document.getElementById("view") }});
</script>"""


def page(trace: Trace, title: str | None = None) -> str:
    """One trace as a document that needs nothing else; without JavaScript it shows the SVG."""
    return page_all([trace], None if title is None else [title])


def page_all(traces: Sequence[Trace], titles: Sequence[str] | None = None) -> str:
    """Traces on one clock as one document."""
    names = list(titles) if titles is not None else [_title(trace) for trace in traces]
    parts = [wire.whole(trace, name) for trace, name in zip(traces, names, strict=True)]
    data = wire.pack(parts)
    body = BODY.format(
        drawing=svg.render_all(traces, names, theme="auto"),
        tables="".join(map(_table, map(picture, traces), names)),
        data=base64.b64encode(data).decode(),
        module=frontend.module(),
    )
    return document(" · ".join(names), body, width=1240, style=STYLE + frontend.style())


def _title(trace: Trace) -> str:
    return str(trace.meta.get("title") or "A run")


def _table(shown: Picture, name: str) -> str:
    numbers = shown.numbers()
    cells = {
        "served": f"{numbers['served']:.0f} of {numbers['total']:.0f}",
        "errors": f"{numbers['errors']:.0f}",
        "failed": f"{numbers['failed']:.0f}",
        "median": _time(numbers["p50_s"]),
        "p95": _time(numbers["p95_s"]),
        "longest": _time(numbers["max_s"]),
        "records dropped": f"{numbers['dropped']:.0f}",
    }
    if numbers["probes"]:
        cells["slowest probe"] = _time(numbers["probe_max_s"])
    head = _row("th", ["run", *cells])
    table = f"<table>{head}{_row('td', [name, *cells.values()])}</table>"
    rows = [
        _row(
            "td",
            [
                worker.lane.name,
                str(worker.lane.pid),
                str(worker.requests),
                percent(worker.occupied_s, shown.end_s),
                "not measured"
                if worker.cpu_s is None
                else percent(worker.cpu_s, worker.occupied_s),
            ],
        )
        for worker in shown.workers
    ]
    if rows:
        head = _row("th", ["worker", "pid", "requests", "occupied", "CPU while occupied"])
        table += f"<table>{head}{''.join(rows)}</table>"
    return table


def _row(cell: str, values: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{cell}>{html.escape(value)}</{cell}>" for value in values) + "</tr>"


def _time(value: float) -> str:
    return "–" if math.isnan(value) else seconds(value)
