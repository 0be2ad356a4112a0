"""The lab as a newcomer meets it: chapter 00 is open, nothing asks anything, cells run."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable

# Whatever could stand between a newcomer and the first cell.
IN_THE_WAY = ".jp-Dialog, .Toastify__toast, .jp-mod-error"


def test_the_address_opens_chapter_00_and_nothing_asks_anything(page: Page, lab: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(lab.address)
    expect(page.locator(".jp-NotebookPanel .jp-Cell").first).to_be_visible(timeout=60_000)
    expect(page.locator(".lm-DockPanel .lm-TabBar-tab.lm-mod-current")).to_contain_text(
        "00_welcome.ipynb"
    )
    statusbar = page.locator("#jp-main-statusbar")
    expect(statusbar).to_contain_text("| Idle", timeout=60_000)  # the kernel started by itself
    page.wait_for_load_state("networkidle")
    assert page.locator(IN_THE_WAY).count() == 0
    elsewhere = [url for url in asked if not re.match(rf"{lab.origin}/|data:|blob:", url)]
    assert elsewhere == []


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_a_cell_runs_in_the_kernel_of_this_environment(
    page: Page, lab: Any, open_notebook: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    rel = lab.add("09_made_up.ipynb", ["import sys\nprint(sys.prefix)", "import ipywidgets"])
    notebook = open_notebook(rel)
    expect(notebook.run_cell(0)).to_have_text(f"{sys.prefix}\n")
    theme = request.node.callspec.params["page"]
    expect(page.locator("body")).to_have_attribute(
        "data-jp-theme-name", f"JupyterLab {theme.title()}"
    )
    notebook.picture(f"lab-{theme}")


def test_widgets_and_pictures_are_saved_with_the_notebook_and_are_there_when_it_is_opened_again(
    lab: Any, open_notebook: Callable[..., Any], reopen_notebook: Callable[..., Any]
) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>seen</title></svg>'
    sources = [
        "import ipywidgets\nipywidgets.HTML('<b>kept</b>')",
        f"from IPython.display import SVG\nSVG('{svg}')",
    ]
    rel = lab.add("09_widget.ipynb", sources)
    notebook = open_notebook(rel)
    expect(notebook.run_cell(0).locator("b")).to_have_text("kept")
    notebook.run_cell(1)
    notebook.save()
    saved = json.loads((lab.workspace / rel).read_text())
    assert "application/vnd.jupyter.widget-state+json" in saved["metadata"]["widgets"]
    reopened = reopen_notebook(rel, ".jp-OutputArea-output b")
    expect(reopened.output(0).locator("b")).to_have_text("kept")
    expect(reopened.output(1).locator("svg, img")).to_have_count(1)
