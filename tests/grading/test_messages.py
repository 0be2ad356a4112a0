"""One form for every message: golden texts. Write new ones with UPDATE_GOLDEN=1."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from playground.grading import render
from playground.grading.verdict import Check, Line, Message, Stack, Status, Verdict, Wire

GOLDEN = Path(__file__).parent / "golden"
MESSAGES = {
    "value": Message(
        "parse(b'GET  /')", "returned (b'GET', b'/menu?day=mondaz')",
        "returned (b'GET', b'/menu?day=monday')", "RFC 9112 §3: one space",
        "Look at the last byte.",
        values=((b"GET", b"/menu?day=mondaz"), (b"GET", b"/menu?day=monday")),
    ),
    "exception": Message(
        "parse(b'')", "raised IndexError: list index out of range", "ValueError raised",
        "RFC 9112 §3", "What is in the list?", where=(Line(7, "parse", "a = parts[1]"),),
    ),
    "syntax": Message(
        "import parse", "SyntaxError in line 3: '(' was never closed",
        "a file that can be imported",
        where=(Line(3, "", "    return (a"),), column=12,
    ),
    "hang": Message(
        "parse(b'')", "no answer within 10 s, so it was stopped", "an answer",
        stacks=(
            Stack("thread MainThread", (Line(4, "parse", "while True:"),)), Stack("thread a", ())
        ),
    ),
    "wire": Message(
        "sent b'GET / HTTP/1.1…' to serve(listener)", "b'HTTP/1.1 200 OK\\r\\n'", "b'HTTP/1.1 404'",
        "RFC 9110 §15.5.5", "Which path was asked for?",
        wire=Wire(b"GET /x HTTP/1.1\r\nHost: \xe9\r\n\r\n", b"HTTP/1.1 200 OK\r\n",
                  b"HTTP/1.1 404 Not Found\r\n", "printf '…' | nc 127.0.0.1 $PORT"),
    ),
}  # fmt: skip


def verdict(message: Message) -> Verdict:
    checks = [Check("Reads it", True), Check("Refuses it", False), Check("Survives it", None)]
    return Verdict(
        "parse", "Parse <strictly>", Status.FAILED, checks, message, ["1 process was left."],
        "debug <1>\n", hints=("a `nudge`", "b", "c"), file="workspace/exercises/parse.py",
    )  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_text_is_as_it_was_agreed(name: str) -> None:
    path = GOLDEN / f"{name}.txt"
    text = render.text(verdict(MESSAGES[name]))
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", MESSAGES)
def test_terminal_and_html_say_the_same_words(name: str) -> None:
    console = Console(width=200, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(render.panel(verdict(MESSAGES[name])))
    panel = console.export_text()
    html = render.html(verdict(MESSAGES[name]))
    for row in render.rows(MESSAGES[name]):
        for line in row.text.splitlines():
            assert line.strip() in panel
        assert f">{row.label}</th>" in html
    assert "Parse &lt;strictly&gt;" in html
    assert "| debug &lt;1&gt;" in html
    assert "<code>nudge</code>" in html


@pytest.mark.parametrize("place", [0, 17, 33, 90])
def test_the_two_values_and_the_caret_stand_below_each_other_at_80_columns(place: int) -> None:
    wanted = b"\r\n" * 50 + b"x" * 50
    got = wanted[:place] + b"?" + wanted[place + 1 :]
    shown = verdict(replace(MESSAGES["value"], values=(got, wanted)))
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(render.panel(shown))
    lines = console.export_text().splitlines()
    row = next(n for n, line in enumerate(lines) if "difference" in line)
    assert "got  " in lines[row + 1]
    assert lines[row + 1][lines[row + 2].index("^")] == "?"


def test_a_narrow_panel_breaks_neither_the_list_nor_a_command() -> None:
    shown = verdict(MESSAGES["value"])
    shown.checks = [Check("Refuses " + "a line that is too long, " * 4, False)]
    shown.output = f"debug {'x ' * 50}\nover\n"
    shown.exercise, shown.file = "name-of-eighteen-c", "exercises/08_gunicorn/conf.py"
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(render.panel(shown))
    lines = [line.strip("│").strip("\n") for line in console.export_text().splitlines()]
    first = next(n for n, line in enumerate(lines) if line.startswith(" ✗ Refuses"))
    assert lines[first + 1].startswith("   ")
    printed = next(n for n, line in enumerate(lines) if line.startswith(" | debug"))
    assert lines[printed + 1].startswith("   ")
    assert lines[printed + 2].startswith(" | over")
    assert " A hint: playground hint name-of-eighteen-c" in [line.rstrip() for line in lines]


def test_colour_is_never_the_only_sign() -> None:
    assert len(set(render.SIGNS.values())) == len(Status)
    assert {render.headline(Verdict("a", "A", status)) for status in Status} == {
        "✓ a: passed, all 0 checks",
        "✗ a: not passed yet, 0 of 0 checks pass",
        "○ a: not solved yet",
        "! a: could not be graded, and that is not your fault",
    }


def test_a_caret_after_the_end_and_in_a_long_value() -> None:
    assert render._caret(b"abc", b"abcd").splitlines()[-1].index("^") == 9 + 3
    lines = render._caret(b"x" * 500 + b"\r\nA", b"x" * 500 + b"\r\nB").splitlines()
    place = lines[2].index("^")
    assert (lines[0][place], lines[1][place]) == ("A", "B")
    assert "^ byte 502" in lines[2]


@pytest.mark.parametrize("paper", ["#ffffff", "#1e1e1e"])
def test_every_colour_can_be_read_on_light_and_on_dark_terminals(paper: str) -> None:
    for colour in render.RICH.values():
        darker, lighter = sorted(map(_luminance, (colour, paper)))
        assert (lighter + 0.05) / (darker + 0.05) >= 3, colour


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
