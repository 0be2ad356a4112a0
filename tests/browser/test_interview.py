"""The card of practice in Chromium, by keyboard; each message goes through the real widget."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.interview import practice
from playground.interview.bank import Evidence, Question
from playground.interview.card import FRONTEND, Card
from tests.browser.conftest import PICTURES

LONG = "A *long* answer with `a < b`.\n\nAnd <script>window.bad = 1</script> as text."
QUESTIONS = [
    Question(
        f"it-{number}", "mid", f"What is number {number}, `x < y`?", "A short answer.", LONG,
        ("And then?", "Why?"), "It is not.", (),
        Evidence("One sees it.", code=f"print('seen', {number})\nassert {number} != 1"), "02_wsgi",
    )
    for number in range(3)
]  # fmt: skip
PAGE = """<!doctype html><meta charset="utf-8"><title>Card</title><style>%(css)s
:root { color-scheme: %(theme)s } body { background: Canvas; color: CanvasText }</style>
<div id="here"></div><script type="module">
%(js)s
const heard = {};
const model = {
  get: (name) => window.state[name],
  on: (event, call) => { heard[event] = call; },
  off: () => {},
  send: async (message) => {
    const before = window.state;
    window.state = await window.kernel(message);
    for (const name in before)
      if (JSON.stringify(before[name]) !== JSON.stringify(window.state[name]))
        heard[`change:${name}`]();
  },
};
window.state = await window.kernel({ key: 0 });
card.render({ model, el: document.getElementById("here") });
document.body.dataset.ready = "yes";
</script>"""

Open = Callable[[str], Page]


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """A function that opens a page with a card in a theme; the page must not complain."""
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    complaints: list[str] = []
    pages: list[Page] = []

    def opened(theme: str) -> Page:
        widget = Card(QUESTIONS, new=2)

        def kernel(message: dict[str, Any]) -> dict[str, Any]:
            widget.act(message)
            return {"view": widget.view, "proof": widget.proof}

        page = chromium.new_page(viewport={"width": 900, "height": 700}, color_scheme=theme)
        pages.append(page)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.expose_function("kernel", kernel)
        js = (FRONTEND / "card.js").read_text("utf-8").replace("export default", "const card =")
        css = (FRONTEND / "card.css").read_text("utf-8")
        file = tmp_path / "card.html"
        file.write_text(PAGE % {"css": css, "js": js, "theme": theme}, "utf-8")
        page.goto(file.as_uri())
        page.locator("body[data-ready=yes]").wait_for()
        return page

    yield opened
    for page in pages:
        page.close()
    assert complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_practice_by_keyboard(opened: Open, theme: str, tmp_path: Path) -> None:
    page = opened(theme)
    press = page.keyboard.press
    card = page.get_by_label("Practice")
    expect(card).to_contain_text("02 wsgi · mid")
    expect(card).to_contain_text("2 to go, 0 answered")
    expect(card.locator(".pgi-asked code")).to_have_text("x < y")

    press("Tab")  # to the first answer
    press("3")
    expect(page.get_by_role("status").last).to_have_text("First look at an answer.")
    assert not practice.path().exists()
    expect(page.get_by_text("A short answer.")).to_be_hidden()
    press("Enter")
    expect(page.get_by_text("A short answer.")).to_be_visible()
    for key, words in (("l", "as text."), ("f", "And then?"), ("w", "It is not."), ("e", "sees")):
        press(key)
        expect(page.get_by_text(words)).to_be_visible()
    assert page.evaluate("window.bad") is None
    press("Tab")
    press("Enter")  # Run it here
    expect(card).to_contain_text("✓ The claim held here.")
    expect(card).to_contain_text("seen 0")
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"card-{theme}.png", full_page=True)

    press("4")
    expect(card).to_contain_text("What is number 1")
    expect(card).to_contain_text("1 to go, 1 answered")
    expect(page.get_by_role("status").last).to_have_text("What is number 1, x < y?")
    press("s")  # the focus has stayed in the card
    press("e")
    page.get_by_role("button", name="Run it here").click()
    expect(card).to_contain_text("✗ The claim was not shown.")
    expect(card).to_contain_text("Line 2: assert 1 != 1")
    page.get_by_role("button", name="Easy").click()
    expect(card).to_contain_text("That is all for now. The next one comes in")
    page.get_by_role("button", name="Ask me 1 new ones").click()
    expect(card).to_contain_text("What is number 2")
    stored = json.loads(practice.path().read_text())["cards"]
    assert {name: each["reviews"] for name, each in stored.items()} == {"it-0": 1, "it-1": 1}


def test_what_was_meant_for_another_question_is_let_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    widget = Card(QUESTIONS)
    key = widget.view["key"]
    for _ in range(2):  # a double click
        widget.act({"do": "rate", "rating": 4, "key": key})
    widget.act({"do": "rate", "rating": 9, "key": widget.view["key"]})
    assert list(practice.load().entries) == ["it-0"]
    assert widget.view["count"] == "2 to go, 1 answered"


def test_a_file_that_cannot_be_written_is_told_on_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    widget = Card(QUESTIONS)
    practice.path().write_text('{"format": 7}')
    widget.act({"do": "rate", "rating": 4, "key": widget.view["key"]})
    assert "newer version of the course" in widget.view["note"]
    assert "number 0" in widget.view["question"]
