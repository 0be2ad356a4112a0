"""A trace as one static SVG: inline attributes only, so that it survives GitHub and nbviewer.

No ``<style>``, ``<defs>`` or ``<script>``: the textures that tell the states apart are built from
plain lines and dots, cut to each bar.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from playground.trace.records import Flag
from playground.trace.states import State
from playground.trace.trace import Lane, Trace
from playground.views.look import STATE_WORDS, THEMES, Theme, color_of, percent, seconds, tag
from playground.views.summary import Picture, Request, picture

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, 'DejaVu Sans Mono', monospace"
MARGIN = 16
GUTTER = 118
PITCH, BAR = 24, 17
LANE_PITCH, LANE_BAR = 31, 23
MOST_ROWS = 32  # more requests than that become density bars
DENSITY_ROWS = 20
MOST_LANES = 16
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
    rows = list(_rows(shown, top))
    bottom = rows[-1].y + rows[-1].pitch + 4 if rows else top + 20
    axis.draw(drawing, top - 8, bottom)
    for row in rows:
        row.draw(drawing, shown, axis)
    drawing.y = bottom + 8


def _head(drawing: Drawing, shown: Picture, title: str) -> None:
    numbers, meta = shown.numbers(), shown.trace.meta
    figures = [("served", f"{numbers['served']:.0f} of {numbers['total']:.0f}")]
    for name in ("errors", "failed"):
        if numbers[name]:
            figures.append((name, f"{numbers[name]:.0f}"))
    for name, key in (("median", "p50_s"), ("p95", "p95_s"), ("longest", "max_s")):
        if not math.isnan(numbers[key]):
            figures.append((name, seconds(numbers[key])))
    narrow = drawing.width < 640
    y = drawing.y
    drawing.text(MARGIN, y + 15, title, 17, font_weight="bold")
    badges = ["simulated"] if meta.get("simulated") else []
    if numbers["dropped"]:
        badges.append(f"{numbers['dropped']:.0f} records dropped")
    command = " · ".join([*badges, str(meta.get("command") or "")]).strip(" ·")
    if command:
        drawing.muted(MARGIN, y + 34, command, 12, font_family=MONO)
    if narrow:
        drawing.y = y + 44
        x, anchor, step = float(MARGIN), "start", (drawing.width - 2 * MARGIN) / len(figures)
    else:
        x, anchor, step = drawing.width - MARGIN - 92.0 * (len(figures) - 1), "end", 92.0
    for i, (name, value) in enumerate(figures):
        at = x + i * step
        color = drawing.theme.alarm if name in ("errors", "failed") else drawing.theme.ink
        drawing.text(
            at, drawing.y + 15, value, 16, font_weight="bold", text_anchor=anchor, fill=color
        )
        drawing.muted(at, drawing.y + 31, name, 11.5, text_anchor=anchor)
    drawing.y += 44


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
    count = len(shown.requests)
    if count <= MOST_ROWS:
        for request in shown.requests:
            yield _RequestRow(y, PITCH, request)
            y += PITCH
    else:
        size = next((n for n in NICE if count / n <= DENSITY_ROWS), -(-count // DENSITY_ROWS))
        for first in range(0, count, size):
            yield _DensityRow(y, PITCH, shown.requests[first : first + size], size)
            y += PITCH
    if not shown.lanes:
        return
    loop = any(lane.kind == "loop" for lane in shown.lanes)
    yield _Heading(y + 2, 20, "the loop" if loop else "workers")
    y += 22
    for lane in shown.lanes[:MOST_LANES]:
        yield _LaneRow(y, LANE_PITCH, lane)
        y += LANE_PITCH
    if len(shown.lanes) > MOST_LANES:
        yield _Heading(y, 20, f"+ {len(shown.lanes) - MOST_LANES} more")


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
        request, color = self.request, color_of(self.request.number, drawing.theme.colors)
        middle = self.y + BAR / 2
        drawing.text(
            axis.left - 10,
            middle + 4.5,
            tag(request.number),
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
        for row in request.spans:
            start, stop = _extent(row, shown)
            width = axis.x(stop) - axis.x(start)
            bar(drawing, axis.x(start), self.y, width, BAR, State(int(row["kind"])), color)
        words, alarm = _ending(request, shown)
        x = max([axis.x(end), *(axis.x(_extent(row, shown)[1]) for row in request.spans[-1:])])
        if alarm:
            drawing.text(x + 6, middle + 4, words, 12, font_weight="bold", fill=drawing.theme.alarm)
        else:
            drawing.muted(x + 6, middle + 4, words, 12)


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
        right = axis.left
        for request in shown.requests:
            mine = request.spans[
                (request.spans["lane"] == self.lane.id) & (request.spans["kind"] != State.QUEUED)
            ]
            if self.lane.kind == "loop":
                mine = mine[mine["kind"] == State.RUNNING]
            right = max(right, self._occupied(drawing, shown, axis, request, mine))
        summary = next(w for w in shown.workers if w.lane.id == self.lane.id)
        words = percent(summary.occupied_s, shown.end_s)
        drawing.muted(right + 6, middle + 4, f"{words} busy", 11.5)

    def _occupied(
        self, drawing: Drawing, shown: Picture, axis: _Axis, request: Request, mine: np.ndarray
    ) -> float:
        color, edge = color_of(request.number, drawing.theme.colors), axis.left
        painted = -math.inf
        for row in mine:
            start, stop = _extent(row, shown)
            a, edge = axis.x(start), axis.x(stop)
            if edge < painted + 0.5:
                continue  # thinner than anyone can see, and that place is painted
            bar(drawing, a, self.y, edge - a, LANE_BAR, State(int(row["kind"])), color)
            painted = edge
        if not len(mine):
            return axis.left
        first, last = _extent(mine[0], shown)[0], _extent(mine[-1], shown)[1]
        info = shown.trace.requests.get(request.number)
        words = tag(request.number)
        if self.lane.kind != "loop":
            words += " occupied"
            if info is not None and info.cpu_us is not None:
                words += f", {percent(info.cpu_us / 1e6, last - first)} CPU"
        room = axis.x(last) - axis.x(first)
        for choice in (words, tag(request.number)):
            if len(choice) * 7 + 14 < room:
                plate(drawing, (axis.x(first) + axis.x(last)) / 2, self.y + LANE_BAR / 2, choice)
                break
        return edge


@dataclass(frozen=True)
class _DensityRow(_Row):
    requests: list[Request]
    size: int

    def draw(self, drawing: Drawing, shown: Picture, axis: _Axis) -> None:
        columns = int(axis.right - axis.left) // 2
        name = f"{tag(self.requests[0].number)} – {tag(self.requests[-1].number)}"
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
    """How many requests are in each state, on average over each column of two pixels."""
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


def bar(drawing: Drawing, x: float, y: float, w: float, h: float, state: State, color: str) -> None:
    """A bar whose texture tells the state: solid, stripes, dots, cross-hatch, or a plain tint."""
    if w < 3:
        opacity = 1.0 if state == State.RUNNING else 0.6
        drawing.add("rect", x=x, y=y, width=max(w, 0.8), height=h, fill=color, fill_opacity=opacity)
        return
    strength = {State.RUNNING: 1.0, State.SERVED: 0.45, State.QUEUED: 0.12}.get(state, 0.2)
    edge = 0.5 if state == State.QUEUED else 1
    drawing.add(
        "rect",
        x=x + 0.5,
        y=y + 0.5,
        width=w - 1,
        height=h - 1,
        rx=2.5,
        fill=color,
        fill_opacity=strength,
        stroke=color,
        stroke_opacity=edge,
    )
    if state == State.QUEUED:
        _dots(drawing, x, y, w, h, color)
    elif state in (State.WAITING, State.READY):
        lines = _stripes(x + 1, y + 1, w - 2, h - 2)
        if state == State.READY:
            lines += _stripes(x + 1, y + 1, w - 2, h - 2, mirror=True)
        thick = 1.1 if state == State.READY else 1.6
        drawing.add("path", d=lines, stroke=color, stroke_width=thick, fill="none")


def _dots(drawing: Drawing, x: float, y: float, w: float, h: float, color: str) -> None:
    rows = max(1, round((h - 4) / 5.5))
    step = (h - 4) / rows
    columns = int((w - 4) // 6)
    if columns < 1:
        return
    line = "".join(f"M{x + 4 + i * 6:.1f} {{y}}h0" for i in range(columns + 1) if 4 + i * 6 < w - 2)
    dots = "".join(line.format(y=f"{y + 2 + step * (i + 0.5):.1f}") for i in range(rows))
    drawing.add("path", d=dots, stroke=color, stroke_width=2.2, stroke_linecap="round")


def _stripes(x: float, y: float, w: float, h: float, mirror: bool = False) -> str:
    """Parallel lines at 45 degrees, 8 apart, cut to the rectangle."""
    lines = []
    offset = 8 - x % 8  # bars that touch have one texture
    for c in np.arange(offset - 8 * math.ceil(offset / 8), w + h, 8.0):
        a, b = max(c - h, 0.0), min(c, w)  # along x, from the bottom edge to the top edge
        if b - a < 0.5:
            continue
        low, high = h - (a - (c - h)), h - (b - (c - h))
        if mirror:
            low, high = h - low, h - high
        lines.append(f"M{x + a:.1f} {y + low:.1f}L{x + b:.1f} {y + high:.1f}")
    return "".join(lines)


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
    xs = left + 2 * np.arange(first, last + 1)
    upper = _steps(xs, floor - high)
    lower = _steps(xs[::-1], (floor - low)[::-1])
    strength = {State.RUNNING: 1.0, State.SERVED: 0.5, State.QUEUED: 0.12}.get(state, 0.25)
    outline = f"M{upper[2:]}L{lower[2:]}Z"
    drawing.add("path", d=outline, fill=color, fill_opacity=strength)
    if state in (State.RUNNING, State.SERVED):
        return
    marks = []
    for x in np.arange(left + 2 * first + 1, left + 2 * last, 4):
        i = min(int((x - left) / 2) - first, last - first - 1)
        if high[i] - low[i] < 2:
            continue
        if state == State.QUEUED:
            marks += [
                f"M{x:.0f} {floor - level:.1f}h0"
                for level in np.arange(3.0, high[i], 5)
                if level > low[i] + 0.5
            ]
        else:
            marks.append(f"M{x:.0f} {floor - low[i]:.1f}V{floor - high[i]:.1f}")
    if marks:
        dots = state == State.QUEUED
        drawing.add(
            "path",
            d="".join(marks),
            stroke=color,
            stroke_width=1.7 if dots else 1,
            stroke_linecap="round" if dots else "butt",
        )


def _steps(xs: np.ndarray, ys: np.ndarray) -> str:
    """A step curve as ``L x y`` commands; columns of equal height are joined."""
    parts = []
    for i, y in enumerate(ys):
        if i == 0 or y != ys[i - 1]:
            parts.append(f"L {xs[i]:.0f} {y:.1f}")
        if i == len(ys) - 1 or y != ys[i + 1]:
            parts.append(f"L {xs[i + 1]:.0f} {y:.1f}")
    return "".join(parts)


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
        bar(drawing, x, y, 24, 13, state, color)
        drawing.muted(x + 30, y + 11, words, 12)
        x += 48 + len(words) * 6.6
    drawing.y = y + 20


def _attributes(told: dict[str, object]) -> str:
    return "".join(f' {name.replace("_", "-")}="{_value(value)}"' for name, value in told.items())


def _value(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{float(value):.1f}".removesuffix(".0") if value >= 1 else f"{float(value):.2g}"
    return escape(str(value), quote=True)
