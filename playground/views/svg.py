"""A trace as one static SVG: inline attributes only, so that it survives GitHub and nbviewer.

No ``<style>``, ``<defs>`` or ``<script>``: the textures that tell the states apart are built from
plain lines and dots, cut to each bar.
"""

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from playground.trace.records import Flag
from playground.trace.states import State
from playground.trace.trace import Lane, Trace
from playground.views import lives
from playground.views.look import STATE_WORDS, THEMES, Theme, color_of, percent, seconds, tag
from playground.views.summary import (
    Picture,
    Request,
    lag_samples,
    occupied,
    picture,
    probe_heading,
    troubles,
)

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, 'DejaVu Sans Mono', monospace"
MARGIN = 16
GUTTER = 118
PITCH, BAR = 24, 17
LANE_PITCH, LANE_BAR = 31, 23
COLUMN = 3  # pixels of a density bar that are one average
DASHES = {State.WAITING: ((-45,), 1.5), State.READY: ((-45, 45), 1.1)}  # angles, thickness
MOST_ROWS = 32  # more requests than that become density bars
DENSITY_ROWS = 20
MOST_PROBES, PROBE_ROWS = 24, 6
MOST_LANES = 16
LEAST_LAG_US = 20_000.0  # a loop that was never later than that keeps low ramps
PROCESS_PITCH, PROCESS_BAR = 23, 16
MOST_TROUBLES, TROUBLE_TEXT = 4, 120  # kinds of errors, characters of each
LEAST_TITLE = 260.0  # pixels; where there are less beside the numbers, they stand below the title
FIGURE = 92.0  # pixels for one number with its name
TITLE, TITLE_EM, MONO_EM = 17, 10.2, 7.4  # size of the title; widths of its and a command's letters
NICE = (2, 4, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10_000)
STATE_ORDER = (State.RUNNING, State.SERVED, State.WAITING, State.READY, State.QUEUED)


@dataclass
class Drawing:
    """Shapes so far, and how far down they reach."""

    width: float
    theme: Theme
    parts: list[str] = field(default_factory=list)
    y: float = MARGIN

    def add(self, name: str, **attributes: object) -> None:
        """One empty element; ``stroke_width`` is written ``stroke-width``, floats are rounded."""
        self.parts.append(f"<{name}{_attributes(attributes)}/>")

    def text(
        self, x: float, y: float, words: str, size: float = 12.5, **attributes: object
    ) -> None:
        """One line of text whose base line is ``y``."""
        told = {"x": x, "y": y, "font_size": size, "fill": self.theme.ink, **attributes}
        self.parts.append(f"<text{_attributes(told)}>{escape(words)}</text>")

    def muted(self, x: float, y: float, words: str, size: float = 12, **attributes: object) -> None:
        """A line of text that stands back."""
        weak = {"fill": self.theme.muted}
        if self.theme.muted == "currentColor":
            weak["fill_opacity"] = "0.72"
        self.text(x, y, words, size, **weak, **attributes)


def render(trace: Trace, *, width: int = 960, theme: str = "auto") -> str:
    """One trace as an SVG document.

    ``theme`` is ``light``, ``dark`` or ``auto`` (no background, colours that stand on both). Raises
    ``ValueError`` for another theme or a width below 320.
    """
    return render_all([trace], None, width=width, theme=theme)


def render_all(
    traces: Sequence[Trace], titles: Sequence[str] | None, *, width: int = 960, theme: str = "auto"
) -> str:
    """Traces one below the other on one scale, each from its first intended send."""
    if theme not in THEMES:
        raise ValueError(f"theme is {theme!r}: use 'light', 'dark' or 'auto'.")
    if width < 320:
        raise ValueError(f"width is {width} pixels: 320 is the least that can be read.")
    drawing = Drawing(width, THEMES[theme])
    pictures = [picture(trace) for trace in traces]
    span = max((shown.end_s for shown in pictures), default=0.0) or 1.0
    for i, shown in enumerate(pictures):
        _panel(drawing, shown, titles[i] if titles else None, span)
        drawing.y += 14
    states = {State(int(kind)) for shown in pictures for r in shown.requests for kind in _kinds(r)}
    _legend(drawing, states)
    return _document(drawing, pictures)


