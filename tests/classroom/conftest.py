"""`board` is a real board that nobody has joined; `own_board` is one that a test may kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.classroom import last_run, membership, reporting, sharing
from tests.classroom.serving import HANG_S, Serving


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


@pytest.fixture
def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A workspace of one's own, no last run, and threads that have nothing to do at the end."""
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setattr(last_run, "_latest", None)
    for each in (reporting, sharing):
        sender = reporting.Sender(each.deliver, each.LAST_WORDS_S)
        monkeypatch.setattr(each, "SENDER", sender)
    yield
    if membership.path().exists():
        membership.forget()
    for each in (reporting, sharing):
        if each.SENDER._thread is not None:
            each.SENDER.wake()  # else it may try again while another test goes on, and for that
            assert each.SENDER.wait(HANG_S)
