"""Run All in every chapter: as a learner who has solved nothing, and later, in the same workspace,
as one who has solved all. Each time in a fresh kernel.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient import NotebookClient

from playground.grading import exercise

CHECKOUT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(path.name for path in (CHECKOUT / "notebooks").glob("*.ipynb"))
CHAPTER_S = 90  # what the course promises, for a chapter that nobody else slows down
BUSY = 4  # and how much slower it may be while other tests use the processors
EXERCISE = re.compile(r"%%exercise ([\w-]+)\n")

Outputs = dict[str, list[nbformat.NotebookNode]]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace of its own; afterwards no process may be left that works in it."""
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    yield tmp_path
    _, left = psutil.wait_procs(
        [one for one in psutil.process_iter(["cwd"]) if _works_in(one, tmp_path)],
        timeout=CHAPTER_S,  # what a kernel had started ends as that is gone
    )
    assert left == []


def _works_in(process: psutil.Process, folder: Path) -> bool:
    return process.pid != os.getpid() and Path(process.info["cwd"] or "/").is_relative_to(folder)


def run_all(name: str, workspace: Path, *, solved: bool) -> Outputs:
    """Execute a chapter; return the outputs of its exercise cells by exercise id.

    Raises CellExecutionError at the first cell that fails.
    """
    folder = workspace / "notebooks"
    folder.mkdir(exist_ok=True)
    shutil.copy(CHECKOUT / "notebooks" / name, folder)
    notebook = nbformat.read(folder / name, as_version=4)
    cells = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and (match := EXERCISE.match(cell.source)):
            cells[match[1]] = cell
            if solved:
                solution = exercise.find(match[1]).solution.read_text("utf-8")
                cell.source = f"%%exercise {match[1]}\n{solution}"
    client = NotebookClient(
        notebook, timeout=CHAPTER_S, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return {name: cell.outputs for name, cell in cells.items()}


def said(outputs: list[nbformat.NotebookNode]) -> str:
    """The plain text of a cell's outputs."""
    return "\n".join(
        out.get("text") or out.get("data", {}).get("text/plain", "") for out in outputs
    )


def has_exercises(name: str) -> bool:
    """Whether there is something to solve in a chapter."""
    return any(name.startswith(one.chapter) for one in exercise.load())


def check(name: str, workspace: Path, *, solved: bool) -> None:
    """Run a chapter, and look at the verdict of each of its exercises."""
    exercises = run_all(name, workspace, solved=solved)
    assert bool(exercises) == has_exercises(name)
    for one, outputs in exercises.items():
        assert f"{one}: {'passed' if solved else 'not solved yet'}" in said(outputs), said(outputs)


@pytest.mark.timeout(2 * CHAPTER_S * BUSY)
@pytest.mark.parametrize("name", CHAPTERS)
def test_run_all_with_nothing_solved_and_then_with_everything(name: str, workspace: Path) -> None:
    check(name, workspace, solved=False)
    if has_exercises(name):
        check(name, workspace, solved=True)


@pytest.mark.timeout(2 * CHAPTER_S * BUSY)
@pytest.mark.parametrize("solved", [False, True])
def test_run_all_once_more(solved: bool, workspace: Path) -> None:
    """What was there before disturbs nobody."""
    for _ in range(2):
        check(CHAPTERS[0], workspace, solved=solved)