def _document(drawing: Drawing, pictures: Sequence[Picture]) -> str:
    height = math.ceil(drawing.y + 6)
    label = "; ".join(f"{_title(shown)}: {_sentence(shown)}" for shown in pictures)
    head = _attributes(
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {drawing.width} {height}",
            "width": drawing.width,
            "height": height,
            "font_family": FONT,
            "role": "img",
            "aria_label": label,
        }
    )
    paper = drawing.theme.paper
    ground = f'<rect width="{drawing.width}" height="{height}" rx="8" fill="{paper}"/>'
    return f"<svg{head}>{ground if paper else ''}{''.join(drawing.parts)}</svg>"


def _kinds(request: Request) -> Iterator[int]:
    yield from np.unique(request.spans["kind"]).tolist()


def _title(shown: Picture) -> str:
    return str(shown.trace.meta.get("title") or "A run")


def _sentence(shown: Picture) -> str:
    numbers = shown.numbers()
    words = f"{numbers['served']:.0f} of {numbers['total']:.0f} served"
    if numbers["failed"]:
        words += f", {numbers['failed']:.0f} failed"
    if not math.isnan(numbers["p95_s"]):
        words += f", median {seconds(numbers['p50_s'])}, p95 {seconds(numbers['p95_s'])}"
    return words


# The parts of a panel


def _panel(drawing: Drawing, shown: Picture, title: str | None, span: float) -> None:
    _head(drawing, shown, title or _title(shown))
    axis = _Axis(MARGIN + GUTTER, drawing.width - MARGIN - 84, span)
    top = drawing.y + 20
    sent = lives.signals(shown)
    rows = list(_rows(shown, top + 18 if sent else top))
    bottom = rows[-1].y + rows[-1].pitch + 4 if rows else top + 20
    axis.draw(drawing, top - 8, bottom)
    for row in rows:
        row.draw(drawing, shown, axis)
    _signals(drawing, sent, axis, (top + 8, bottom))
    drawing.y = bottom + 8
    for words in troubles(shown)[:MOST_TROUBLES]:
        words = words if len(words) <= TROUBLE_TEXT else f"{words[: TROUBLE_TEXT - 1]}…"
        drawing.text(MARGIN, drawing.y + 12, f"✕ {words}", 12.5, fill=drawing.theme.alarm)
        drawing.y += 20


def _head(drawing: Drawing, shown: Picture, title: str) -> None:
    numbers, meta = shown.numbers(), shown.trace.meta
    figures = [("served", f"{numbers['served']:.0f} of {numbers['total']:.0f}")]
    for name in ("errors", "failed"):
        if numbers[name]:
            figures.append((name, f"{numbers[name]:.0f}"))
    for name, key in (("median", "p50_s"), ("p95", "p95_s"), ("longest", "max_s")):
        if not math.isnan(numbers[key]):
            figures.append((name, seconds(numbers[key])))
    if numbers["probes"]:
        worst = numbers["probe_max_s"]
        figures.append(("slowest probe", "–" if math.isnan(worst) else seconds(worst)))
    badges = ["simulated"] if meta.get("simulated") else []
    if numbers["dropped"]:
        badges.append(f"{numbers['dropped']:.0f} records dropped")
    command = " · ".join([*badges, str(meta.get("command") or "")]).strip(" ·")
    top, whole = drawing.y, drawing.width - 2.0 * MARGIN
    beside = whole - FIGURE * len(figures)
    narrow = beside < LEAST_TITLE
    titles = _lines(title, (whole if narrow else beside) / TITLE_EM, 2)
    for line in titles:
        drawing.text(MARGIN, drawing.y + 15, line, TITLE, font_weight="bold")
        drawing.y += 21
    if not narrow:
        below = drawing.y
        _figures(drawing, figures, top, narrow)
        fits = len(titles) == 1 and len(command) * MONO_EM <= beside
        drawing.y = below if fits else max(below, top + 38)
    for line in _lines(command, whole / MONO_EM, 2):
        drawing.muted(MARGIN, drawing.y + 13, line, 12, font_family=MONO)
        drawing.y += 17
    if narrow:
        _figures(drawing, figures, drawing.y + 6, narrow)
        drawing.y += 44
    drawing.y = max(drawing.y + 6, top + 44)


