"""The panel under real clicks, in JupyterLab and as the page of `playground app`."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CHECKOUT, PICTURES, START_MS

CELLS = [
    "from playground import panel\n"
    'made = panel("minimal-wsgi", "waitress", workload="hello")\n'
    "made",
    "len(made.run().replies) < 1000",
]
PROJECTOR = {"width": 1280, "height": 720}


@pytest.fixture
def app(chromium, tmp_path):
    """A page of `playground app`; its end must leave no process, and it asks nobody else."""
    process = subprocess.Popen(
        [sys.executable, "-m", "playground", "app", "--no-browser", "--port", "0", "--dark"],
        cwd=CHECKOUT,
        env=os.environ | {"PLAYGROUND_WORKSPACE": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        address = next(line.split()[-1] for line in process.stdout if "http://" in line)
        context = chromium.new_context(viewport=PROJECTOR, color_scheme="dark")
        context.set_default_timeout(START_MS)
        page, asked, errors = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        yield page
        started = psutil.Process(process.pid).children(recursive=True)
        assert started  # the kernel of the page
        page.goto("about:blank")  # it says goodbye
        assert psutil.wait_procs(started, timeout=START_MS / 1000)[1] == []
        context.close()
        here = (address.partition("?")[0], "data:", "blob:")
        assert [url for url in asked if not url.startswith(here)] == []
        assert errors == []
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=START_MS / 1000)
        assert (process.returncode, said.strip()) == (0, "Ending; Ctrl-C again ends it at once.")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


class Bench:
    """The panel on a page."""

    def __init__(self, page):
        self.page, self.root = page, page.locator(".pgp")
        expect(self.button("Compare")).to_be_visible()

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def fill(self, label, value):
        """As with a keyboard."""
        place = self.root.get_by_label(label, exact=True)
        place.fill(value)
        place.press("Tab")

    def says(self, words):
        expect(self.root.get_by_text(words).first).to_be_visible()

    def picture(self, name):
        PICTURES.mkdir(exist_ok=True)
        self.page.screenshot(path=PICTURES / f"panel-{name}.png")


def every_button(bench, folder, name, *, setup):
    """Run, save, compare, export, reopen, with fields that are typed into."""
    bench.fill("count", "4")
    bench.fill("rounds to compare", "1")
    bench.button("Run").first.dblclick()  # two clicks are one run
    expect(bench.root.locator("canvas[tabindex='0']").first).to_be_visible()
    bench.says("4 of 4")
    expect(bench.button("Save")).to_be_enabled()
    bench.picture(f"{name}-run")

    bench.fill("name", "mine")
    bench.button("Save").click()
    bench.says("Saved as")
    assert (folder / "mine.trace").exists()

    bench.button("Compare").click()
    expect(bench.root.locator("[data-playground-percentiles] svg")).to_be_visible()
    bench.says(f"times {setup}")
    expect(bench.button("Export")).to_be_enabled()  # and a name has been proposed
    bench.picture(f"{name}-compare")

    bench.fill("name", "page")
    bench.button("Export").click()
    with bench.page.expect_download() as download:
        bench.root.get_by_role("link", name="Download page.html").click()
    assert download.value.suggested_filename == "page.html"
    assert download.value.path().read_bytes() == (folder / "page.html").read_bytes()

    bench.fill("saved", "mine.trace")
    bench.button("Reopen").click()
    bench.says("This is mine.trace.")
    expect(bench.root.locator("canvas[tabindex='0']").first).to_be_visible()


def test_the_page_of_its_own_on_a_projector(app, tmp_path):
    bench = Bench(app)
    bench.root.locator("select").nth(1).select_option("FastAPI")  # of the first set-up
    bench.says("gunicorn-sync speaks WSGI, FastAPI speaks ASGI")
    expect(bench.button("Run").first).to_be_disabled()
    expect(bench.button("Compare")).to_be_disabled()
    bench.picture("app-why")
    bench.root.locator("select").nth(1).select_option("no framework")
    expect(bench.button("Compare")).to_be_enabled()
    every_button(bench, tmp_path / "runs", "app", setup="gunicorn-sync:2")


def test_in_the_lab_and_after_the_kernel_has_gone(page, lab, open_notebook):
    rel = lab.add("11_made_up.ipynb", CELLS)
    notebook = open_notebook(rel)
    notebook.run_cell(0)
    bench = Bench(page)
    every_button(bench, lab.workspace / "runs", "lab", setup="minimal-wsgi")

    bench.root.locator("select").nth(2).select_option("waitress")
    bench.fill("count", "1000")
    bench.root.get_by_label("requests", exact=True).select_option("steady")
    bench.button("Run").first.click()
    bench.says("Asking minimal-wsgi …")
    bench.button("Stop").click()
    bench.says("Stopped: what had happened until then is shown.")
    expect(bench.button("Stop")).to_be_disabled()  # what it said it was doing is gone as well
    assert servers(lab) == []

    notebook.cell(1).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    bench.says("Asking minimal-wsgi …")
    bench.button("Stop").click()  # while the kernel is busy with that cell
    expect(notebook.output(1).locator("pre")).to_have_text("True")
    expect(bench.button("Stop")).to_be_disabled()

    bench.button("Run").first.click()
    bench.says("Asking minimal-wsgi …")
    assert servers(lab) != []
    for kernel in lab.ask("GET", "api/kernels").json():
        lab.ask("POST", f"api/kernels/{kernel['id']}/restart")
    deadline = time.monotonic() + START_MS / 1000
    while servers(lab):
        assert time.monotonic() < deadline, f"they still run: {servers(lab)}"
        time.sleep(0.1)


def servers(lab):
    """What this lab's kernels have started and not ended."""
    found = []
    for one in psutil.process_iter(["cmdline", "environ"]):
        environ = one.info["environ"] or {}
        is_ours = environ.get("PLAYGROUND_WORKSPACE") == str(lab.workspace)
        if is_ours and "PLAYGROUND_STATE" in environ:
            found.append(" ".join(one.info["cmdline"] or []))
    return found
