"""A trace in the terminal: lanes of characters. A state has a colour and a character of its own."""

import math
from collections.abc import Iterator
from itertools import groupby

import numpy as np
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from playground.trace.records import Kind
from playground.trace.states import State
from playground.trace.trace import Trace
from playground.views import lives
from playground.views.look import PALETTE, STATE_WORDS, color_of, percent, seconds, tag
from playground.views.summary import (
    Picture,
    Request,
    lag_samples,
    occupied,
    picture,
    probe_heading,
    troubles,
)

GLYPHS = {
    State.QUEUED: "·",
    State.RUNNING: "█",
    State.WAITING: "╱",
    State.READY: "╳",
    State.SERVED: "▒",
}
ASCII = {
    State.QUEUED: ".",
    State.RUNNING: "#",
    State.WAITING: "/",
    State.READY: "x",
    State.SERVED: "=",
}
MOST_ROWS = 24
MOST_PROBES = 10
MOST_TROUBLES = 4  # kinds of errors
MOST_MARKS = 12  # of what happened to processes
GUTTER = 18  # columns
ENDING = 18
WIDE = 90  # columns from which the summary stands in one row


def render(trace: Trace, *, now_us: float | None = None, title: str | None = None) -> "Lanes":
    """A rich renderable of a trace, as it stood at ``now_us`` or as a whole."""
    return Lanes(picture(trace, now_us), title)


def moving(trace: Trace, now_us: float, expected: int) -> Group:
    """The same while it happens, above a bar: how many of the expected requests are over."""
    lanes = render(trace, now_us=now_us)
    if not expected:
        return Group(lanes)
    records = trace.records
    over = (records["kind"] == Kind.CLIENT) & ~np.isnan(records["dur_us"])
    done = int((over & (records["request"] <= expected)).sum())
    line = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=expected, completed=done, width=40)
    line.add_row(bar, f"{done} of {expected} requests are over")
    return Group(lanes, line)