def _figures(drawing: Drawing, figures: list[tuple[str, str]], y: float, narrow: bool) -> None:
    """The numbers with their names: at the right, or over the whole of a narrow picture."""
    if narrow:
        x, anchor, step = float(MARGIN), "start", (drawing.width - 2 * MARGIN) / len(figures)
    else:
        x, anchor, step = drawing.width - MARGIN - FIGURE * (len(figures) - 1), "end", FIGURE
    for i, (name, value) in enumerate(figures):
        at = x + i * step
        color = drawing.theme.alarm if name in ("errors", "failed") else drawing.theme.ink
        drawing.text(at, y + 15, value, 16, font_weight="bold", text_anchor=anchor, fill=color)
        drawing.muted(at, y + 31, name, 11.5, text_anchor=anchor)


def _lines(words: str, columns: float, most: int) -> list[str]:
    """Words in at most so many lines of so many characters; what is left over is told by an …."""
    room = max(int(columns), 8)
    return textwrap.wrap(words, room, max_lines=most, placeholder=" …", break_on_hyphens=False)


@dataclass(frozen=True)
class _Axis:
    left: float
    right: float
    span: float

    def x(self, at: float) -> float:
        return self.left + min(max(at, 0.0), self.span) / self.span * (self.right - self.left)

    def draw(self, drawing: Drawing, top: float, bottom: float) -> None:
        drawing.muted(MARGIN, top, "requests", 12, font_weight="bold")
        for at, words in _ticks(self.span, (self.right - self.left) / 90):
            x = round(self.x(at)) + 0.5
            drawing.add(
                "path",
                d=f"M{x} {top + 5:.0f}V{bottom:.0f}",
                stroke=drawing.theme.faint,
                stroke_width=1,
                stroke_opacity=0.55 if not drawing.theme.paper else 1,
            )
            drawing.muted(x, top, words, 11.5, text_anchor="middle" if at else "start")


def _ticks(span: float, room: float) -> Iterator[tuple[float, str]]:
    raw = span / max(2.0, room)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(s for s in (1, 2, 2.5, 5, 10) if s * size >= raw * 0.999) * size
    unit, factor = ("s", 1.0) if step >= 0.05 else ("ms", 1e3) if step >= 5e-5 else ("µs", 1e6)
    for i in range(int(span / step + 1e-6) + 1):
        yield i * step, f"{i * step * factor:.6g} {unit if i else 's'}"


def _rows(shown: Picture, y: float) -> "Iterator[_Row]":
    for row in _request_rows(shown.guests, y, MOST_ROWS, DENSITY_ROWS):
        yield row
        y += PITCH
    if shown.probes:
        yield _Heading(y + 2, 20, probe_heading(shown))
        y += 22
        for row in _request_rows(shown.probes, y, MOST_PROBES, PROBE_ROWS):
            yield row
            y += PITCH
    if shown.lanes:
        for row in _lane_rows(shown, y):
            yield row
            y = row.y + row.pitch
    if lives.happened(shown):
        yield _Heading(y + 2, 20, "processes: height = share of one core")
        y += 22
        for life in lives.lives(shown):
            yield _ProcessRow(y, PROCESS_PITCH, life)
            y += PROCESS_PITCH


def _lane_rows(shown: Picture, y: float) -> "Iterator[_Row]":
    loop = any(lane.kind == "loop" for lane in shown.lanes)
    yield _Heading(y + 2, 20, "the loop" if loop else "workers")
    y += 22
    for lane in shown.lanes[:MOST_LANES]:
        yield _LaneRow(y, LANE_PITCH, lane)
        y += LANE_PITCH
        if lane.kind == "loop" and len(lag_samples(shown.trace, lane)):
            yield _LagRow(y, PITCH, lane)
            y += PITCH
    if len(shown.lanes) > MOST_LANES:
        yield _Heading(y, 20, f"+ {len(shown.lanes) - MOST_LANES} more")


