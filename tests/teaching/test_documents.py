"""What the documents for instructors say exists: commands, options, files, headings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from playground.cli import app

DOCS = Path(__file__).resolve().parents[2] / "docs"
NAMES = ("INSTRUCTORS.md", "ROOMS.md")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def lines(text: str) -> list[str]:
    """Every command line of `playground` that the text shows."""
    spans = re.findall(r"`([^`\n]+)`", text)
    blocks = [line for block in re.findall(r"```\n(.*?)```", text, re.DOTALL)
              for line in block.splitlines()]  # fmt: skip
    return [line for line in (*spans, *blocks) if line.startswith("playground ")]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_option_is_there(name: str) -> None:
    found = lines((DOCS / name).read_text("utf-8"))
    assert len(found) >= 6
    for line in found:
        words = line.partition("#")[0].split()
        command = COMMANDS.get(words[1])
        assert command is not None, line
        options = {option for parameter in command.params for option in
                   (*parameter.opts, *parameter.secondary_opts)}  # fmt: skip
        shown = {word.partition("=")[0] for word in words[2:] if word.startswith("-")}
        assert shown <= options, line


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        assert not path or (DOCS / path).is_file(), target
        assert path or anchor in anchors, target


def test_every_remedy_says_whether_it_was_tried() -> None:
    text = (DOCS / "ROOMS.md").read_text("utf-8")
    rows = [
        line for line in text.splitlines() if line.startswith("| ") and "what you see" not in line
    ]
    assert len(rows) >= 35
    for row in rows:
        assert row.rsplit("|", 2)[1].strip() in ("tried", "test", "untried"), row
