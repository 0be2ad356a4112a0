"""`board` is a real board that nobody has joined; `own_board` is one that a test may kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.classroom.serving import Serving


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One process for many tests."""
    serving = Serving(tmp_path_factory.mktemp("classroom") / "board")
    yield serving
    serving.close()


@pytest.fixture
def board(process: Serving) -> Serving:
    """The shared process, and nobody on it."""
    process.act("reset")
    process.act("open")
    return process


@pytest.fixture
def own_board(tmp_path: Path) -> Iterator[Serving]:
    """A process of the test's own."""
    serving = Serving(tmp_path / "board")
    yield serving
    serving.close()
