"""The bundled app `chat` in Chromium: its page, served by minimal-asgi on both loops."""

import json
import signal
import time
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import expect

from playground.setups.server import serve
from tests.browser.conftest import PICTURES, START_MS
from tests.ports import free_ports

CONTRAST = """() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return color === 'rgba(0, 0, 0, 0)' ? behind(element.parentElement) : color;
  };
  const seen = [...document.querySelectorAll('h1, h2, p, dt, dd, li, label, input, button')]
    .filter((element) => element.offsetParent && !element.disabled);
  return seen.map((element) => {
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    return [element.outerHTML.slice(0, 60), ratio];
  });
}"""


class Guest:
    """Somebody with the page open. ``said`` is what the page put on the console."""

    def __init__(self, browser, server, **context):
        self.context = browser.new_context(viewport={"width": 1180, "height": 820}, **context)
        self.page = self.context.new_page()
        self.said = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.said.extend(elsewhere(request.url, server)))
        self.page.goto(server.url)
        expect(self.page.locator("#socket")).to_have_text("open")
        expect(self.page.locator("#stream")).to_have_text("open")

    def say(self, words):
        """As with a keyboard."""
        self.page.get_by_label("Say something").fill(words)
        self.page.keyboard.press("Enter")

    @property
    def heard(self):
        return self.page.get_by_role("log").locator("li")

    @property
    def beats(self):
        return self.page.get_by_label("The last events, as they came").locator("li")

    def leave(self):
        self.context.close()


def elsewhere(url, server):
    return [] if url.startswith(server.url) else [f"asked for {url}"]


def counts(server):
    return httpx.get(f"{server.url}/counts", timeout=START_MS / 1000).json()


def until_counted(server, **wanted):
    """Wait for what the server has open; the deadline only stops a hang."""
    deadline = time.monotonic() + START_MS / 1000
    while {name: counts(server)[name] for name in wanted} != wanted:
        assert time.monotonic() < deadline, f"waited for {wanted}, it has {counts(server)}"
        time.sleep(0.05)


@contextmanager
def chatting(browser, *names, loop="asyncio", port=0, **context):
    """A server with the page open once for each name."""
    with serve("minimal-asgi", "chat", loop=loop, port=port) as server:
        guests = [Guest(browser, server, **context) for _ in names]
        for guest, name in zip(guests, names, strict=True):
            guest.page.get_by_label("Your name").fill(name)
        try:
            yield server, guests
        finally:
            for guest in guests:
                guest.leave()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_two_pages_talk_one_leaves_and_the_server_ends(chromium, loop):
    with chatting(chromium, "Ada", "Bob", loop=loop) as (server, (ada, bob)):
        # what one says, both hear, in the same order
        ada.say("Is the soup good?")
        expect(bob.heard).to_have_text(["Ada: Is the soup good?"])
        bob.say("<b>It was</b>, yesterday. 🍲")
        both = ["Ada: Is the soup good?", "Bob: <b>It was</b>, yesterday. 🍲"]
        expect(ada.heard).to_have_text(both)
        expect(bob.heard).to_have_text(both)
        expect(ada.page.locator("#talk .mine")).to_have_text(both[:1])
        expect(ada.page.get_by_label("Say something")).to_have_value("")

        # events come by themselves, and are numbered
        expect(ada.page.locator("#streams")).to_have_text("2")
        expect(ada.page.locator("#guests")).to_have_text("2")
        first, *_, last = ada.beats.all_inner_texts()
        beat = json.loads(last.partition("data: ")[2])
        assert (beat["streams"], beat["guests"]) == (2, 2)
        assert first.startswith("id: 1\n")
        assert last.startswith(f"id: {beat['beat']}\n")

        # the server notices who goes
        until_counted(server, streams=2, sockets=2)
        bob.leave()
        until_counted(server, streams=1, sockets=1)
        expect(ada.page.locator("#guests")).to_have_text("1")
        ada.say("Alone.")
        expect(ada.heard).to_have_text([*both, "Ada: Alone."])
        assert ada.said == bob.said == []

        # its end is told, with the code, and nothing more can be sent
        server.signal(signal.SIGTERM)
        expect(ada.page.locator("#socket")).to_have_text(
            "closed with code 1012: the server is being restarted"
        )
        expect(ada.page.get_by_role("button", name="Send")).to_be_disabled()
        ada.say("Anybody?")
        expect(ada.heard).to_have_count(3)

        # a response that does not end keeps the server, until its reader goes
        last = ada.beats.count()
        expect(ada.beats.nth(last)).to_be_visible()
        assert server.running
        ada.leave()
        deadline = time.monotonic() + START_MS / 1000
        while server.running:
            assert time.monotonic() < deadline, "waited for the end of the server"
            time.sleep(0.05)


def test_a_page_finds_its_way_back_to_a_server_that_was_restarted(chromium):
    port = free_ports()
    with chatting(chromium, "Ada", port=port) as (server, (ada,)):
        server.stop()
        expect(ada.page.locator("#socket")).to_contain_text("closed with code 1012")
        expect(ada.page.locator("#stream")).to_have_text("lost: the browser tries again by itself")
        with serve("minimal-asgi", "chat", port=port):
            ada.page.get_by_role("button", name="Connect again").click()
            expect(ada.page.locator("#socket")).to_have_text("open")
            expect(ada.page.get_by_role("button", name="Connect again")).to_be_hidden()
            expect(ada.page.locator("#stream")).to_have_text("open")
            ada.say("Here I am.")
            expect(ada.heard).to_have_text(["Ada: Here I am."])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_can_be_read_by_everybody(chromium, theme):
    with chatting(chromium, "Ada", "Bob", color_scheme=theme) as (server, (ada, bob)):
        ada.say("Is the soup good?")
        expect(bob.heard).to_have_count(1)
        bob.say("It was, yesterday. Today it is the same soup, and so are its friends in the pot.")
        expect(ada.heard).to_have_count(2)
        expect(ada.beats.nth(2)).to_be_visible()
        PICTURES.mkdir(exist_ok=True)
        ada.page.screenshot(path=PICTURES / f"chat-{theme}.png")
        assert_contrast(ada)
        ada.page.set_viewport_size({"width": 390, "height": 844})
        wide = ada.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, "a telephone's screen is left and right of nothing"
        ada.page.screenshot(path=PICTURES / f"chat-{theme}-narrow.png", full_page=True)
        server.signal("TERM")
        expect(ada.page.locator("#socket")).to_contain_text("closed with code")
        ada.page.set_viewport_size({"width": 1180, "height": 820})
        ada.page.screenshot(path=PICTURES / f"chat-{theme}-ended.png")
        assert_contrast(ada)


def assert_contrast(guest):
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    ratios = guest.page.evaluate(CONTRAST)
    assert len(ratios) > 12
    assert {what: ratio for what, ratio in ratios if ratio < 4.5} == {}
