"""A verdict as plain text, as a terminal panel and as HTML: the same words in the same order.

Colour only repeats what a word and a sign say already.
"""

from __future__ import annotations

import html as markup
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from playground.grading.exercise import hint_title
from playground.grading.verdict import Line, Message, Status, Verdict, Wire

SIGNS = {Status.PASSED: "✓", Status.FAILED: "✗", Status.NOT_SOLVED: "○", Status.BROKEN: "!"}
COLOURS = {  # readable on white and on black, and told apart by the colour-blind
    Status.PASSED: "#0a7f5a",
    Status.FAILED: "#c2570c",
    Status.NOT_SOLVED: "#4a78b5",
    Status.BROKEN: "#8a63b8",
}
RICH = {  # as well on a dark terminal as on a light one
    Status.PASSED: "#1a9160",
    Status.FAILED: "#d55e00",
    Status.NOT_SOLVED: "#2b84c6",
    Status.BROKEN: "#b05fc0",
}
BY_HAND = 8765  # where the learner's server is asked by hand
_CHECK = {True: "✓", False: "✗", None: "·"}
_WINDOW = 52  # columns of a long value that are shown: a panel of 80 has room for them
_BEFORE = 34  # of these, at most so many before the first difference


@dataclass(frozen=True)
class Row:
    """One labelled row of a message; `code` rows keep their layout (fixed width)."""

    label: str
    text: str
    code: bool = False


def headline(verdict: Verdict) -> str:
    """Return the one line that says it."""
    done = sum(check.passed is True for check in verdict.checks)
    counted = f"{done} of {len(verdict.checks)} checks pass"
    said = {
        Status.PASSED: f"passed, all {len(verdict.checks)} checks",
        Status.FAILED: f"not passed yet, {counted}",
        Status.NOT_SOLVED: "not solved yet",
        Status.BROKEN: "could not be graded, and that is not your fault",
    }[verdict.status]
    return f"{SIGNS[verdict.status]} {verdict.exercise}: {said}"


def rows(message: Message) -> Iterator[Row]:
    """Yield the rows of a message in their one order; what repeats it is in `again`."""
    yield Row("called", message.called, code=True)
    yield Row("came back", message.got, code=True)
    yield Row("expected", message.expected, code=True)
    difference = _difference(message)
    if difference:
        yield Row("difference", difference, code=True)
    if message.why:
        yield Row("why", message.why)
    if message.where:
        yield Row("where", "\n".join(_place(message)), code=True)
    if message.stacks:
        yield Row("stood at", "\n".join(_stacks(message)), code=True)
    if message.wire is not None:
        yield from _wire(message.wire)
    if message.nudge:
        yield Row("nudge", message.nudge)


def again(verdict: Verdict) -> list[str]:
    """Return how to see it again: the command that serves the file, and that sends the bytes."""
    commands = repeats(verdict)
    if not commands:
        return []
    return ["To repeat it, serve your file in one terminal, and send it in another:", *commands]


def repeats(verdict: Verdict) -> list[str]:
    """Return the two commands that repeat what failed, if it went over a socket."""
    wire = verdict.message.wire if verdict.message else None
    if wire is None or not wire.command:
        return []
    served = f"playground exercises serve {verdict.exercise} --port {BY_HAND}"
    return [served, f"PORT={BY_HAND}; {wire.command}"]


def advice(verdict: Verdict, *, notebook: bool = False) -> list[str]:
    """Return the closing lines: where the file is, and what to type next."""
    name = verdict.exercise
    if notebook and verdict.status is Status.NOT_SOLVED:
        return [f"Write your code in this cell and run it, or write it in {verdict.file}"]
    if notebook and verdict.status is Status.FAILED:
        return [f"Your file: {verdict.file}"]
    if notebook and verdict.status is Status.PASSED:
        return [f"The reference solution: the button above, or %solution {name}"]
    if verdict.status is Status.NOT_SOLVED:
        return [
            f"The file is still the stub: {verdict.file}",
            "Write your code there, then check it again.",
            f"A hint: playground hint {name}",
        ]
    if verdict.status is Status.FAILED:
        return [f"Your file: {verdict.file}", f"A hint: playground hint {name}"]
    if verdict.status is Status.PASSED:
        return [f"The reference solution: playground solution {name}"]
    return ["Please report it with the lines above; `playground doctor` may know more."]


def text(verdict: Verdict) -> str:
    """Return the verdict as plain text."""
    return "\n".join([headline(verdict), "", *_text_body(verdict)]).rstrip() + "\n"


def message_text(message: Message) -> str:
    """Return a message as plain text, one labelled row after the other."""
    lines = []
    for row in rows(message):
        first, *more = row.text.splitlines() or [""]
        lines.append(f"  {row.label:<12} {first}")
        lines += [f"  {'':<12} {line}" for line in more]
    return "\n".join(lines)