def _request_rows(requests: list[Request], y: float, most: int, few: int) -> "Iterator[_Row]":
    """A row for each, or ``few`` rows of many where there are more than ``most``."""
    count, size = len(requests), 1
    if count > most:
        size = next((n for n in NICE if count / n <= few), -(-count // few))
    for place, first in enumerate(range(0, count, size)):
        at = y + place * PITCH
        if size == 1:
            yield _RequestRow(at, PITCH, requests[first])
        else:
            yield _DensityRow(at, PITCH, requests[first : first + size], size)


@dataclass(frozen=True)
class _Row:
    y: float
    pitch: float

    def draw(self, drawing: Drawing, shown: Picture, axis: _Axis) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class _Heading(_Row):
    words: str

    def draw(self, drawing: Drawing, shown: Picture, axis: _Axis) -> None:
        drawing.muted(MARGIN, self.y + 14, self.words, 12, font_weight="bold")


@dataclass(frozen=True)
class _RequestRow(_Row):
    request: Request

    def draw(self, drawing: Drawing, shown: Picture, axis: _Axis) -> None:
        request, color = self.request, _color(drawing, shown, self.request)
        middle = self.y + BAR / 2
        drawing.text(
            axis.left - 10,
            middle + 4.5,
            _tag(shown, request),
            13,
            font_weight="bold",
            text_anchor="end",
            fill=color,
        )
        end = min(request.done, shown.end_s)
        if request.by_client:  # the client's own watch
            a, b = axis.x(request.start), axis.x(end)
            caps = f"M{a:.1f} {middle - 4:.1f}v8" + (
                f"M{b:.1f} {middle - 4:.1f}v8" if math.isfinite(request.done) else ""
            )
            known = _extent(request.spans[-1], shown)[1] if len(request.spans) else request.start
            line = f"M{axis.x(min(known, end)):.1f} {middle:.1f}H{b:.1f}{caps}"
            drawing.add("path", d=line, stroke=color, stroke_width=1.2, fill="none")
        bars(drawing, self.y, BAR, _bars(request.spans, shown, axis, color))
        words, alarm = _ending(request, shown)
        x = max([axis.x(end), *(axis.x(_extent(row, shown)[1]) for row in request.spans[-1:])])
        if alarm:
            drawing.text(x + 6, middle + 4, words, 12, font_weight="bold", fill=drawing.theme.alarm)
        else:
            drawing.muted(x + 6, middle + 4, words, 12)


def _color(drawing: Drawing, shown: Picture, request: Request) -> str:
    theme = drawing.theme
    return color_of(request.number, theme.colors, shown.probe_from, theme.ink)


def _tag(shown: Picture, request: Request) -> str:
    return tag(request.number, shown.probe_from)


def _ending(request: Request, shown: Picture) -> tuple[str, bool]:
    """What stands behind the bar, and whether it is bad news."""
    if not math.isfinite(request.done):
        last = request.spans[-1] if len(request.spans) else None
        if last is not None and int(last["flags"]) & Flag.LOWER_BOUND:
            return f"≥ {seconds(shown.end_s - _extent(last, shown)[0])}", False
        return "open", False
    words = seconds(request.done - request.start)
    if not (request.failed or request.wrong):
        return words, False
    info = shown.trace.requests.get(request.number)
    why = "no answer" if request.failed else str(info.status if info and info.status else "error")
    return f"✕ {words} · {why}", True


@dataclass(frozen=True)
class _LaneRow(_Row):
    lane: Lane

    def draw(self, drawing: Drawing, shown: Picture, axis: _Axis) -> None:
        middle = self.y + LANE_BAR / 2
        name = self.lane.name.replace(", thread ", " · t")
        drawing.text(
            axis.left - 10, middle + 4.5, name, 12.5, font_weight="bold", text_anchor="end"
        )
        found: list[Bar] = []
        labels: list[tuple[float, str]] = []
        for request in shown.requests:
            mine = request.spans[
                (request.spans["lane"] == self.lane.id) & (request.spans["kind"] != State.QUEUED)
            ]
            if self.lane.kind == "loop":
                mine = mine[mine["kind"] == State.RUNNING]
            if len(mine):
                found += _bars(mine, shown, axis, _color(drawing, shown, request))
                labels += self._label(shown, axis, request, mine)
        bars(drawing, self.y, LANE_BAR, found)
        for x, words in labels:
            plate(drawing, x, self.y + LANE_BAR / 2, words)
        right = max((one.x + one.w for one in found), default=axis.left)
        summary = next(w for w in shown.workers if w.lane.id == self.lane.id)
        drawing.muted(right + 6, middle + 4, occupied(shown, summary), 11.5)

    def _label(
        self, shown: Picture, axis: _Axis, request: Request, mine: np.ndarray
    ) -> list[tuple[float, str]]:
        """Where a label stands and what it says, if there is room for one."""
        first, last = _extent(mine[0], shown)[0], _extent(mine[-1], shown)[1]
        info = shown.trace.requests.get(request.number)
        name = words = _tag(shown, request)
        if self.lane.kind != "loop":
            words += " occupied"
            if info is not None and info.cpu_us is not None:
                words += f", {percent(info.cpu_us / 1e6, last - first)} CPU"
        elif len(mine) > 1:
            return []
        a, b = axis.x(first), axis.x(last)
        fits = [choice for choice in (words, name) if len(choice) * 7 + 14 < b - a]
        return [((a + b) / 2, fits[0])] if fits else []


@dataclass(frozen=True)
class _LagRow(_Row):
    """Ramps: what was due at the left end of one came at its right end."""

    lane: Lane

    def draw(self, drawing: Drawing, shown: Picture, axis: _Axis) -> None:
        samples = lag_samples(shown.trace, self.lane)
        longest, floor = float(samples["dur_us"].max()), self.y + BAR
        alarm, end = drawing.theme.alarm, axis.x(shown.end_s)
        style = {"font_weight": "bold", "text_anchor": "end"}
        drawing.text(axis.left - 10, floor - 4, "lag", 12.5, **style)
        drawing.muted(end + 6, floor - 4, f"longest {seconds(longest / 1e6)}", 11.5)
        ramps = []
        for sample in samples:
            came, late = (float(sample["t_us"]) - shown.zero_us) / 1e6, float(sample["dur_us"])
            high = late / max(longest, LEAST_LAG_US) * BAR
            if high >= 0.5:
                top = f"L{_n(axis.x(came))} {_n(floor - high)}"
                ramps.append(f"M{_n(axis.x(came - late / 1e6))} {_n(floor)}{top}V{_n(floor)}z")
        line = f"M{_n(axis.left)} {_n(floor)}H{_n(end)}"
        drawing.add("path", d=line, stroke=drawing.theme.faint, stroke_width=1)
        if ramps:
            paint = {"fill": alarm, "fill_opacity": 0.4, "stroke": alarm, "stroke_width": 1}
            drawing.add("path", d="".join(ramps), **paint)


@dataclass(frozen=True)
class _ProcessRow(_Row):
    """From its beginning, a thick edge if that was in the run, to its end; with processor time."""

    life: lives.Life

    def draw(self, drawing: Drawing, shown: Picture, axis: _Axis) -> None:
        life, theme = self.life, drawing.theme
        color = theme.alarm if life.why else theme.ink
        middle, floor = self.y + PROCESS_BAR / 2, self.y + PROCESS_BAR
        style = {"font_weight": "bold", "text_anchor": "end"}
        drawing.text(axis.left - 10, middle + 4.5, life.name, 11.5, **style)
        a, b = axis.x(life.began_s), axis.x(min(life.ended_s, shown.end_s))
        box = {"x": a, "y": self.y, "width": max(b - a, 1), "height": PROCESS_BAR, "rx": 2}
        drawing.add("rect", **box, fill="none", stroke=theme.faint, stroke_width=1)
        drawing.add("path", d=self._share(shown, axis, (a, b)), fill=theme.many, fill_opacity=0.6)
        if life.began_s > 0:
            edge = f"M{_n(a)} {_n(self.y - 2)}V{_n(floor + 2)}"
            drawing.add("path", d=edge, stroke=theme.ink, stroke_width=2.4)
        words = lives.says(shown, life)
        if math.isfinite(life.ended_s):
            cross = "".join(f"M{_n(b - 5)} {_n(middle + d)}l10 {-2 * d}" for d in (-5, 5))
            drawing.add("path", d=cross, stroke=color, stroke_width=2.4)
            drawing.text(b + 9, middle + 4, words, 12, font_weight="bold", fill=color)
        else:
            plate(drawing, b - len(words) * 3.3 - 9, middle, words)

    def _share(self, shown: Picture, axis: _Axis, ends: tuple[float, float]) -> str:
        """A step curve: each sample tells of the time before it."""
        at, values = lives.samples(shown, self.life.pid, "CPU %")
        (a, b), floor = ends, self.y + PROCESS_BAR
        line = f"M{_n(a)} {_n(floor)}"
        for moment, value in zip(at.tolist(), values.tolist(), strict=True):
            x = min(max(axis.x(moment - lives.SAMPLE_S), a), b)
            line += f"H{_n(x)}V{_n(floor - min(value / 100, 1.0) * PROCESS_BAR)}"
        return f"{line}H{_n(b)}V{_n(floor)}z"


def _signals(
    drawing: Drawing, sent: list[lives.Mark], axis: _Axis, ends: tuple[float, float]
) -> None:
    """A line through everything at each signal, with its name above where there is room."""
    top, bottom = ends
    edge = -math.inf
    for mark in sent:
        x = round(axis.x(mark.at_s)) + 0.5
        color = drawing.theme.alarm if mark.kills else drawing.theme.ink
        drawing.add("path", d=f"M{x} {_n(top + 4)}V{_n(bottom)}", stroke=color, stroke_width=1.6)
        if x >= edge:
            drawing.text(x, top, mark.name, 12, font_weight="bold", fill=color)
            edge = x + len(mark.name) * 7.5 + 6


@dataclass(frozen=True)
class _DensityRow(_Row):
    requests: list[Request]
    size: int

    def draw(self, drawing: Drawing, shown: Picture, axis: _Axis) -> None:
        columns = int(axis.right - axis.left) // COLUMN
        name = f"{_tag(shown, self.requests[0])} – {_tag(shown, self.requests[-1])}"
        drawing.muted(axis.left - 10, self.y + 13, name, 12, font_weight="bold", text_anchor="end")
        floor, base = self.y + BAR + 3, np.zeros(columns)
        shares = _shares(self.requests, shown, columns)
        for state in STATE_ORDER:
            heights = shares[state] / self.size * (BAR + 3)
            if heights.max(initial=0.0) <= 0:
                continue
            for a, b in _runs(heights > 0.05):
                area(drawing, axis.left, floor, (a, b), (base, base + heights), state)
            base = base + heights


def _shares(requests: list[Request], shown: Picture, columns: int) -> dict[State, np.ndarray]:
    """How many requests are in each state, on average over each column of a few pixels."""
    edges = np.linspace(0.0, shown.end_s, columns + 1)
    result = {state: np.zeros(columns) for state in State}
    for request in requests:
        for row in request.spans:
            start, stop = _extent(row, shown)
            cover = np.clip(np.minimum(edges[1:], stop) - np.maximum(edges[:-1], start), 0, None)
            result[State(int(row["kind"]))] += cover / (edges[1] - edges[0])
    return result


def _runs(mask: np.ndarray) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype("i1"), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _extent(row: np.void, shown: Picture) -> tuple[float, float]:
    start = (float(row["t_us"]) - shown.zero_us) / 1e6
    length = float(row["dur_us"])
    return start, shown.end_s if math.isnan(length) else start + length / 1e6


# Bars and textures


@dataclass(frozen=True)
class Bar:
    """One span on its row."""

    x: float
    w: float
    state: State
    color: str


def _bars(rows: np.ndarray, shown: Picture, axis: _Axis, color: str) -> list[Bar]:
    """The bars of some spans; what is thinner than half a pixel beside the last one is left out."""
    found: list[Bar] = []
    for row in rows:
        start, stop = _extent(row, shown)
        a, b = axis.x(start), axis.x(stop)
        if found and b < found[-1].x + found[-1].w + 0.5:
            continue
        found.append(Bar(a, max(b - a, 0.8), State(int(row["kind"])), color))
    return found


def bars(drawing: Drawing, y: float, h: float, found: list[Bar]) -> None:
    """Bars of one row. Texture tells the state: solid, stripes, dots, cross-hatch, a plain tint."""
    groups: dict[tuple[State, str], list[Bar]] = {}
    for one in found:
        groups.setdefault((one.state, one.color), []).append(one)
    for (state, color), members in groups.items():
        drawing.add(
            "path",
            d="".join(f"M{_n(b.x)} {_n(y)}h{_n(b.w)}v{_n(h)}h-{_n(b.w)}z" for b in members),
            fill=color,
            fill_opacity=_strength(state),
            **({} if state == State.RUNNING else {"stroke": color, "stroke_width": 0.8}),
        )
        lines = [(b.x + 1, b.x + b.w - 1) for b in members if b.w > 6]
        texture(drawing, state, color, y + 1, h - 2, lines)


def texture(
    drawing: Drawing,
    state: State,
    color: str,
    top: float,
    height: float,
    extents: Sequence[tuple[float, float]],
) -> None:
    """The marks of a state between two heights: rows of dots, or stripes, cut at each extent.

    Both are dashed lines: round caps make dots of dashes without length, and a skewed thick line
    has slanted dashes.
    """
    if state == State.QUEUED:
        rows = max(1, round(height / 5.5))
        line = "".join(
            f"M{_n(a + 2)} {_n(top + height * (i + 0.5) / rows)}H{_n(b - 1)}"
            for i in range(rows)
            for a, b in extents
            if b - a > 3
        )
        if line:
            drawing.add(
                "path",
                d=line,
                stroke=color,
                stroke_width=2.2,
                stroke_linecap="round",
                stroke_dasharray="0 6",
            )
    for angle in DASHES.get(state, ((), 0))[0]:
        middle, lean = top + height / 2, -math.copysign(1, angle)
        inset = height / 2
        line = "".join(
            f"M{_n(a + inset + lean * middle)} {_n(middle)}H{_n(b - inset + lean * middle)}"
            for a, b in extents
            if b - a > height
        )
        if line:
            thick = DASHES[state][1] * math.sqrt(2)
            drawing.add(
                "path",
                d=line,
                stroke=color,
                stroke_width=height,
                stroke_dasharray=f"{thick:.1f} {8 - thick:.1f}",
                transform=f"skewX({angle})",
            )


def _strength(state: State) -> float:
    return {State.RUNNING: 1.0, State.SERVED: 0.45, State.QUEUED: 0.12}.get(state, 0.22)


def area(
    drawing: Drawing,
    left: float,
    floor: float,
    columns: tuple[int, int],
    edges: tuple[np.ndarray, np.ndarray],
    state: State,
) -> None:
    """A part of a density bar: between two step curves, with the state's texture."""
    first, last = columns
    low, high = edges[0][first:last], edges[1][first:last]
    color = drawing.theme.many
    xs = left + COLUMN * np.arange(first, last + 1)
    upper = _steps(xs, floor - high)
    lower = _steps(xs[::-1], (floor - low)[::-1])
    drawing.add("path", d=f"M{upper[1:]}{lower}Z", fill=color, fill_opacity=_strength(state))
    band = 5.0
    for level in np.arange(0.0, high.max(initial=0.0) - band / 2, band):
        full = (low <= level + 0.5) & (high >= level + band - 0.5)
        extents = [(float(xs[a]), float(xs[b])) for a, b in _runs(full)]
        texture(drawing, state, color, floor - level - band, band, extents)


def _steps(xs: np.ndarray, ys: np.ndarray) -> str:
    """A step curve as ``L x y`` commands; columns of equal height are joined."""
    parts = []
    for i, y in enumerate(ys):
        if i == 0 or y != ys[i - 1]:
            parts.append(f"L{_n(xs[i])} {_n(y)}")
        if i == len(ys) - 1 or y != ys[i + 1]:
            parts.append(f"L{_n(xs[i + 1])} {_n(y)}")
    return "".join(parts)


def _n(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def plate(drawing: Drawing, x: float, y: float, words: str) -> None:
    """Words on a bar, on a light or dark plate so that the texture does not cross them."""
    paper = drawing.theme.paper or "#ffffff"
    ink = drawing.theme.ink if drawing.theme.paper else "#1d1d24"
    w = len(words) * 6.6 + 10
    drawing.add(
        "rect",
        x=x - w / 2,
        y=y - 8,
        width=w,
        height=16,
        rx=3,
        fill=paper,
        fill_opacity=0.86,
    )
    drawing.text(x, y + 4, words, 11.5, text_anchor="middle", fill=ink)


def _legend(drawing: Drawing, states: set[State]) -> None:
    x, y, color = float(MARGIN), drawing.y, drawing.theme.colors[0]
    for state in State:
        if state not in states:
            continue
        words = STATE_WORDS[state]
        if x + 34 + len(words) * 6.6 > drawing.width - MARGIN:
            x, y = float(MARGIN), y + 20
        bars(drawing, y, 13, [Bar(x, 24, state, color)])
        drawing.muted(x + 30, y + 11, words, 12)
        x += 48 + len(words) * 6.6
    drawing.y = y + 20


def _attributes(told: dict[str, object]) -> str:
    return "".join(f' {name.replace("_", "-")}="{_value(value)}"' for name, value in told.items())


def _value(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{float(value):.1f}".removesuffix(".0") if value >= 1 else f"{float(value):.2g}"
    return escape(str(value), quote=True)
