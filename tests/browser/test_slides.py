"""The slides of a chapter, run and projected: they need no network, and each fits the screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from playground.teaching import sections, slides


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slides of chapter 00, with its pictures."""
    return slides.build(sections.find("00"), tmp_path_factory.mktemp("slides"))


def test_the_page_loads_nothing_from_elsewhere(deck: Path) -> None:
    text = deck.read_text("utf-8")
    loaded = re.findall(r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=\"([^\"]+)", text)
    assert loaded
    assert [one for one in loaded if not one.startswith("reveal.js/")] == []
    assert "import mermaid" not in text
    for one in loaded:
        assert (deck.parent / one).is_file(), one
    assert (deck.parent / slides.REVEAL / "LICENSE").is_file()


def test_in_a_browser_every_slide_fits_and_has_what_to_say(deck: Path, chromium: Browser) -> None:
    asked: list[str] = []
    errors: list[str] = []
    page = chromium.new_page(viewport={"width": slides.WIDTH, "height": slides.HEIGHT})
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(deck.as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()", timeout=60_000)
    said, seen = 0, page.evaluate("Reveal.getTotalSlides()")
    for _ in range(seen):
        shown = page.evaluate(
            "(() => { const slide = Reveal.getCurrentSlide(), box = slide.getBoundingClientRect();"
            " return {text: slide.innerText.trim(), bottom: box.bottom, right: box.right,"
            " zoom: Number(slide.style.zoom || 1), notes: Reveal.getSlideNotes() || ''}; })()"
        )
        assert shown["text"]
        assert shown["bottom"] <= slides.HEIGHT + 1, shown
        assert shown["right"] <= slides.WIDTH + 1, shown
        assert shown["zoom"] > 0.6, shown
        said += "Ask." in shown["notes"] or "Demo." in shown["notes"]
        page.evaluate("Reveal.next()")
    assert page.evaluate("Reveal.isLastSlide()")
    assert said >= 5
    assert page.locator(".picture svg").count() >= 5
    assert errors == []
    assert {url.partition(":")[0] for url in asked} == {"file"}
    page.close()