def panel(verdict: Verdict) -> Any:
    """Return the verdict as a rich panel; below it what is to be copied (print without crop)."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    parts: list[Any] = [Text(verdict.title, style="bold")]
    if verdict.status is not Status.NOT_SOLVED:
        parts.append(_rich_checks(verdict))
    if verdict.message is not None:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for row in rows(verdict.message):
            table.add_row(row.label, Text(row.text, no_wrap=False))
        parts += [Text(), table]
    if printed := _printed(verdict):
        parts += [Text(), Text(printed[0])]
        parts.append(_hanging((*line.split(" ", 1), "") for line in printed[1:]))
    for block in (verdict.notes, advice(verdict)):
        if block:
            parts += [Text(), Text("\n".join(block))]
    style = RICH[verdict.status]
    title = Text(headline(verdict), style=f"bold {style}")
    box = Panel(Group(*parts), title=title, title_align="left", border_style=style)
    # below the box, and each in one line, however long: they are to be copied
    below = [Text(line, no_wrap=True, overflow="ignore") for line in again(verdict)]
    return Group(box, *below) if below else box


def html(verdict: Verdict) -> str:
    """Return the verdict as HTML with inline styles; reads on light and on dark."""
    colour = COLOURS[verdict.status]
    parts = [_tag("div", headline(verdict), f"font-weight:700;color:{colour};font-size:1.1em")]
    parts.append(_tag("div", verdict.title, "margin:.2em 0 .5em"))
    if verdict.status is not Status.NOT_SOLVED:
        parts.append("".join(_tag("div", line) for line in _checks(verdict)))
    if verdict.message is not None:
        parts.append(message_html(verdict.message))
    if repeated := again(verdict):
        parts.append(_tag("div", repeated[0]) + _pre("\n".join(repeated[1:])))
    if verdict.output:
        parts.append(_pre("\n".join(_printed(verdict))))
    parts += [_tag("div", line, "margin-top:.5em") for line in verdict.notes]
    parts += [_tag("div", line, "margin-top:.4em") for line in advice(verdict, notebook=True)]
    if verdict.status in (Status.NOT_SOLVED, Status.FAILED):
        parts.append(hints_html(verdict.hints))
    return card("".join(parts), colour)


def message_html(message: Message) -> str:
    """Return a message as an HTML table of labelled rows."""
    cells = []
    for row in rows(message):
        head = _tag("th", row.label, "text-align:left;vertical-align:top;padding:.15em 1em .15em 0")
        body = _pre(row.text) if row.code else markup.escape(row.text)
        cells.append(
            f'<tr style="background:none">{head}'
            f'<td style="text-align:left;padding:.15em 0">{body}</td></tr>'
        )
    style = "margin:.6em 0;border-collapse:collapse;color:inherit;font-size:inherit"
    return f'<table style="{style}">{"".join(cells)}</table>'


def hints_html(hints: Iterable[str]) -> str:
    """Return hints in layers, each inside the one before: opened by the reader, and only then."""
    inner = ""
    numbered = list(enumerate(hints, 1))
    for number, hint in reversed(numbered):
        summary = hint_title(number, len(numbered))
        inner = (
            '<details style="margin-top:.5em"><summary style="cursor:pointer;font-weight:600">'
            f"{markup.escape(summary)}</summary>"
            f'<div style="margin:.4em 0 0 1.1em">{paragraph(hint)}{inner}</div></details>'
        )
    return inner


def chapter_name(folder: str) -> str:
    """Return "01 event loop" for the folder 01_event_loop."""
    return folder.replace("_", " ")


def bar(done: int, total: int, width: int) -> str:
    """Return a bar of `width` characters; only what is all done is full."""
    full = width * done // total if total else 0
    return "█" * full + "░" * (width - full)


def inline(words: str) -> str:
    """Return text with `code` in back-quotes as HTML."""
    pieces = markup.escape(words).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))


def paragraph(words: str) -> str:
    """Return text with `code` in back-quotes as an HTML block that keeps its lines."""
    return f'<div style="white-space:pre-wrap">{inline(words)}</div>'


def code(text: str) -> str:
    """Return program text as HTML."""
    return _pre(text)


def card(inside: str, colour: str) -> str:
    """Return a box with a coloured left edge that takes the page's own colours."""
    return (
        f'<div style="border:1px solid {colour};border-left-width:6px;border-radius:6px;'
        f'padding:.8em 1em;margin:.3em 0;line-height:1.45;max-width:60em">{inside}</div>'
    )


# ---- pieces ----------------------------------------------------------------------------------


def _text_body(verdict: Verdict) -> Iterator[str]:
    if verdict.status is not Status.NOT_SOLVED:
        yield from (f"  {line}" for line in _checks(verdict))
        yield ""
    if verdict.message is not None:
        yield message_text(verdict.message)
        yield ""
    for block in (again(verdict), _printed(verdict), verdict.notes, advice(verdict)):
        if block:
            yield from (f"  {line}" for line in block)
            yield ""


def _checks(verdict: Verdict) -> list[str]:
    return [f"{_CHECK[check.passed]} {check.name}" for check in verdict.checks]


