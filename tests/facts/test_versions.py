"""What the text says of a server is true of the version that it names, and that one runs here."""

import re
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest

from playground.facts import MEASURED_WITH

CHECKOUT = Path(__file__).resolve().parents[2]
NAMED = re.compile(rf"\b({'|'.join(MEASURED_WITH)})[ =]+(\d+\.\d+\.\d+)\b", re.IGNORECASE)


@pytest.mark.parametrize("package", MEASURED_WITH)
def test_the_installed_version_is_the_one_that_was_measured(package: str) -> None:
    assert version(package) == MEASURED_WITH[package], (
        f"{package} has changed: run the chapters that speak of it, mend their text,"
        " and then the number in playground/facts.py."
    )


@pytest.mark.parametrize("package", MEASURED_WITH)
def test_the_pinned_version_is_the_one_that_was_measured(package: str) -> None:
    lines = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    pins = dict(line.lower().split("==") for line in lines if "==" in line)
    assert pins[package] == MEASURED_WITH[package]


def test_versions_are_found_in_text() -> None:
    assert NAMED.findall("Gunicorn 27.0.1, uvicorn==0.54.0; Python 3.11.7") == [
        ("Gunicorn", "27.0.1"),
        ("uvicorn", "0.54.0"),
    ]


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem
)
def test_a_chapter_names_the_version_that_was_measured(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    wrong = [
        f"{name} {number}"
        for name, number in NAMED.findall(text)
        if MEASURED_WITH[name.lower()] != number
    ]
    assert wrong == []
