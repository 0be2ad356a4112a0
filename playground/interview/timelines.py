"""Small pictures of hypotheses: as SVG for a page, as characters for a terminal.

Each says that it is a hypothesis. What happened is drawn by ``playground.views``, from its trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from rich.text import Text

from playground.interview.hypotheses import Span
from playground.interview.predict import Drawn, Question
from playground.trace.states import State
from playground.views.look import PALETTE, THEMES, color_of
from playground.views.svg import FONT, Bar, Drawing, bars
from playground.views.terminal import GLYPHS

BADGE = "hypothesis"
HEALTH = "health"
IN_SERVICE = "in service (from its first sign in the server to its answer)"
LEGEND = f"{GLYPHS[State.QUEUED] * 3} queued   {GLYPHS[State.SERVED] * 3} {IN_SERVICE}"
WIDTH, LEFT, TOP, PITCH, BAR = 330, 52, 56, 17, 12  # pixels of an SVG
GUTTER = 7  # columns of a picture of characters, before its bars


def svg(drawn: Drawn, span: float, theme: str = "auto") -> str:
    """One hypothesis as an SVG document; ``span`` is how many units its width shows."""
    rows = list(_rows(drawn))
    drawing = Drawing(WIDTH, THEMES[theme])
    scale = (WIDTH - LEFT - 8) / span
    bottom = TOP + PITCH * len(rows)
    drawing.text(4, 15, drawn.letter, 15, font_weight="bold")
    drawing.muted(WIDTH - 4, 14, BADGE, 11, text_anchor="end", font_style="italic")
    drawing.text(22, 15, drawn.words, 12)
    drawing.text(22, 30, drawn.health, 12)
    for unit in range(int(span + 0.01) + 1):
        x = round(LEFT + unit * scale) + 0.5
        line = {"stroke": drawing.theme.faint, "stroke_width": 1, "stroke_opacity": 0.6}
        drawing.add("path", d=f"M{x} {TOP - 4}V{bottom}", **line)
        drawing.muted(x, TOP - 8, str(unit), 10, text_anchor="middle")
    for place, (label, number, one) in enumerate(rows):
        y = TOP + PITCH * place
        color = color_of(number, drawing.theme.colors) if number else drawing.theme.ink
        weight = {"font_weight": "bold", "text_anchor": "end"}
        drawing.text(LEFT - 7, y + 10, label, 11, fill=color, **weight)
        parts = [(State.QUEUED, one.at, one.begin), (State.SERVED, one.begin, one.end)]
        found = [
            Bar(LEFT + a * scale, max((b - a) * scale, 2.0), state, color)
            for state, a, b in parts
            if b > a or state == State.SERVED
        ]
        bars(drawing, y, BAR, found)
    label = escape(f"Hypothesis {drawn.letter}: {drawn.told}", quote=True)
    size = f'viewBox="0 0 {WIDTH} {bottom + 4}" width="{WIDTH}" height="{bottom + 4}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}"'
    return f'{head} font-family="{escape(FONT, quote=True)}">{"".join(drawing.parts)}</svg>'


def text(drawn: Drawn, span: float, width: int) -> list[Text]:
    """One hypothesis as lines of ``width`` characters."""
    head = Text.assemble((f"{drawn.letter}  ", "bold"), drawn.words)
    head.truncate(width, overflow="ellipsis")
    below = f"   ({BADGE})" + (f" {drawn.health}" if drawn.health else "")
    lines = [head, Text(below, style="dim italic")]
    columns = width - GUTTER
    for label, number, one in _rows(drawn):
        style = color_of(number, PALETTE["light"]) if number else ""
        told = (f"{label:>{GUTTER - 1}} ", "bold"), (_cells(one, span, columns), style)
        lines.append(Text.assemble(*told, no_wrap=True))
    return lines


def side_by_side(asked: Question, width: int) -> list[Text]:
    """All hypotheses of a question, two in a row where there is room for that."""
    span = longest(asked)
    beside = 2 if width >= 70 else 1
    each = min((width - 2 * (beside - 1)) // beside, 60)
    blocks = [text(drawn, span, each) for drawn in asked.pictures]
    lines: list[Text] = []
    for first in range(0, len(blocks), beside):
        for row in zip(*blocks[first : first + beside], strict=True):
            line = Text()
            for one in row[:-1]:
                line.append(one).append(" " * (each - one.cell_len + 2))
            lines.append(line.append(row[-1]))
        lines.append(Text())
    return lines


def longest(asked: Question) -> float:
    """How many units the longest of the hypotheses lasts."""
    return max(span.end for drawn in asked.pictures for _, _, span in _rows(drawn))


def _rows(drawn: Drawn) -> Iterator[tuple[str, int, Span]]:
    """Label, number and span of each row; the health check has number 0."""
    for number, span in enumerate(drawn.schedule.spans, 1):
        yield f"#{number}", number, span
    if drawn.schedule.probe is not None:
        yield HEALTH, 0, drawn.schedule.probe


def _cells(one: Span, span: float, columns: int) -> str:
    """One character a column: queued, in service, or nothing."""
    scale = columns / span
    at, begin, end = (round(time * scale) for time in (one.at, one.begin, one.end))
    end = min(max(end, begin + 1), columns)
    begin = min(begin, columns - 1)
    return " " * at + GLYPHS[State.QUEUED] * (begin - at) + GLYPHS[State.SERVED] * (end - begin)
