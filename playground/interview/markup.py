"""The answers as HTML: they are Markdown, and any HTML in them is text."""

from __future__ import annotations

from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def html(text: str) -> str:
    """Return Markdown as HTML, escaped."""
    return str(_MARKDOWN.render(text)).strip()