class Lanes:
    """Adapts to the console's width, and to consoles without colour or without block characters."""

    def __init__(self, shown: Picture, title: str | None = None) -> None:
        self._shown = shown
        self._title = title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = self._shown
        glyphs = ASCII if options.ascii_only else GLYPHS
        columns = max(10, options.max_width - GUTTER - ENDING)
        yield self._head()
        yield self._axis(columns)
        yield from self._rows(shown.guests, MOST_ROWS, "requests", columns, glyphs)
        if shown.probes:
            yield Text(f"{'':>{GUTTER}}{probe_heading(shown)}", style="dim")
            yield from self._rows(shown.probes, MOST_PROBES, "probes", columns, glyphs)
        for lane in shown.lanes[:MOST_ROWS]:
            yield self._lane(lane.id, columns, glyphs)
        yield from self._processes(columns, options.ascii_only)
        yield _legend(shown, glyphs)
        yield self._table(options.max_width >= WIDE)
        found = troubles(shown)
        for words in found[:MOST_TROUBLES]:
            yield Text(f"✕ {words}" if not options.ascii_only else f"x {words}", style="red")
        if len(found) > MOST_TROUBLES:
            yield Text(f"  and {len(found) - MOST_TROUBLES} more kinds of errors", style="red")

    def _rows(
        self,
        requests: list[Request],
        most: int,
        what: str,
        columns: int,
        glyphs: dict[State, str],
    ) -> Iterator[Text]:
        for request in requests[:most]:
            yield self._request(request, columns, glyphs)
        if len(requests) > most:
            hidden = f"+ {len(requests) - most} more {what}"
            yield Text(f"{'':>{GUTTER - 1}} {hidden}", style="dim")

    def _style(self, number: int) -> str:
        """Of a request's characters; probes have the colour of the text."""
        return color_of(number, PALETTE["light"], self._shown.probe_from, "default")

    def _head(self) -> Text:
        meta = self._shown.trace.meta
        text = Text().append(str(self._title or meta.get("title") or "A run"), style="bold")
        if meta.get("simulated"):
            text.append("  [simulated]", style="bold magenta")
        if meta.get("dropped"):
            text.append(f"  [{meta['dropped']} records dropped]", style="bold yellow")
        if meta.get("command"):
            text.append(f"\n{meta['command']}", style="dim")
        return text

    def _axis(self, columns: int) -> Text:
        end = seconds(self._shown.end_s)
        line = "0 s" + end.rjust(max(0, columns - 3))
        return Text(f"{'':>{GUTTER}}{line}", style="dim")

    def _request(self, request: Request, columns: int, glyphs: dict[State, str]) -> Text:
        text = Text(no_wrap=True)
        who = tag(request.number, self._shown.probe_from)
        text.append(f"{who:>{GUTTER - 1}} ", style="bold")
        cells = _cells(request.spans, self._shown, columns, glyphs)
        text.append(cells, style=self._style(request.number))
        text.append(
            f" {self._ending(request)}", style="bold red" if request.failed or request.wrong else ""
        )
        return text

    def _ending(self, request: Request) -> str:
        if not math.isfinite(request.done):
            return "open"
        words = seconds(request.done - request.start)
        info = self._shown.trace.requests.get(request.number)
        if request.failed:
            return f"{words} no answer"
        if request.wrong:
            return f"{words} error {info.status if info and info.status else ''}".rstrip()
        return words

    def _lane(self, lane_id: int, columns: int, glyphs: dict[State, str]) -> Text:
        shown = self._shown
        summary = next(worker for worker in shown.workers if worker.lane.id == lane_id)
        name = summary.lane.name.replace(", thread ", "·t")
        text = Text(no_wrap=True).append(f"{name[: GUTTER - 1]:>{GUTTER - 1}} ", style="bold")
        line, owner = [" "] * columns, [0] * columns
        for request in shown.requests:
            mine = request.spans[
                (request.spans["lane"] == lane_id) & (request.spans["kind"] != State.QUEUED)
            ]
            if summary.lane.kind == "loop":
                mine = mine[mine["kind"] == State.RUNNING]  # what waits is not on the loop
            for i, glyph in enumerate(_cells(mine, shown, columns, glyphs)):
                if glyph != " ":
                    line[i], owner[i] = glyph, request.number
        for number, cells in groupby(zip(owner, line, strict=True), key=lambda cell: cell[0]):
            style = self._style(number) if number else ""
            text.append("".join(glyph for _, glyph in cells), style=style)
        text.append(f" {occupied(shown, summary)}", style="dim")
        return text

    def _processes(self, columns: int, ascii_only: bool) -> Iterator[Text]:
        """The processes, where something happened to them, and what it was in words."""
        shown = self._shown
        if not lives.happened(shown):
            return
        line, cross = ("-", "x") if ascii_only else ("─", "✕")
        scale = columns / (shown.end_s or 1.0)
        for life in lives.lives(shown):
            first, last = (int(max(0.0, at) * scale) for at in (life.began_s, self._last(life)))
            cells = f"{'':{first}}{line * max(1, last - first)}"[:columns]
            if math.isfinite(life.ended_s):
                cells = cells[:-1] + cross
            told = lives.says(shown, life)
            name = life.name.replace("worker ", "w")
            text = Text(no_wrap=True).append(f"{name[: GUTTER - 1]:>{GUTTER - 1}} ", style="bold")
            text.append(f"{cells:<{columns}}", style="red" if life.why else "")
            yield text.append(f" {told}", style="dim")
        for words in lives.sentences(shown)[:MOST_MARKS]:
            yield Text(f"{'':>{GUTTER}}{words}")

    def _last(self, life: lives.Life) -> float:
        return min(life.ended_s, self._shown.end_s)

    def _table(self, wide: bool) -> Table:
        numbers = self._shown.numbers()
        table = Table(box=None, pad_edge=False, show_header=wide, header_style="dim")
        cells = [("served", f"{numbers['served']:.0f} of {numbers['total']:.0f}")]
        cells += [(name, f"{numbers[name]:.0f}") for name in ("errors", "failed")]
        for name, key in (("median", "p50_s"), ("p95", "p95_s"), ("longest", "max_s")):
            value = numbers[key]
            cells.append((name, "–" if math.isnan(value) else seconds(value)))
        if numbers["probes"]:
            worst = numbers["probe_max_s"]
            cells.append(("slowest probe", "–" if math.isnan(worst) else seconds(worst)))
        gauges = [lag_samples(self._shown.trace, lane)["dur_us"] for lane in self._shown.lanes]
        if late := [float(gauge.max()) / 1e6 for gauge in gauges if len(gauge)]:
            cells.append(("longest lag", seconds(max(late))))
        cells.append(("CPU per worker", _cpu(self._shown)))
        cells.append(("dropped", f"{numbers['dropped']:.0f}"))
        if wide:
            for name, _ in cells:
                table.add_column(name)
            table.add_row(*(value for _, value in cells), style="bold")
        else:
            for name, told in cells:
                table.add_row(Text(name, style="dim"), Text(told, style="bold"))
        return table


def _cpu(shown: Picture) -> str:
    """Processor time as a share of the time in which each worker was occupied."""
    shares = [
        "?" if worker.cpu_s is None else percent(worker.cpu_s, worker.occupied_s)
        for worker in shown.workers[:4]
    ]
    more = " …" if len(shown.workers) > 4 else ""
    return ", ".join(shares) + more if any(share != "?" for share in shares) else "not measured"


def _cells(spans: np.ndarray, shown: Picture, columns: int, glyphs: dict[State, str]) -> str:
    """One character a column: the state that lasted longest in it; a blank where there is none."""
    cover = np.zeros((len(State) + 1, columns))
    edges = np.linspace(0.0, shown.end_s or 1.0, columns + 1)
    for row in spans:
        start = (float(row["t_us"]) - shown.zero_us) / 1e6
        length = float(row["dur_us"])
        stop = shown.end_s if math.isnan(length) else start + length / 1e6
        part = np.minimum(edges[1:], stop) - np.maximum(edges[:-1], start)
        cover[int(row["kind"])] += np.clip(part, 0, None)
    longest = cover.argmax(axis=0)
    present = cover.max(axis=0) > 0
    return "".join(
        glyphs[State(int(state))] if there else " "
        for state, there in zip(longest, present, strict=True)
    )


def _legend(shown: Picture, glyphs: dict[State, str]) -> Text:
    used = {int(kind) for request in shown.requests for kind in request.spans["kind"]}
    text = Text(f"{'':>{GUTTER}}", style="dim")
    for part in _legend_parts(used, glyphs):
        text.append(part)
    return text


def _legend_parts(used: set[int], glyphs: dict[State, str]) -> Iterator[str]:
    for state in State:
        if state in used:
            yield f"{glyphs[state] * 3} {STATE_WORDS[state]}   "
