"""A real JupyterLab and a real Chromium, shared by the browser tests of one run.

`lab` is started by `playground lab` with a workspace of its own; `page` is a fresh browser page
(`@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)` for both themes), and
`open_notebook` opens a notebook on it. Pictures go to `test-results/`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

CHECKOUT = Path(__file__).resolve().parents[2]
PICTURES = CHECKOUT / "test-results"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE = {"width": 1280, "height": 900}
NUMBERED = re.compile(r"\[\d+\]:")  # the prompt of a cell that has run
START_MS = 60_000  # a slow machine under full load; only a hang takes longer
TEST_S = 400  # several of those waits, and the start of a lab
expect.set_options(timeout=START_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder, and keep it on one worker: it shares one lab."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(TEST_S))
            item.add_marker(pytest.mark.xdist_group("browser"))


class Lab:
    """A running lab: its process, its address, its workspace."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.said = workspace / "lab.log"  # a pipe that nobody reads would stop it some day
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "playground", "lab", "--no-browser", "--port", "0"],
                cwd=CHECKOUT,
                env=os.environ | {"PLAYGROUND_WORKSPACE": str(workspace)},
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.address = self._read_address()
        self.origin = self.address.partition("/lab")[0]
        self.token = self.address.partition("token=")[2]

    def _read_address(self) -> str:
        while self.process.poll() is None:
            for line in self.said.read_text().splitlines(keepends=True):
                if "http://" in line and line.endswith("\n"):
                    return line[line.index("http://") :].strip()
            time.sleep(0.05)
        raise AssertionError(f"playground lab ended without an address:\n{self.said.read_text()}")

    def add(self, name: str, cells: list[str]) -> str:
        """Write a notebook of code cells into the workspace and return its path there."""
        rel = f"notebooks/{name}"
        write_notebook(self.workspace / rel, cells)
        return rel

    def url(self, rel: str) -> str:
        """Return the address of a workspace file, opened alone (no tabs of earlier tests)."""
        return f"{self.origin}/lab/tree/{rel}?reset&token={self.token}"

    def set_theme(self, theme: str) -> None:
        """Choose the theme of pages opened from now on: "light" or "dark"."""
        plugin = "@jupyterlab/apputils-extension:themes"
        raw = f'{{"theme": "JupyterLab {theme.title()}"}}'
        self.ask("PUT", f"lab/api/settings/{plugin}", json={"raw": raw})

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request to its server, which must agree."""
        headers = {"Authorization": f"token {self.token}"}
        url = f"{self.origin}/{path}"
        answer = httpx.request(method, url, headers=headers, timeout=START_MS / 1000, **more)
        return answer.raise_for_status()

    def end_kernels(self) -> None:
        """End every kernel, and wait for that."""
        for session in self.ask("GET", "api/sessions").json():
            self.ask("DELETE", f"api/sessions/{session['id']}")

    def stop(self) -> None:
        """End it as Ctrl-C does; that it ends, whatever its kernels do, is its own promise."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=START_MS / 1000)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise AssertionError(f"playground lab goes on:\n{self.said.read_text()}") from None


class NotebookPage:
    """A notebook that is open in the lab, and its kernel ready."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=START_MS)
        self.wait_idle()

    def cell(self, index: int) -> Locator:
        """Return the cell at `index`, Markdown cells counted too."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """Return the output area of the cell at `index`."""
        return self.cell(index).locator(".jp-OutputArea-output")

    def run_cell(self, index: int, *, timeout_ms: float = START_MS) -> Locator:
        """Run a code cell to its end and return its outputs."""
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        prompt = self.cell(index).locator(".jp-InputPrompt").first
        expect(prompt).to_have_text(NUMBERED, timeout=timeout_ms)
        return self.output(index)

    def run_all(self, *, timeout_ms: float = START_MS) -> None:
        """Choose "Run All Cells" and wait until every code cell has its number."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        prompts = self.page.locator(".jp-CodeCell .jp-InputPrompt")
        for index in range(prompts.count()):
            expect(prompts.nth(index)).to_have_text(NUMBERED, timeout=timeout_ms)
        self.wait_idle(timeout_ms)

    def wait_idle(self, timeout_ms: float = START_MS) -> None:
        """Wait until the kernel is idle.

        Only the status bar tells: the indicator in the toolbar says idle before there is a kernel,
        and JupyterLab drops a cell that is run at that moment.
        """
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text(
            "| Idle", timeout=timeout_ms
        )

    def save(self) -> None:
        """Save the notebook and wait until it is saved."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")
        self.page.locator(".jp-mod-dirty").first.wait_for(state="detached", timeout=START_MS)

    def picture(self, name: str) -> Path:
        """Save a screenshot as `test-results/<name>.png`."""
        PICTURES.mkdir(exist_ok=True)
        path = PICTURES / f"{name}.png"
        self.page.screenshot(path=path)
        return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; without one the tests fail in CI, and are not run elsewhere.

    Of one module: while Playwright runs, no test of this process can start an event loop.
    """
    path = find_chromium()
    if path is None:
        reason = "no Chromium here: install the package chromium to run the browser tests"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lab(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab started by `playground lab` on a free port, with a workspace of its own."""
    workspace = tmp_path_factory.mktemp("workspace")
    if not (CHECKOUT / "notebooks/00_welcome.ipynb").exists():
        write_notebook(workspace / "notebooks/00_welcome.ipynb", ["6 * 7"])
    running = Lab(workspace)
    yield running
    running.stop()


@pytest.fixture
def page(request: pytest.FixtureRequest, chromium: Browser, lab: Lab) -> Iterator[Page]:
    """A fresh page, in the theme that the parameter names ("light" without one)."""
    theme = getattr(request, "param", "light")
    lab.set_theme(theme)
    context = chromium.new_context(viewport=SIZE, color_scheme=theme)
    context.set_default_timeout(START_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def open_notebook(page: Page, lab: Lab) -> Callable[[str], NotebookPage]:
    """Return a function that opens a workspace path ("notebooks/01_socket.ipynb") on `page`."""

    def open_(rel: str) -> NotebookPage:
        page.goto(lab.url(rel))
        return NotebookPage(page)

    return open_


@pytest.fixture
def reopen_notebook(
    page: Page, lab: Lab, open_notebook: Callable[[str], NotebookPage]
) -> Callable[[str, str], NotebookPage]:
    """Return a function that opens a saved notebook with a new kernel.

    It returns when a widget that the notebook holds is there, which a selector names.
    """

    def reopen(rel: str, widget: str) -> NotebookPage:
        lab.end_kernels()
        for _ in range(5):
            notebook = open_notebook(rel)
            lost = page.get_by_text("Error displaying widget")
            expect(page.locator(widget).or_(lost).first).to_be_attached()
            if lost.count() == 0:
                return notebook
            # ipywidgets 8 gives up what is saved if the kernel connects while it asks that one
        raise AssertionError("the saved widget was not drawn, five times")

    return reopen


def find_chromium() -> str | None:
    """Return the path of a Chromium, `PLAYGROUND_CHROMIUM` first."""
    candidates = (os.environ.get("PLAYGROUND_CHROMIUM", ""), *CHROMIUMS, MAC_CHROME)
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


def write_notebook(path: Path, cells: list[str]) -> None:
    """Write a notebook of code cells with the course's kernel."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={
            "kernelspec": {
                "name": "python3",
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
            }
        },
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