def _rich_checks(verdict: Verdict) -> Any:
    styles = {True: RICH[Status.PASSED], False: RICH[Status.FAILED], None: "dim"}
    return _hanging(
        (_CHECK[each.passed], each.name, styles[each.passed]) for each in verdict.checks
    )


def _hanging(lines: Iterable[tuple[str, ...]]) -> Any:
    """Signs in one column, texts in another: what is wrapped stays beside its sign."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    for sign, words, style in lines:
        table.add_row(sign, Text(words, overflow="fold"), style=style)
    return table


def _printed(verdict: Verdict) -> list[str]:
    if not verdict.output.strip():
        return []
    lines = verdict.output.rstrip().splitlines()
    shown = [line[:200] for line in lines[:20]]
    if len(lines) > len(shown):
        shown.append(f"… and {len(lines) - len(shown)} more lines")
    return ["Your code printed:", *(f"| {line}" for line in shown)]


def _place(message: Message) -> Iterator[str]:
    for line in message.where:
        yield _line(line)
    if message.column:
        prefix = f"line {message.where[-1].number}:  "
        stripped = message.where[-1].text
        indent = len(stripped) - len(stripped.lstrip())
        yield " " * (len(prefix) + max(0, message.column - 1 - indent)) + "^"


def _line(line: Line) -> str:
    inside = f"in {line.function}" if line.function not in ("", "<module>") else ""
    return f"line {line.number}{', ' + inside if inside else ''}:  {line.text.strip()}"


def _stacks(message: Message) -> Iterator[str]:
    for stack in message.stacks:
        if stack.lines:
            yield stack.name
            yield from (f"  {_line(line)}" for line in stack.lines)
        else:
            yield f"{stack.name}: not in your file"


def _wire(wire: Wire) -> Iterator[Row]:
    yield Row("client sent", _escaped_lines(wire.sent), code=True)
    if wire.expected is not None and wire.received is not None:
        yield Row("first wrong", _caret(wire.expected, wire.received), code=True)
    elif wire.received is not None:
        yield Row("client got", _escaped_lines(wire.received), code=True)


def _difference(message: Message) -> str:
    if message.values is None:
        return ""
    got, expected = _leaves(*message.values)
    if type(got) is type(expected) and isinstance(got, (bytes, str)):
        return _caret(expected, got) if max(len(got), len(expected)) > 8 else ""
    return ""


def _leaves(got: Any, expected: Any) -> tuple[Any, Any]:
    """Return the first two values that differ, however deep they are in tuples, lists and dicts."""
    pairs: list[tuple[Any, Any]] = []
    if type(got) is not type(expected) or not isinstance(got, (tuple, list, dict)):
        return got, expected
    if isinstance(got, dict) and got.keys() == expected.keys():
        pairs = [(got[key], expected[key]) for key in expected]
    elif not isinstance(got, dict) and len(got) == len(expected):
        pairs = list(zip(got, expected, strict=True))
    for pair in pairs:
        if pair[0] != pair[1]:
            return _leaves(*pair)
    return got, expected


def _caret(expected: bytes | str, got: bytes | str) -> str:
    """Return both values escaped, one under the other, and a caret under the first difference."""
    place = next(
        (i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b),
        min(len(got), len(expected)),
    )
    start = place
    while start and len(_escape(got[start - 1 : place])) <= _BEFORE:
        start -= 1
    left = "…" if start else ""
    before = _escape(got[start:place])
    lines = [
        f"expected {left}{_fitting(expected[start:])}",
        f"got      {left}{_fitting(got[start:])}",
        " " * (9 + len(left) + len(before)) + f"^ byte {place}",
    ]
    return "\n".join(lines)


def _fitting(value: bytes | str) -> str:
    """Return the value escaped, as much of it as there is room for."""
    end = min(len(value), _WINDOW)
    while len(_escape(value[:end])) > _WINDOW:
        end -= 1
    return _escape(value[:end]) + "…" * (end < len(value))


def _escape(value: bytes | str) -> str:
    """Return the inside of a repr, with double quotes left alone."""
    shown = repr(value)
    return shown[2:-1] if isinstance(value, bytes) else shown[1:-1]


def _escaped_lines(data: bytes, limit: int = 24) -> str:
    if not data:
        return "(nothing)"
    lines = data[:4000].split(b"\n")
    shown = [_escape(line + b"\n") for line in lines[:-1]] + (
        [_escape(lines[-1])] * bool(lines[-1])
    )
    more = [f"… {len(data)} bytes in all"] if len(data) > 4000 or len(shown) > limit else []
    return "\n".join([line[:200] for line in shown[:limit]] + more)


def _tag(name: str, inside: str, style: str = "") -> str:
    return f'<{name} style="{style}">{markup.escape(inside)}</{name}>'


def _pre(inside: str) -> str:
    style = "margin:0;white-space:pre-wrap;font-size:.92em;background:none;color:inherit"
    return f'<pre style="{style}">{markup.escape(inside)}</pre>'
