"""The board in Chromium, as an instructor has it on the projector: real board, real learners."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.classroom.drawing import WIDTH
from playground.trace.records import Kind
from playground.trace.trace import RequestInfo, Trace, from_tuples
from playground.views import wire
from tests.browser.conftest import PICTURES
from tests.classroom.serving import FIRST, SECOND, Serving
from tests.classroom.test_board import a_trace, saved

WAIT_S = 60  # from one step of a test to the next; only a hang takes longer
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
LOST = "not connected since"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Serving]:
    """A board that may be killed."""
    serving = Serving(tmp_path / "board")
    yield serving
    serving.close()


class Projector:
    """The page, and everything that it complains about or asks elsewhere for."""

    def __init__(self, browser: Browser, board: Serving, pass_: str, theme: str = "light") -> None:
        size = {"width": 1280, "height": 720}
        self.context = browser.new_context(viewport=size, color_scheme=theme)
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        self.page.on("request", lambda request: self._asked(request.url, board.base))
        self.page.clock.install()
        self.page.on("console", lambda message: self._said(message.text))
        self.page.goto(f"{board.base}/{pass_}")

    def _asked(self, url: str, base: str) -> None:
        if not url.startswith(base):
            self.wrong.append(f"asked for {url}")

    def _said(self, text: str) -> None:
        if "WebSocket connection" not in text:  # the browser's own words while a board is away
            self.wrong.append(text)

    def chip(self, name: str, kind: str) -> object:
        """The name of a learner, as it is shown."""
        return self.page.locator(f".people li.{kind}").get_by_text(name, exact=True)


def test_three_learners_one_hostile_and_a_board_that_is_killed(
    chromium: Browser, board: Serving, tmp_path: Path
) -> None:
    projector = Projector(chromium, board, f"#instructor={board.instructor}")
    page = projector.page
    expect(page.locator("#code")).to_have_text(f"{board.code[:3]} {board.code[3:]}")
    expect(page.locator("#address")).to_have_text(board.address)
    expect(page.locator("#nothing")).to_be_visible()
    assert "instructor" not in page.url  # a room would read it

    # reports are seen as they come
    ada, bob, mallory = (board.join(name) for name in ("Ada", "Ada", HOSTILE))
    board.report(ada, FIRST, "failed", check="Reads the parts", message="<b>KeyError</b>: 'x'")
    board.report(bob, FIRST, "passed")
    board.report(mallory, SECOND, "not solved yet", message=HOSTILE)
    expect(projector.chip("Ada", "failed")).to_be_visible()
    expect(projector.chip("Ada (2)", "passed")).to_be_visible()
    expect(projector.chip(HOSTILE[:40], "open")).to_be_visible()
    expect(page.locator(".rate")).to_have_text(["1 of 2 passed · 50 %"])
    expect(page.locator("#failures code")).to_have_text("<b>KeyError</b>: 'x'")
    assert page.title() == "The board"
    assert page.locator("img").count() == page.locator("script").count() == 1  # ours

    # a timeline, drawn here from a learner's trace
    board.post("timeline", ada, content=saved(a_trace(), tmp_path)).raise_for_status()
    expect(page.locator("#whose")).to_contain_text("shared by Ada, run at ")
    picture = page.locator("#picture")
    expect(picture).to_have_js_property("naturalWidth", WIDTH)  # it has been drawn, and is shown
    page.keyboard.press("d")
    expect(picture).to_have_attribute("src", re.compile(r"/dark\.svg$"))
    expect(picture).to_have_js_property("complete", True)  # and not the light one any more
    expect(picture).to_have_js_property("naturalWidth", WIDTH)
    with projector.context.expect_page() as opened:
        page.locator("#play").click()
    expect(opened.value.locator("#view canvas").first).to_be_visible()
    opened.value.close()
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / "classroom.png")

    # the board is killed, and started again
    board.kill()
    expect(page.locator("#connection")).to_contain_text(LOST)
    expect(projector.chip("Ada", "failed")).to_be_visible()
    board.start()
    board.report(ada, FIRST, "passed")
    expect(page.locator("#connection")).to_have_text("")
    expect(projector.chip("Ada", "passed")).to_be_visible()
    expect(projector.chip("Ada (2)", "passed")).to_be_visible()

    # the instructor removes one; what cannot be undone wants a second press
    page.keyboard.press("i")
    page.get_by_label("Learner").select_option(label=HOSTILE[:40])
    soon = page.evaluate("Date.now()") / 1000 + WAIT_S
    page.clock.pause_at(datetime.fromtimestamp(soon))  # the second press may take its time
    page.get_by_role("button", name="Remove").click()
    expect(projector.chip(HOSTILE[:40], "open")).to_be_visible()
    page.get_by_role("button", name="Press again").click()
    page.clock.resume()
    expect(projector.chip(HOSTILE[:40], "open")).to_have_count(0)
    page.get_by_role("button", name="Close joining").click()
    expect(page.locator("#code")).to_have_text("closed")
    page.get_by_role("button", name="Done").click()
    assert projector.wrong == []
    projector.context.close()


def so_far(done: int) -> bytes:
    """What a learner sends of a run of which so many of three requests are done."""
    rows = [(1e6 + each * 1e5, 5e4, each, 0, Kind.CLIENT, 0) for each in range(1, done + 1)]
    requests = {each: RequestInfo("GET /", 200) for each in range(1, done + 1)}
    trace = Trace(from_tuples(rows), [], requests, {"title": HOSTILE})
    return wire.pack([wire.Part(trace, 1e6, 2e6, None, expected=3)], live=True)


def test_a_run_is_seen_while_it_goes_on_and_when_it_broke_off(
    chromium: Browser, board: Serving, tmp_path: Path
) -> None:
    projector = Projector(chromium, board, f"#instructor={board.instructor}", theme="dark")
    page, ada, run = projector.page, board.join("Ada"), {"run": "1" * 32}
    whose, inside = page.locator("#whose"), page.frame_locator("#moving iframe")
    for done in (1, 2):
        message = so_far(done)
        board.post("frame", ada, content=message, params=run | {"begins": done == 1})
        expect(inside.locator(".pgv-counters b").first).to_have_text(f"{done} of 3")
    expect(inside.locator(".pgv-title")).to_have_text(HOSTILE)
    expect(inside.get_by_role("img", name="timeline")).to_be_visible()
    since = time.monotonic()
    while "shared by Ada, since" not in whose.inner_text():  # as long as something comes
        board.post("frame", ada, content=message, params=run)
        assert time.monotonic() < since + WAIT_S, whose.inner_text()
        page.wait_for_timeout(500)

    # it has the colours of the page, whose keys are the page's own
    expect(inside.locator("html")).to_have_attribute("data-theme", "dark")
    inside.locator(".pgv-title").click(force=True)
    page.keyboard.press("d")
    expect(inside.locator("html")).to_have_attribute("data-theme", "light")
    page.keyboard.press("t")
    expect(page.locator("#rooms")).to_be_hidden()
    expect(inside.get_by_role("img", name="timeline")).to_be_visible()

    # nothing comes any more; and then, after all, the whole of it
    expect(whose).to_contain_text("shared by Ada, broke off: nothing has come since")
    expect(inside.locator(".pgv-counters b").first).to_have_text("2 of 3")
    page.screenshot(path=PICTURES / "classroom-live.png")
    whole = board.post("timeline", ada, content=saved(a_trace(), tmp_path), params=run)
    whole.raise_for_status()
    expect(whose).to_contain_text("shared by Ada, run at ")
    expect(page.locator("#picture")).to_have_js_property("naturalWidth", WIDTH)
    expect(page.locator("iframe")).to_have_count(0)
    assert page.title() == "The board"
    assert projector.wrong == []
    projector.context.close()


def test_a_page_is_shown_nothing_without_the_code_and_everything_after_a_sleep(
    chromium: Browser, board: Serving
) -> None:
    board.join("Ada")
    projector = Projector(chromium, board, "", theme="dark")
    page = projector.page
    page.get_by_label("Its code").fill("BBBBBB")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This is not the board's code.")
    assert "Ada" not in page.content()
    page.get_by_label("Its code").fill(board.code.lower())
    page.keyboard.press("Enter")
    expect(projector.chip("Ada", "open")).to_be_visible()
    page.keyboard.press("i")
    expect(page.get_by_role("dialog")).to_have_count(0)  # there is no instructor here

    # it wakes up after an hour, and does not trust the connection that it had
    with page.expect_websocket():
        page.clock.fast_forward("01:00:00")
    board.report(board.join("Bob"), FIRST, "passed")
    expect(projector.chip("Bob", "passed")).to_be_visible()
    expect(page.locator("#connection")).to_have_text("")

    board.act("new-code")
    expect(page.get_by_role("alert")).to_have_text("This is not the board's code.")
    assert projector.wrong == []
    projector.context.close()
